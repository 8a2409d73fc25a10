"""What the address of a history asks for: its time, its factors, its figure."""

from datetime import UTC, datetime

from benchmarks.factors import STORED, TODAY
from benchmarks.pricing import Factors, Pricing, pricing_if_any
from benchmarks.timeline import EVERYTHING, RANGES_DAYS, Timeline, TimeRange
from benchmarks.whatif import Question
from benchmarks.whatif_form import WhatIfForm, is_asked

METRICS = (("emission", "Grams"), ("energy", "Energy"), ("latency", "Latency"))


def days_of(request) -> int | None:
    """Return the days that the address limits the history to; None for all of it."""
    asked = request.GET.get("range", "")
    return int(asked) if asked in {str(days) for days in RANGES_DAYS} else None


def metric_of(request) -> str:
    """Return the figure that is looked at."""
    asked = request.GET.get("metric")
    return asked if asked in dict(METRICS) else "emission"


def tables_of(request) -> str:
    """Return which tables count: those that the figures were stored with, or today's."""
    return TODAY if request.GET.get("factors") == TODAY else STORED


def is_zoomed(request) -> bool:
    """Answer whether the address names a time of its own, from and to."""
    return _zoom(request) is not None


def range_of(request) -> TimeRange:
    """Return the time that the address asks for: the zoom, else the last so many days."""
    zoom = _zoom(request)
    return zoom if zoom is not None else _preset(request)


def whole_range_of(timeline: Timeline, request) -> tuple[datetime, datetime] | None:
    """Return how far one could look without the zoom; None where there is nothing."""
    extents = [one.whole for line in timeline.lines for one in line.stretches]
    if not extents:
        return None
    first_at = min(one.first_at for one in extents)
    begins_at = max(first_at, _preset(request).since or first_at)
    # The last run may lie before all that the preset shows.
    return begins_at, max(begins_at, *(one.last_at for one in extents))


def factors_of(request) -> Factors:
    """Return the factors that the address asks for; a question that is no question is none."""
    tables = tables_of(request)
    if not is_asked(request.GET):
        return Factors(tables)
    form = WhatIfForm(request.GET, user=request.user)
    return Factors(tables, form.question() if form.is_valid() else Question())


def prices_of(
    timeline: Timeline, factors: Factors, *, even_as_stored: bool = False
) -> tuple[Pricing, str]:
    """Return the prices for ``timeline``, and why they are not the ones asked for, if so.

    Stored figures need no prices, except where they are summed up (``even_as_stored``).
    """
    if factors.is_as_stored and not even_as_stored:
        return Pricing({}), ""
    stretches = [one for line in timeline.lines for one in line.stretches]
    return pricing_if_any([one.circumstances for one in stretches], factors)


def _preset(request) -> TimeRange:
    days = days_of(request)
    return EVERYTHING if days is None else TimeRange.of_last(days)


def _zoom(request) -> TimeRange | None:
    since, until = (_moment(request.GET.get(name, "")) for name in ("from", "to"))
    if since is None or until is None or since >= until:
        return None
    return TimeRange(since, until)


def _moment(text: str) -> datetime | None:
    """Return the moment that is so many milliseconds after 1970 began."""
    if not text.isascii() or not text.isdigit():
        return None
    try:
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
