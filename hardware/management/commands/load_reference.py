"""Load the shipped zones, carbon intensities and processors."""

from django.core.management.base import BaseCommand

from hardware.reference import load_reference


class Command(BaseCommand):
    help = (
        "Load the shipped zones, carbon intensities and processors. Safe to run again: "
        "rows edited in the admin are kept, and nothing is removed."
    )

    def handle(self, **_options):
        for count in load_reference():
            self.stdout.write(str(count))
