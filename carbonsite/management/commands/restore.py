"""``manage.py restore FOLDER``: put a backup back into a site without a database."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from carbonsite.backup import BackupProblem, restore


class Command(BaseCommand):
    help = "Put a backup back into a stopped site whose database is still empty."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path)

    def handle(self, *, folder, **_options):
        try:
            restore(folder)
        except BackupProblem as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write("Restored. Now: manage.py prepare, then start the site.")
