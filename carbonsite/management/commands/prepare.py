"""``manage.py prepare``: database, reference tables and static files, brought up to date."""

from django.core.management.base import BaseCommand

from carbonsite import preparation


class Command(BaseCommand):
    help = "Migrate, load the reference tables and collect the static files, as far as needed."
    requires_system_checks = []

    def handle(self, **_options):
        preparation.prepare(self.stdout.write)
