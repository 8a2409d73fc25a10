"""A model's history as a file that a spreadsheet opens, and opens safely."""

import csv
import io
from collections.abc import Iterable

from benchmarks.history import HistoryPoint

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
    ]


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
