"""The shapes in which figures travel to a chart: compact JSON, and the points of a sparkline."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from benchmarks.breakdown import Breakdown, Part, bars_of
from benchmarks.buckets import Bucket, Chart, ChartLine, Size, chart_of
from benchmarks.circumstances import Circumstances
from benchmarks.history import HistoryPoint
from benchmarks.lines import Stretch
from benchmarks.pricing import Pricing
from benchmarks.timeline import Timeline
from footprint.samples import Bin

# A chart shows three figures; the fourth and fifth keep the tooltip's rounding right.
PAYLOAD_DIGITS = 6
PAYLOAD_LIMIT_BYTES = 100_000
SPARKLINE_WIDTH = 120
SPARKLINE_HEIGHT = 32
SPARKLINE_MARGIN = 3
# A line that moves by less than this share of its figure does not fill the height: scatter of
# a percent is not to look like a cliff.
SPARKLINE_SPAN_RATIO = 0.1

# The order of the values in each row of a series; the page reads it from the payload.
BUCKET_COLUMNS = (
    "from_ms",
    "to_ms",
    "circumstances",
    "run_count",
    "min_s",
    "median_s",
    "max_s",
)
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


def history_json(
    timeline: Timeline, pricing: Pricing, whole: tuple[datetime, datetime] | None = None
) -> str:
    """Return the payload of the history chart as JSON, no longer than PAYLOAD_LIMIT_BYTES.

    ``whole`` is how far one can look beyond the range.

    Names as long as allowed, in hundreds of versions, make room for fewer points.
    """
    size = Size()
    while True:
        payload = history_chart(chart_of(timeline, size), pricing) | {
            "from_ms": _from_ms(whole[0]) if whole else None,
            "to_ms": _to_ms(whole[1]) if whole else None,
        }
        text = json.dumps(payload, separators=(",", ":"))
        if len(text) <= PAYLOAD_LIMIT_BYTES or size.bucket_count <= 1:
            return text
        size = size.halved


def history_chart(chart: Chart, pricing: Pricing) -> dict:
    """Return the payload of the history chart: a row per run or bucket, machines named once.

    A bucket's row holds latencies; the rest follows from the factors of its circumstances.
    """
    circumstances = [one.circumstances for one in chart.stretches]
    # A run that has been re-priced since is told in circumstances that are not among these.
    points = [point for drawn in chart.lines for point in drawn.points]
    machines = sorted({one.machine for one in (*circumstances, *points)})
    places = {one.pk: index for index, one in enumerate(circumstances)}
    return {
        "columns": HISTORY_COLUMNS,
        "bucket_columns": BUCKET_COLUMNS,
        "machines": machines,
        "versions": _versions(chart),
        "circumstances": [
            _circumstances(one, machines, pricing) for one in circumstances if chart.width_s
        ],
        "series": [_series(drawn, machines, places, pricing) for drawn in chart.lines],
        "run_count": chart.timeline.run_count,
        "covered_count": chart.covered_count,
        "bucket_width_s": chart.width_s,
    }


def chart_rows(chart: Chart, pricing: Pricing, figure: str) -> list["ChartRow"]:
    """Return what the chart draws of ``figure``, energy, emission or latency, newest first."""
    rows = [_point_row(pricing.applied_to(one), figure) for d in chart.lines for one in d.points]
    rows += [_bucket_row(one, d, pricing, figure) for d in chart.lines for one in d.buckets]
    return sorted(rows, key=lambda row: (row.last_at, row.first_at, row.line), reverse=True)


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
    span = max(high - low, SPARKLINE_SPAN_RATIO * high)
    bottom = (low + high - span) / 2
    step = (SPARKLINE_WIDTH - 2 * SPARKLINE_MARGIN) / (len(values) - 1)
    height = SPARKLINE_HEIGHT - 2 * SPARKLINE_MARGIN
    places = [
        (index, (value - bottom) / span if span > 0 else 0.5) for index, value in enumerate(values)
    ]
    return " ".join(
        f"{SPARKLINE_MARGIN + index * step:.4g},{SPARKLINE_MARGIN + (1 - place) * height:.4g}"
        for index, place in places
    )


@dataclass(frozen=True, slots=True)
class ChartRow:
    """A point of the chart as a row of a table; ``run_id`` where it is one run by itself."""

    first_at: datetime
    last_at: datetime
    line: str
    version: str
    machine: str
    run_count: int
    lowest: float
    median: float
    highest: float
    run_id: str | None = None

    @property
    def from_ms(self) -> int:
        return _from_ms(self.first_at)

    @property
    def to_ms(self) -> int:
        return _to_ms(self.last_at)


def _point_row(point: HistoryPoint, figure: str) -> ChartRow:
    value = {
        "energy": point.energy_kwh,
        "emission": point.emission_g,
        "latency": point.latency_s,
    }[figure]
    return ChartRow(
        first_at=point.measured_at,
        last_at=point.measured_at,
        line=f"{point.profile_name}, {point.key.settings_label}",
        version=point.version_title,
        machine=point.machine,
        run_count=1,
        lowest=value,
        median=value,
        highest=value,
        run_id=point.run_id,
    )


def _bucket_row(bucket: Bucket, drawn: ChartLine, pricing: Pricing, figure: str) -> ChartRow:
    lowest, median, highest = (
        bucket_figures(bucket, latency_s, pricing)[figure]
        for latency_s in (bucket.min_s, bucket.median_s, bucket.max_s)
    )
    return ChartRow(
        first_at=bucket.first_at,
        last_at=bucket.last_at,
        line=drawn.line.label,
        version=bucket.circumstances.version.title,
        machine=bucket.circumstances.machine,
        run_count=bucket.run_count,
        lowest=lowest,
        median=median,
        highest=highest,
    )


def bucket_figures(bucket: Bucket, latency_s: float, pricing: Pricing) -> dict[str, float]:
    """Return what an inference of ``latency_s`` comes to in the circumstances of ``bucket``."""
    energy_kwh, emission_g = pricing.figures(bucket.circumstances, latency_s)
    return {"energy": energy_kwh, "emission": emission_g, "latency": latency_s}


def _versions(chart: Chart) -> list[dict]:
    """Return where each version was first measured, for the markers."""
    first_by_number: dict[int, Stretch] = {}
    for one in chart.stretches:
        known = first_by_number.get(one.version_number, one)
        first = min(known, one, key=lambda stretch: stretch.shown.first_at)
        first_by_number[one.version_number] = first
    return [
        {
            "number": number,
            "title": one.circumstances.version.title,
            "at_ms": _milliseconds(one.shown.first_at),
        }
        for number, one in sorted(first_by_number.items())
    ]


def _circumstances(one: Circumstances, machines: list[str], pricing: Pricing) -> dict:
    # Energy and emission are the latency times a factor: what a second would come to.
    energy_kwh, emission_g = pricing.figures(one, 1.0)
    return {
        "version": one.version.number,
        "machine": machines.index(one.machine),
        "runtime": one.runtime,
        "surroundings": f"{one.machine_fingerprint[:8]} {one.software_fingerprint[:8]}",
        "energy_kwh_per_s": energy_kwh,
        "emission_g_per_s": emission_g,
    }


def _series(drawn: ChartLine, machines: list[str], places: dict, pricing: Pricing) -> dict:
    label = {"label": drawn.line.label}
    if drawn.buckets:
        return label | {"buckets": [_bucket(one, places) for one in drawn.buckets]}
    points = [pricing.applied_to(point) for point in drawn.points]
    return label | {"points": [_row(point, machines) for point in points]}


def _bucket(bucket: Bucket, places: dict[int, int]) -> list:
    return [
        _from_ms(bucket.first_at),
        _to_ms(bucket.last_at),
        places[bucket.circumstances.pk],
        bucket.run_count,
        _short(bucket.min_s),
        _short(bucket.median_s),
        _short(bucket.max_s),
    ]


def _row(point: HistoryPoint, machines: list[str]) -> list:
    return [
        point.run_id,
        _milliseconds(point.measured_at),
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


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _from_ms(moment: datetime) -> int:
    """A range from here on holds the run at ``moment``."""
    return math.floor(moment.timestamp() * 1000)


def _to_ms(moment: datetime) -> int:
    """A range up to here holds the run at ``moment``."""
    return math.floor(moment.timestamp() * 1000) + 1


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{PAYLOAD_DIGITS}g}")
