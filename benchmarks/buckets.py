"""What a chart of a history holds: single runs on short lines, sums of many on long ones.

A bucket stands for the runs of one stretch of time in the same circumstances, so its grams are
its latencies times one factor. The database forms the buckets, and never reads the wide rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection
from django.db.models import Count, F, Func, IntegerField, Window
from django.db.models.functions import RowNumber

from benchmarks.circumstances import Circumstances
from benchmarks.history import HistoryPoint
from benchmarks.lines import Line, Stretch
from benchmarks.models import Run
from benchmarks.timeline import Timeline

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
# How long a bucket may be. Whole minutes, hours, days and weeks of UTC, whatever the range: so
# that a bucket stays the same one when the range moves.
WIDTHS_S = (
    MINUTE_S,
    5 * MINUTE_S,
    15 * MINUTE_S,
    HOUR_S,
    3 * HOUR_S,
    6 * HOUR_S,
    12 * HOUR_S,
    DAY_S,
    2 * DAY_S,
    7 * DAY_S,
    14 * DAY_S,
    28 * DAY_S,
    91 * DAY_S,
    364 * DAY_S,
)
# The first Monday of 1970: weeks begin on one.
FIRST_MONDAY_S = 4 * DAY_S

SUMMED_UP = """
SELECT circumstances_id, slot, COUNT(*), MIN(finished_at), MAX(finished_at), MIN(latency_s),
       {median}, MAX(latency_s)
FROM ({found}) AS found
GROUP BY circumstances_id, slot
ORDER BY circumstances_id, slot
"""
# PostgreSQL knows the median, and finds it in half the time of numbering the rows.
MEDIAN = "percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_s)"
MEDIAN_BY_PLACE = """
AVG(CASE WHEN place IN ((size + 1) / 2, (size + 2) / 2) THEN latency_s END)
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How much a chart may hold: runs one by one, buckets, lines."""

    run_count: int = 400
    bucket_count: int = 320
    line_count: int = 24

    @property
    def halved(self) -> "Size":
        return Size(self.run_count // 2, self.bucket_count // 2, max(1, self.line_count // 2))


@dataclass(frozen=True, slots=True)
class Bucket:
    """The runs of some time in the same circumstances.

    Of an even number the median is the mean of the middle two.
    """

    circumstances: Circumstances
    first_at: datetime
    last_at: datetime
    run_count: int
    min_s: float
    median_s: float
    max_s: float


@dataclass(frozen=True, slots=True)
class ChartLine:
    """A line run by run, or in buckets: by machine and software first, then by time."""

    line: Line
    points: tuple[HistoryPoint, ...] = ()
    buckets: tuple[Bucket, ...] = ()

    @property
    def run_count(self) -> int:
        return len(self.points) + sum(one.run_count for one in self.buckets)


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn of a timeline's range; ``width_s`` is None where all is drawn run by run."""

    timeline: Timeline
    lines: tuple[ChartLine, ...]
    width_s: int | None = None

    @property
    def covered_count(self) -> int:
        """How many runs are drawn, by themselves or in a bucket."""
        return sum(line.run_count for line in self.lines)

    @property
    def stretches(self) -> list[Stretch]:
        """Those of which something is drawn."""
        drawn_ids = {one.circumstances_id for drawn in self.lines for one in drawn.points}
        drawn_ids |= {one.circumstances.pk for drawn in self.lines for one in drawn.buckets}
        return [
            one
            for drawn in self.lines
            for one in drawn.line.shown
            if one.circumstances.pk in drawn_ids
        ]


def chart_of(timeline: Timeline, size: Size | None = None) -> Chart:
    """Return the range of ``timeline`` within ``size``, in a fixed number of queries.

    The newest lines come first; short ones are told run by run as long as there is room, the
    others in the shortest buckets that fit. Where even the longest do not, because of many
    changes of circumstances, the oldest circumstances are left out.
    """
    size = size or Size()
    lines = [line for line in timeline.lines if line.run_count][: size.line_count]
    single = _told_singly(lines, size.run_count)
    long = [line for line in lines if line not in single]
    stretches = [one for line in long for one in line.shown]
    width_s, stretches = _fitted(stretches, size.bucket_count)
    points = _points(timeline, single)
    buckets = _buckets(timeline, stretches, width_s) if stretches else []
    drawn = [
        ChartLine(line, points=tuple(one for one in points if one.key == line.key))
        if line in single
        else ChartLine(line, buckets=tuple(_of_line(buckets, line)))
        for line in lines
    ]
    return Chart(timeline, tuple(drawn), width_s if stretches else None)


def slot_of(moment: datetime, width_s: int) -> int:
    """Return the number of the bucket of ``width_s`` in which ``moment`` lies."""
    return (int(moment.timestamp()) - FIRST_MONDAY_S) // width_s


