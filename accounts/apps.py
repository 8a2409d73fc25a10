"""People and their API tokens."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self):
        """Have the audit log listen, once the models are there."""
        from accounts import audit  # noqa: F401
