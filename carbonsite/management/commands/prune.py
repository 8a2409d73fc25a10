"""``manage.py prune``: forget what need not be kept."""

from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError

from carbonsite import retention


class Command(BaseCommand):
    help = (
        "Delete expired sessions, old idempotency keys, old entries of the audit log and stored "
        "files that no version needs. Runs with a result are never deleted."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--failed-runs-older-than",
            type=int,
            metavar="DAYS",
            help="delete failed and cancelled runs that ended so long ago, too",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would go, and delete nothing"
        )

    def handle(self, *, failed_runs_older_than, dry_run, **_options):
        if failed_runs_older_than is not None and failed_runs_older_than < 0:
            raise CommandError("Give a number of days that is not negative.")
        kept = failed_runs_older_than
        told = retention.prune(
            failed_runs_kept=None if kept is None else timedelta(days=kept), is_rehearsal=dry_run
        )
        self.stdout.write("Would delete:" if dry_run else "Deleted:")
        for line in told:
            self.stdout.write(f"  {line}")
