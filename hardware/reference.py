"""How the shipped tables become rows: again and again without harm, keeping what people changed."""

from collections.abc import Iterable
from pathlib import Path

from django.db import models, transaction

from hardware.models import ReferenceRow
from hardware.reading import read_file
from hardware.tables import TABLES, Table
from hardware.vintages import Plan, carry_out, plan_load

DATA_DIR = Path(__file__).resolve().parent / "data"


def load_reference(data_dir: Path = DATA_DIR, *, tables: Iterable[Table] = TABLES) -> list[Plan]:
    """Bring the shipped tables into the database, all or nothing, and tell what changed.

    Rows that an admin edited stay as they are, so do those of a vintage that somebody loaded
    and that is no older than the shipped one, and nothing is removed.
    """
    with transaction.atomic():
        return [_load_table(table, data_dir / table.file_name) for table in tables]


def summary(plan: Plan) -> str:
    """Say what loading a shipped table did to it."""
    changed_count = len(plan.changed) + len(plan.relabelled)
    kept = f", {len(plan.kept):,} edited or loaded here and kept" if plan.kept else ""
    return (
        f"{plan.table.label}: {len(plan.added):,} added, {changed_count:,} changed, "
        f"{plan.unchanged_count:,} as they were{kept}"
    )


def _load_table(table: Table, path: Path) -> Plan:
    found = read_file(path.read_bytes())
    if found.complaints or found.table is not table:
        raise ValueError(f"{path.name} is not fit to be loaded: {found.complaints[:3]}")
    plan = plan_load(found, is_kept=_belongs_to_people)
    carry_out(plan)
    return plan


def _belongs_to_people(row: models.Model, values: dict) -> bool:
    # A zone keeps no record of edits: one that differs was renamed here.
    if not isinstance(row, ReferenceRow) or row.edited_at is not None:
        return True
    return row.loaded_at is not None and row.vintage >= values["vintage"]
