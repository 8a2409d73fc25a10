"""A model's history and a run's ranking as files that a spreadsheet opens, and opens safely."""

import csv
import io
from collections.abc import Iterable

from benchmarks.history import HistoryPoint
from benchmarks.ranking import Place

COLUMNS = (
    "run",
    "measured_at",
    "version",
    "version_label",
    "profile",
    "batch_size",
    "intra_op_threads",
    "latency_s",
    "median_s",
    "ci95_low_s",
    "ci95_high_s",
    "energy_kwh",
    "intensity_g_per_kwh",
    "emission_g",
    "machine",
    "onnxruntime",
    "break_reason",
    "grade",
)
RANKING_COLUMNS = (
    "rank",
    "zone",
    "name",
    "kind",
    "country",
    "year",
    "measure",
    "intensity_g_per_kwh",
    "energy_kwh",
    "emission_g",
    "is_the_runs_own",
    "source",
)
# Spreadsheets take a cell that begins so for a formula (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def history_csv(points: Iterable[HistoryPoint]) -> str:
    """Return ``points`` as CSV with a header, in the units that the columns name."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_row(point) for point in points)
    return text.getvalue()


def ranking_csv(places: Iterable[Place], *, energy_kwh: float) -> str:
    """Return ``places`` as CSV with a header; the energy of one inference is the same in all."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(RANKING_COLUMNS)
    writer.writerows(
        [
            place.rank or "",
            place.zone.pk,
            _plain(place.zone.name),
            place.zone.kind,
            place.zone.parent_id or "",
            place.year,
            place.measure,
            place.g_per_kwh,
            energy_kwh,
            place.emission_g,
            "yes" if place.is_mine else "no",
            _plain(place.source),
        ]
        for place in places
    )
    return text.getvalue()


def _row(point: HistoryPoint) -> list:
    return [
        point.run_id,
        point.measured_at.isoformat(),
        point.version_number,
        _plain(point.version_label),
        _plain(point.profile_name),
        point.key.batch_size,
        point.key.intra_op_threads,
        point.latency_s,
        point.median_s,
        point.ci95_low_s,
        point.ci95_high_s,
        point.energy_kwh,
        point.intensity_g_per_kwh,
        point.emission_g,
        _plain(point.machine),
        _plain(point.runtime),
        _plain(point.break_reason),
        point.grade,
    ]


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
