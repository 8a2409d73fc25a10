"""Load the shipped reference tables, or a new vintage of one of them from a file."""

import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from hardware.reading import MAX_FILE_BYTES, ReadFile, read_file
from hardware.reference import load_reference, summary
from hardware.vintages import Plan, load, preview

SHOWN_COMPLAINT_COUNT = 50


class Command(BaseCommand):
    help = (
        "Load the shipped reference tables; safe to run again. With FILE, load a new vintage of "
        "one table: our own CSV, or Our World in Data's download as it is. What would change is "
        "told first. Rows edited in the admin are kept, and nothing is removed."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE")
        parser.add_argument(
            "--vintage", default="", help="year and month of publication, such as 2027-04"
        )
        parser.add_argument(
            "--apply", "--yes", action="store_true", dest="apply", help="load without asking"
        )
        parser.add_argument(
            "--overwrite-edited", action="store_true", help="change rows edited by hand, too"
        )

    def handle(self, *, file, vintage, apply, overwrite_edited, **_options):
        if file is None:
            for plan in load_reference():
                self.stdout.write(summary(plan))
            return
        found = read_file(_content(file), vintage=vintage)
        self._tell_skipped(found)
        if found.complaints:
            self._refuse(found)
        plan = preview(found, overwrite_edited=overwrite_edited)
        self._tell(plan, found)
        if plan.is_idle:
            self.stdout.write("There is nothing to load.")
        elif apply or self._is_confirmed():
            edited = {str(change.row.pk) for change in _edited(plan)} if overwrite_edited else ()
            done = load(found, overwrite=edited, expected_digest=plan.digest)
            self.stdout.write(f"Loaded: {done}.")
        else:
            self.stdout.write("Nothing was changed. Add --apply to load it.")

    def _tell(self, plan: Plan, found: ReadFile) -> None:
        self.stdout.write(f"{plan.table.label}, from {found.kind}")
        self.stdout.write(f"{plan}.")
        for change in plan.movers[:5]:
            percent = change.change_percent
            moved = f" ({percent:+.1f} %)" if percent is not None else ""
            self.stdout.write(
                f"  {change.row}: {change.old_figure} -> {change.new_figure} "
                f"{plan.table.unit}{moved}"
            )

    def _tell_skipped(self, found: ReadFile) -> None:
        if found.unknown_columns:
            self.stdout.write(f"Left unread: {', '.join(found.unknown_columns[:10])}.")
        for skipped in found.skipped.values():
            self.stdout.write(
                f"Skipped {skipped.count:,}, first on line {skipped.first_line}: {skipped.reason}"
            )

    def _refuse(self, found: ReadFile) -> None:
        for one in found.complaints[:SHOWN_COMPLAINT_COUNT]:
            self.stderr.write(f"line {one.line}, {one.column or 'whole line'}: {one.reason}")
        count = len(found.complaints)
        left_count = count - SHOWN_COMPLAINT_COUNT
        more = f" (and {left_count:,} more that are not shown)" if left_count > 0 else ""
        raise CommandError(f"{count:,} cells cannot be taken{more}. Nothing was changed.")

    def _is_confirmed(self) -> bool:
        if not sys.stdin.isatty():
            return False
        return input("Load it? [y/N] ").strip().lower() in {"y", "yes"}


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_FILE_BYTES + 1)
    except OSError as failure:
        raise CommandError(f"{file} cannot be read: {failure.strerror}.") from failure


def _edited(plan: Plan):
    return [
        change
        for change in (*plan.changed, *plan.relabelled)
        if getattr(change.row, "edited_at", None) is not None
    ]
