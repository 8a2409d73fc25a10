"""How the shipped tables become rows: again and again without harm, keeping what people edited."""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import models, transaction

from hardware.models import CarbonIntensity, Processor, Zone

DATA_DIR = Path(__file__).resolve().parent / "data"
# Small enough for SQLite's limit of variables in one statement.
BATCH_ROW_COUNT = 500


@dataclass(frozen=True, slots=True)
class LoadCount:
    """What loading one table did to it, in rows."""

    table: str
    added_count: int
    changed_count: int
    unchanged_count: int
    kept_count: int

    def __str__(self) -> str:
        kept = f", {self.kept_count:,} edited here and kept" if self.kept_count else ""
        return (
            f"{self.table}: {self.added_count:,} added, {self.changed_count:,} changed, "
            f"{self.unchanged_count:,} as they were{kept}"
        )


@dataclass(frozen=True, slots=True)
class Table:
    """A shipped CSV, the model it fills, the columns that name a row, and those it brings."""

    file_name: str
    model: type[models.Model]
    key_fields: tuple[str, ...]
    value_fields: tuple[str, ...]
    parse: Callable[[dict[str, str]], dict]


def load_reference(data_dir: Path = DATA_DIR) -> list[LoadCount]:
    """Bring the shipped tables into the database, all or nothing, and count what changed.

    Rows that an admin edited stay as they are, and nothing is removed.
    """
    with transaction.atomic():
        return [_load_table(table, data_dir / table.file_name) for table in TABLES]


def _load_table(table: Table, path: Path) -> LoadCount:
    stored = {_key(row, table): row for row in table.model.objects.all()}
    added, changed, kept_count, unchanged_count = [], [], 0, 0
    for values in _read(path, table.parse):
        row = stored.get(tuple(values[name] for name in table.key_fields))
        if row is None:
            added.append(table.model(**values))
        elif not _differs(row, values):
            unchanged_count += 1
        elif _is_edited(row):
            kept_count += 1
        else:
            changed.append(_with_values(row, values))
    table.model.objects.bulk_create(added, batch_size=BATCH_ROW_COUNT)
    table.model.objects.bulk_update(changed, table.value_fields, batch_size=BATCH_ROW_COUNT)
    label = str(table.model._meta.verbose_name_plural)
    return LoadCount(label, len(added), len(changed), unchanged_count, kept_count)


def _read(path: Path, parse: Callable[[dict[str, str]], dict]) -> Iterator[dict]:
    with path.open(newline="", encoding="utf-8") as lines:
        yield from map(parse, csv.DictReader(lines))


def _key(row: models.Model, table: Table) -> tuple:
    return tuple(getattr(row, name) for name in table.key_fields)


def _differs(row: models.Model, values: dict) -> bool:
    return any(getattr(row, name) != value for name, value in values.items())


def _is_edited(row: models.Model) -> bool:
    # A zone keeps no record of edits: one that differs was renamed here.
    return isinstance(row, Zone) or row.edited_at is not None


def _with_values(row: models.Model, values: dict) -> models.Model:
    for name, value in values.items():
        setattr(row, name, value)
    return row


def _zone(line: dict[str, str]) -> dict:
    return {
        "code": line["code"],
        "name": line["name"],
        "kind": line["kind"],
        "parent_id": line["parent"] or None,
    }


def _intensity(line: dict[str, str]) -> dict:
    return {
        "zone_id": line["zone"],
        "year": int(line["year"]),
        "measure": line["measure"],
        "g_per_kwh": float(line["g_per_kwh"]),
        "source": line["source"],
        "vintage": line["vintage"],
    }


def _processor(line: dict[str, str]) -> dict:
    return {
        "kind": line["kind"],
        "vendor": line["vendor"],
        "name": line["name"],
        "tdp_w": float(line["tdp_w"]),
        "core_count": int(line["core_count"]) if line["core_count"] else None,
        "memory_gb": float(line["memory_gb"]) if line["memory_gb"] else None,
        "year": int(line["year"]) if line["year"] else None,
        "source": line["source"],
    }


# Parents before children, zones before their intensities.
TABLES: Iterable[Table] = (
    Table("zones.csv", Zone, ("code",), ("name", "kind", "parent"), _zone),
    Table(
        "intensities.csv",
        CarbonIntensity,
        ("zone_id", "year", "measure"),
        ("g_per_kwh", "source", "vintage"),
        _intensity,
    ),
    Table(
        "processors.csv",
        Processor,
        ("kind", "vendor", "name"),
        ("tdp_w", "core_count", "memory_gb", "year", "source"),
        _processor,
    ),
)
