"""``manage.py backup FOLDER``: database, models and secret key of one moment."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from carbonsite.backup import BackupProblem, back_up
from footprint.units import format_quantity


class Command(BaseCommand):
    help = "Write a backup of the running site into an empty folder."

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path)

    def handle(self, *, folder, **_options):
        try:
            size_bytes = back_up(folder)
        except BackupProblem as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"Backed up {format_quantity(size_bytes, 'B')} to {folder}")
