"""The shapes in which figures travel to a chart: compact JSON, and the points of a sparkline."""

from collections.abc import Sequence

from benchmarks.breakdown import Breakdown, Part, bars_of
from benchmarks.history import History, HistoryPoint, HistorySeries
from footprint.samples import Bin

# A chart shows three figures; the fourth and fifth keep the tooltip's rounding right.
PAYLOAD_DIGITS = 6
SPARKLINE_WIDTH = 120
SPARKLINE_HEIGHT = 32
SPARKLINE_MARGIN = 3

# The order of the values in each row of a series; static/js/chart.js reads it from the payload.
HISTORY_COLUMNS = (
    "run",
    "at_ms",
    "version",
    "latency_s",
    "low_s",
    "high_s",
    "energy_kwh",
    "emission_g",
    "machine",
    "break_reason",
    "grade",
)


def history_chart(history: History) -> dict:
    """Return the payload of the history chart: one row per run, machines named once."""
    machines = sorted({point.machine for point in history.points})
    return {
        "columns": HISTORY_COLUMNS,
        "machines": machines,
        "versions": _versions(history),
        "series": [_series(series, machines) for series in history.series],
        "is_cut": history.is_cut,
    }


def histogram_chart(bins: Sequence[Bin]) -> list[dict]:
    """Return the payload of the histogram of a run's samples."""
    return [
        {"low_s": one.low_s, "high_s": one.high_s, "count": one.count, "is_tail": one.is_tail}
        for one in bins
    ]


def breakdown_chart(breakdown: Breakdown) -> dict:
    """Return the payload of the bars of operators and of layers."""
    return {
        "operator": _bars(bars_of(breakdown.operators)),
        "layer": _bars(bars_of(breakdown.layers, breakdown.other_layers)),
    }


def _bars(parts: Sequence[Part]) -> list[dict]:
    return [
        {
            "label": part.label,
            "operator": part.operator,
            "time_ratio": _short(part.time_ratio),
            "emission_g": _short(part.emission_g),
            "mac_count": part.mac_count,
        }
        for part in parts
    ]


def sparkline_points(values: Sequence[float]) -> str:
    """Return ``values`` as the ``points`` of an SVG polyline; empty for fewer than two.

    >>> sparkline_points([1.0, 2.0])
    '3,29 117,3'
    """
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    step = (SPARKLINE_WIDTH - 2 * SPARKLINE_MARGIN) / (len(values) - 1)
    height = SPARKLINE_HEIGHT - 2 * SPARKLINE_MARGIN
    places = [
        # A flat line runs through the middle.
        (index, (value - low) / (high - low) if high > low else 0.5)
        for index, value in enumerate(values)
    ]
    return " ".join(
        f"{SPARKLINE_MARGIN + index * step:.4g},{SPARKLINE_MARGIN + (1 - place) * height:.4g}"
        for index, place in places
    )


def _versions(history: History) -> list[dict]:
    """Return where each version was first measured, for the markers."""
    first_by_number: dict[int, HistoryPoint] = {}
    for point in reversed(history.points):
        first_by_number.setdefault(point.version_number, point)
    return [
        {"number": number, "title": point.version_title, "at_ms": _milliseconds(point)}
        for number, point in sorted(first_by_number.items())
    ]


def _series(series: HistorySeries, machines: list[str]) -> dict:
    return {
        "label": series.label,
        "points": [_row(point, machines) for point in series.points],
    }


def _row(point: HistoryPoint, machines: list[str]) -> list:
    return [
        point.run_id,
        _milliseconds(point),
        point.version_number,
        _short(point.latency_s),
        _short(point.ci95_low_s),
        _short(point.ci95_high_s),
        _short(point.energy_kwh),
        _short(point.emission_g),
        machines.index(point.machine),
        point.break_reason,
        point.grade,
    ]


def _milliseconds(point: HistoryPoint) -> int:
    return round(point.measured_at.timestamp() * 1000)


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{PAYLOAD_DIGITS}g}")
