"""A new vintage of a table: what it would change, told first; then done, all of it or nothing."""

import hashlib
import statistics
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from hardware.models import ReferenceRow
from hardware.reading import ReadFile
from hardware.tables import Table
from hardware.usage import used_by_run_count

# Small enough for SQLite's limit of variables in one statement.
BATCH_ROW_COUNT = 500
MOVER_COUNT = 20


class HasComplaints(ValueError):
    """The file cannot be loaded: something in it is wrong."""


class TableMoved(Exception):
    """The table is no longer what the preview showed; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Change:
    """A stored row and what the file says of it; the figures are None for a table without."""

    row: models.Model
    values: dict
    old_figure: float | None
    new_figure: float | None

    @property
    def change_percent(self) -> float | None:
        """How far the figure moves, in percent of the old one; None where it has none."""
        if not self.old_figure or self.new_figure is None:
            return None
        return 100 * (self.new_figure - self.old_figure) / self.old_figure


@dataclass(slots=True)
class Plan:
    """What loading a file would do, row by row."""

    table: Table
    line_count: int
    added: list[dict] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    relabelled: list[Change] = field(default_factory=list)
    kept: list[Change] = field(default_factory=list)
    unchanged_count: int = 0
    digest: str = ""
    run_count: int = 0

    @property
    def median_change_percent(self) -> float | None:
        """The median over the rows whose figure changes; None when no figure does."""
        percents = [p for change in self.changed if (p := change.change_percent) is not None]
        return statistics.median(percents) if percents else None

    @property
    def movers(self) -> list[Change]:
        """The rows whose figure changes most, in percent, the largest first."""
        return sorted(
            self.changed, key=lambda change: abs(change.change_percent or 0), reverse=True
        )[:MOVER_COUNT]

    @property
    def is_idle(self) -> bool:
        """Whether loading would change no row."""
        return not (self.added or self.changed or self.relabelled)

    def __str__(self) -> str:
        median = self.median_change_percent
        parts = [
            f"{len(self.changed):,} changed",
            f"median {median:+.1f} %" if median is not None else "",
            _counted(len(self.added), "added"),
            _counted(len(self.relabelled), "with a new source or label only"),
            _counted(self.unchanged_count, "as they were"),
            _counted(len(self.kept), "edited by hand and kept"),
        ]
        rows = "row" if self.line_count == 1 else "rows"
        said = f"{self.line_count:,} {rows}: {', '.join(part for part in parts if part)}"
        runs = "stored run" if self.run_count == 1 else "stored runs"
        return f"{said}; {self.run_count:,} {runs} used a row that changes"


def plan_load(
    found: ReadFile,
    *,
    overwrite: Collection[str] = (),
    is_kept: Callable[[models.Model, dict], bool] | None = None,
) -> Plan:
    """Return what loading ``found`` would do; nothing is changed.

    ``overwrite`` holds the keys (as text) of rows edited by hand that the file may change.
    Raises HasComplaints when the file has any.
    """
    if found.complaints or found.table is None:
        raise HasComplaints("Mend what is wrong with the file first.")
    is_kept = is_kept or _is_edited
    table = found.table
    plan = Plan(table, len(found.lines))
    seen = hashlib.sha256(found.sha256.encode())
    stored = {_stored_key(row, table): row for row in _locked_rows(table)}
    for key, values in found.lines.items():
        row = stored.get(key)
        if row is None:
            plan.added.append(values)
            continue
        change = _change(row, values, table)
        seen.update(repr((key, change.old_figure, getattr(row, "edited_at", None))).encode())
        if not _differs(row, values):
            plan.unchanged_count += 1
        elif is_kept(row, values) and str(row.pk) not in overwrite:
            plan.kept.append(change)
        elif _figures_differ(row, values, table):
            plan.changed.append(change)
        else:
            plan.relabelled.append(change)
    seen.update(repr(len(plan.added)).encode())
    plan.digest = seen.hexdigest()
    return plan


def preview(found: ReadFile, *, overwrite_edited: bool = False) -> Plan:
    """Return the plan of loading ``found``, with the stored runs that used a row that changes.

    Raises HasComplaints.
    """
    with transaction.atomic():
        plan = plan_load(found)
        if overwrite_edited:
            plan = plan_load(found, overwrite={str(change.row.pk) for change in plan.kept})
    plan.run_count = used_by_run_count(plan.table.model, {change.row.pk for change in plan.changed})
    return plan


def load(
    found: ReadFile, *, user=None, overwrite: Collection[str] = (), expected_digest: str = ""
) -> Plan:
    """Load ``found`` in one transaction and return what was done.

    Rows edited by hand stay, but for those whose key is in ``overwrite``; these count as
    unedited from then on. Raises HasComplaints, and TableMoved when the table no longer is
    what ``expected_digest``, a preview's, was made of.
    """
    try:
        with transaction.atomic():
            plan = plan_load(found, overwrite=overwrite)
            if expected_digest and plan.digest != expected_digest:
                raise TableMoved("The table was changed since the preview.")
            plan.run_count = used_by_run_count(
                plan.table.model, {change.row.pk for change in plan.changed}
            )
            carry_out(plan, loaded_at=timezone.now(), loaded_by=user)
    except IntegrityError as failure:
        # Somebody else added a row of the same name between our look and our writing.
        raise TableMoved("The table was changed while the file was loaded.") from failure
    return plan


def carry_out(plan: Plan, *, loaded_at=None, loaded_by=None) -> None:
    """Write what ``plan`` says; the caller holds the transaction."""
    model, fields = plan.table.model, list(plan.table.value_fields)
    marks = {}
    if issubclass(model, ReferenceRow):
        marks = {
            "loaded_at": loaded_at,
            "loaded_by": loaded_by,
            "edited_at": None,
            "edited_by": None,
        }
    rows = [_with_values(change.row, change.values | marks) for change in plan.changed]
    rows += [_with_values(change.row, change.values | marks) for change in plan.relabelled]
    added = [model(**values, **marks) for values in plan.added]
    model.objects.bulk_create(added, batch_size=BATCH_ROW_COUNT)
    # An upsert of rows that are all there: a sixth of the time that bulk_update takes.
    model.objects.bulk_create(
        rows,
        batch_size=BATCH_ROW_COUNT,
        update_conflicts=True,
        unique_fields=["pk"],
        update_fields=[*fields, *marks],
    )


def _counted(count: int, words: str) -> str:
    return f"{count:,} {words}" if count else ""


def _locked_rows(table: Table) -> models.QuerySet:
    rows = table.model.objects.select_for_update(of=("self",))
    if issubclass(table.model, ReferenceRow):
        return rows.select_related("edited_by", "loaded_by")
    return rows


def _stored_key(row: models.Model, table: Table) -> tuple:
    return tuple(getattr(row, name) for name in table.key_fields)


def _change(row: models.Model, values: dict, table: Table) -> Change:
    if not table.figure:
        return Change(row, values, None, None)
    return Change(row, values, getattr(row, table.figure), values[table.figure])


def _differs(row: models.Model, values: dict) -> bool:
    return any(getattr(row, name) != value for name, value in values.items())


def _figures_differ(row: models.Model, values: dict, table: Table) -> bool:
    """Whether a number changes; the source, the vintage and a name are labels."""
    labels = {"source", "vintage"}
    return any(
        getattr(row, name) != values[name] for name in table.value_fields if name not in labels
    )


def _is_edited(row: models.Model, values: dict) -> bool:
    # A zone keeps no record of edits: one that differs was renamed here.
    return not isinstance(row, ReferenceRow) or row.edited_at is not None


def _with_values(row: models.Model, values: dict) -> models.Model:
    for name, value in values.items():
        setattr(row, name, value)
    return row
