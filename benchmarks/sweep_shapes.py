"""The shapes in which a sweep travels: the payload of its chart, and a CSV file."""

import csv
import io

from benchmarks.sweep_reports import Cell, SweepReport, series_by_threads
from hardware.cells import plain_cell

CSV_COLUMNS = (
    "run",
    "status",
    "batch_size",
    "intra_op_threads",
    "latency_s",
    "ci95_low_s",
    "ci95_high_s",
    "throughput_per_s",
    "energy_kwh",
    "emission_g",
    "change_ratio",
    "is_within_noise",
    "is_knee",
    "failure",
)


def sweep_chart(report: SweepReport) -> dict:
    """Return the payload of the chart: a line of points for each thread count."""
    knee = report.knee
    return {
        "series": [
            {"threads": thread_count, "points": [_point(cell) for cell in cells]}
            for thread_count, cells in series_by_threads(report.cells).items()
        ],
        "knee": knee
        and {"batch_size": knee.setting.batch_size, "threads": knee.setting.thread_count},
    }


def sweep_csv(report: SweepReport) -> str:
    """Return the table of a sweep as CSV with a header, in the units that the columns name."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(CSV_COLUMNS)
    writer.writerows(_row(cell) for cell in report.cells)
    return text.getvalue()


def _point(cell: Cell) -> dict:
    interval = cell.setting.interval
    return {
        "batch_size": cell.setting.batch_size,
        "emission_g": cell.setting.emission_g,
        "low_g": interval and interval.low,
        "high_g": interval and interval.high,
        "latency_s": cell.run.measurement.mean_s,
        "url": cell.run.get_absolute_url(),
    }


def _row(cell: Cell) -> list:
    run = cell.run
    return [
        run.pk,
        run.status,
        run.batch_size,
        run.intra_op_threads,
        *_figures(cell),
        cell.change_ratio,
        cell.is_within_noise,
        cell.is_knee,
        plain_cell(run.failure_message),
    ]


def _figures(cell: Cell) -> list:
    if cell.setting is None:
        return [None] * 6
    found, estimate = cell.run.measurement, cell.run.estimate
    return [
        found.mean_s,
        found.ci95_low_s,
        found.ci95_high_s,
        found.throughput_per_s,
        estimate.energy_kwh,
        estimate.emission_g,
    ]