def _told_singly(lines: Iterable[Line], room: int) -> list[Line]:
    """Return the shortest lines that have room together, run by run."""
    kept = []
    for line in sorted(lines, key=lambda line: line.run_count):
        room -= line.run_count
        if room < 0:
            break
        kept.append(line)
    return kept


def _fitted(stretches: Sequence[Stretch], limit: int) -> tuple[int, list[Stretch]]:
    """Return the shortest width at which ``stretches`` make at most ``limit`` buckets.

    They make no more than a bucket for each run, nor for each slot from the first to the last.
    """
    newest = sorted(
        stretches, key=lambda one: (one.shown.last_at, one.circumstances.pk), reverse=True
    )
    for width_s in WIDTHS_S:
        if sum(_most(one, width_s) for one in newest) <= limit:
            return width_s, newest
    kept = []
    for one in newest:
        limit -= _most(one, WIDTHS_S[-1])
        if limit < 0:
            break
        kept.append(one)
    return WIDTHS_S[-1], kept


def _most(stretch: Stretch, width_s: int) -> int:
    shown = stretch.shown
    slots = slot_of(shown.last_at, width_s) - slot_of(shown.first_at, width_s) + 1
    return min(shown.run_count, slots)


def _points(timeline: Timeline, lines: Sequence[Line]) -> list[HistoryPoint]:
    """Return the points of these lines, oldest first."""
    ids = [one.circumstances.pk for line in lines for one in line.shown]
    runs = timeline.runs().filter(circumstances__in=ids) if ids else Run.objects.none()
    return timeline.points(list(runs.values_list("pk", flat=True)))[::-1]


def _buckets(timeline: Timeline, stretches: Sequence[Stretch], width_s: int) -> list[Bucket]:
    by_id = {one.circumstances.pk: one.circumstances for one in stretches}
    found = (
        timeline.runs()
        .order_by()
        .filter(circumstances__in=by_id)
        .annotate(slot=Slot(F("finished_at"), width_s=width_s))
    )
    columns, median = ["circumstances_id", "finished_at", "latency_s", "slot"], MEDIAN
    if connection.vendor != "postgresql":
        found, median = _with_places(found), MEDIAN_BY_PLACE
        columns += ["place", "size"]
    inner, parameters = found.values(*columns).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(SUMMED_UP.format(found=inner, median=median), parameters)
        rows = cursor.fetchall()
    return [
        Bucket(by_id[pk], _moment(first_at), _moment(last_at), run_count, *latencies_s)
        for pk, _, run_count, first_at, last_at, *latencies_s in rows
    ]


def _with_places(runs):
    """With the place of each run among its bucket's, the fastest first, and how many they are."""
    group = [F("circumstances_id"), F("slot")]
    return runs.annotate(
        place=Window(RowNumber(), partition_by=group, order_by=F("latency_s").asc()),
        size=Window(Count("*"), partition_by=group),
    )


def _moment(stored: datetime | str) -> datetime:
    """SQLite keeps moments as text, which nobody reads back in a query of our own."""
    if isinstance(stored, datetime):
        return stored
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)


def _of_line(buckets: Iterable[Bucket], line: Line) -> list[Bucket]:
    """Return a line's buckets: each machine's and software's together, in the order of time."""
    order = {}
    for one in line.shown:
        order.setdefault(one.surroundings, len(order))
    place = {one.circumstances.pk: order[one.surroundings] for one in line.shown}
    own = [one for one in buckets if one.circumstances.pk in place]
    return sorted(
        own,
        key=lambda one: (
            place[one.circumstances.pk],
            one.first_at,
            one.last_at,
            one.circumstances.pk,
        ),
    )


class Slot(Func):
    """The number of the bucket of ``width_s`` in which a moment lies (see ``slot_of``)."""

    output_field = IntegerField()

    def __init__(self, moment, *, width_s: int):
        super().__init__(moment, offset_s=FIRST_MONDAY_S, width_s=width_s)

    def as_postgresql(self, compiler, connection, **extra):
        """Whole seconds first, then whole numbers: no rounding at the edges."""
        template = (
            "(floor(date_part('epoch', %(expressions)s))::bigint - %(offset_s)s) / %(width_s)s"
        )
        return super().as_sql(compiler, connection, template=template, **extra)

    def as_sqlite(self, compiler, connection, **extra):
        """The same of SQLite's moments, which are texts; it would round what is below a second."""
        template = (
            "(CAST(strftime('%%%%s', substr(%(expressions)s, 1, 19)) AS INTEGER) - %(offset_s)s)"
            " / %(width_s)s"
        )
        return super().as_sql(compiler, connection, template=template, **extra)
