"""People and their API tokens."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    # The admin's heading; the library that logs people in has one called "Accounts".
    verbose_name = "People and tokens"

    def ready(self):
        """Have the audit log listen, once the models are there."""
        from accounts import audit  # noqa: F401
