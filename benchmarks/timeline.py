"""A model's whole history as the database tells it: its lines, their lengths, any page of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import (
    Case,
    Count,
    DateTimeField,
    Max,
    Min,
    OuterRef,
    Q,
    Subquery,
    UUIDField,
    Value,
    When,
)
from django.utils import timezone

from benchmarks.circumstances import Circumstances
from benchmarks.history import (
    Change,
    HistoryPoint,
    SeriesKey,
    age_of,
    in_series,
    key_of,
    points_of,
)
from benchmarks.lines import (
    Break,
    Extent,
    Line,
    Stretch,
    breaks_of,
    followed,
    goes_back_and_forth,
    lines_of,
)
from benchmarks.models import OnnxModel, Run
from benchmarks.querysets import CONTENTS_OF_VERSION
from benchmarks.whose_values import UNTOLD, ValuesNames

RANGES_DAYS = (1, 7, 30, 90, 365)
# A history in more circumstances than these is one of its newest ones, and says so.
CIRCUMSTANCES_LIMIT = 2000
FILE_PAGE_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From when to when, both included; None leaves an end open."""

    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of_last(cls, days: int) -> "TimeRange":
        """Return the last ``days``, from a full hour on: the same question, the same answer."""
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        return cls(since=hour - timedelta(days=days))

    @property
    def condition(self) -> Q:
        """What the runs of the range fulfil."""
        asked = {"finished_at__gte": self.since, "finished_at__lte": self.until}
        return Q(**{name: moment for name, moment in asked.items() if moment is not None})

    def holds(self, moment: datetime) -> bool:
        return (self.since is None or moment >= self.since) and (
            self.until is None or moment <= self.until
        )


EVERYTHING = TimeRange()


@dataclass(frozen=True, slots=True)
class Timeline:
    """The finished runs of a model, as lines, the line with the newest run first.

    ``total_count`` counts all runs that are followed, ``left_out_count`` those that were
    measured in so many different circumstances that the oldest of these are left out.
    """

    onnx_model: OnnxModel
    time_range: TimeRange
    lines: tuple[Line, ...]
    is_everything: bool
    left_out_count: int = 0
    names: ValuesNames = UNTOLD

    @property
    def total_count(self) -> int:
        return sum(one.whole.run_count for line in self.lines for one in line.stretches)

    @property
    def run_count(self) -> int:
        """How many runs of the range there are."""
        return sum(line.run_count for line in self.lines)

    @property
    def extent(self) -> Extent | None:
        """The runs of the range taken together; None where there are none."""
        return Extent.around([one.shown for line in self.lines for one in line.shown])

    def runs(self):
        """The runs of the range, newest first."""
        found = Run.objects.filter(self.time_range.condition, onnx_model=self.onnx_model)
        if not self.is_everything:
            ids = [one for line in self.lines for one in line.circumstances_ids]
            found = found.filter(circumstances__in=ids)
        return found.order_by("-finished_at", "-pk")

    def points(self, run_ids: Sequence) -> list[HistoryPoint]:
        """Return the points of these runs, neighbours in time, newest first, with their breaks."""
        points = self._read(Run.objects.filter(pk__in=run_ids), limit=len(run_ids))
        oldest: dict[SeriesKey, HistoryPoint] = {}
        for point in points:
            oldest.setdefault(point.key, point)
        wanted = {point.run_id for point in points}
        found = [
            point
            for series in in_series([*self._before(list(oldest.values())), *points])
            for point in series.points
            if point.run_id in wanted
        ]
        return sorted(found, key=age_of, reverse=True)

    def all_points(self) -> Iterator[HistoryPoint]:
        """Yield every point of the range, newest first, a thousand at a time."""
        page: list[HistoryPoint] = []
        while True:
            rows = self.runs()
            if page:
                last = page[-1]
                rows = rows.filter(finished_at__lte=last.measured_at).filter(
                    Q(finished_at__lt=last.measured_at) | Q(pk__lt=last.run_id)
                )
            ids = list(rows.values_list("pk", flat=True)[:FILE_PAGE_LENGTH])
            page = self.points(ids)
            yield from page
            if len(ids) < FILE_PAGE_LENGTH or not page:
                return

    def newest_of_latest_version(self) -> HistoryPoint | None:
        """Return the newest point of the highest version that has one, whatever the range."""
        stretches = [one for line in self.lines for one in line.stretches]
        if not stretches:
            return None
        number, last_at = max((one.version_number, one.whole.last_at) for one in stretches)
        ids = [one.circumstances.pk for one in stretches if one.version_number == number]
        newest = Run.objects.filter(circumstances__in=ids, finished_at=last_at)
        return next(iter(self._read(newest, limit=1)), None)

    def change_to(self, point: HistoryPoint) -> Change | None:
        """Return ``point`` beside the one before it on its line; None for the first."""
        # The one before may have come to another line since: its profile has just been deleted.
        before = [one for one in self._before([point]) if one.key == point.key]
        if not before:
            return None
        (series,) = in_series([*before, point])
        return Change(*series.points)

    @property
    def breaks(self) -> list[Break]:
        """Where in the range another machine or software was first used on a line, newest first."""
        found = [
            one
            for line in self.lines
            for one in breaks_of(line)
            if self.time_range.holds(one.measured_at)
        ]
        return sorted(found, key=lambda one: one.measured_at, reverse=True)

    @property
    def goes_back_and_forth(self) -> bool:
        """Whether a line of the range has runs on one machine between those on another."""
        return any(goes_back_and_forth(line) for line in self.lines)

    def _before(self, points: Sequence[HistoryPoint]) -> list[HistoryPoint]:
        """Return the point before each of these, at most one of a line, where there is one."""
        lines = {line.key: line for line in self.lines}
        # A line may have been told anew since it was read: its profile may just have been deleted.
        known = [point for point in points if point.key in lines]
        asked = [(lines[point.key].circumstances_ids, point) for point in known]
        if not asked:
            return []
        key_by_circumstances = {pk: point.key for ids, point in asked for pk in ids}
        earlier = Run.objects.filter(
            Q(finished_at__lt=OuterRef("asked_at")) | Q(pk__lt=OuterRef("asked_id")),
            circumstances=OuterRef("pk"),
            finished_at__lte=OuterRef("asked_at"),
        ).order_by("-finished_at", "-pk")
        rows = (
            Circumstances.objects.filter(pk__in=key_by_circumstances)
            .annotate(
                asked_at=_case(asked, "measured_at", DateTimeField()),
                asked_id=_case(asked, "run_id", UUIDField()),
                run_id=Subquery(earlier.values("pk")[:1]),
                run_at=Subquery(earlier.values("finished_at")[:1]),
            )
            .values_list("pk", "run_at", "run_id")
        )
        newest: dict[SeriesKey, tuple] = {}
        for pk, run_at, run_id in (row for row in rows if row[-1]):
            key = key_by_circumstances[pk]
            newest[key] = max(newest.get(key, (run_at, run_id)), (run_at, run_id))
        ids = [run_id for _, run_id in newest.values()]
        return self._read(Run.objects.filter(pk__in=ids), limit=len(ids))

    def _read(self, runs, *, limit: int) -> list[HistoryPoint]:
        return points_of(runs, limit=limit, names=self.names)


def timeline_of(
    onnx_model: OnnxModel, time_range: TimeRange = EVERYTHING, *, user=None
) -> Timeline:
    """Return the history of ``onnx_model`` in ``time_range``, in two queries however long it is.

    It is called as ``user`` may be told it; None for a stranger.
    """
    rows = list(_counted(onnx_model, time_range)[: CIRCUMSTANCES_LIMIT + 1])
    kept = {row["circumstances_id"]: row for row in rows[:CIRCUMSTANCES_LIMIT]}
    found = list(_with_versions(Circumstances.objects.filter(pk__in=kept)))
    in_order = sorted(found, key=lambda one: (kept[one.pk]["first_at"], one.pk))
    names = ValuesNames.of(onnx_model, [one.values_sha256 for one in in_order], user=user)
    stretches = [_stretch(one, kept[one.pk], names) for one in found]
    lines = followed(lines_of(stretches))
    left_out_count = 0
    if len(rows) > CIRCUMSTANCES_LIMIT:
        every_run = Run.objects.filter(onnx_model=onnx_model).count()
        left_out_count = every_run - sum(one.whole.run_count for one in stretches)
    return Timeline(
        onnx_model=onnx_model,
        time_range=time_range,
        lines=lines,
        is_everything=not left_out_count
        and len(stretches) == sum(len(line.stretches) for line in lines),
        left_out_count=left_out_count,
        names=names,
    )


def _with_versions(circumstances):
    """With their versions, but for what the files are made of."""
    return circumstances.select_related("version").defer(*CONTENTS_OF_VERSION)


def _counted(onnx_model: OnnxModel, time_range: TimeRange):
    """How many runs there are in each circumstances, those with the newest run first."""
    counts = {
        "run_count": Count("pk"),
        "first_at": Min("finished_at"),
        "last_at": Max("finished_at"),
        "apart_count": Count("pk", filter=Q(sweep__isnull=True)),
    }
    if time_range != EVERYTHING:
        is_shown = time_range.condition
        counts |= {
            "shown_count": Count("pk", filter=is_shown),
            "shown_first_at": Min("finished_at", filter=is_shown),
            "shown_last_at": Max("finished_at", filter=is_shown),
        }
    runs = Run.objects.filter(onnx_model=onnx_model, circumstances__isnull=False)
    return (
        runs.values("circumstances_id").annotate(**counts).order_by("-last_at", "-circumstances_id")
    )


def _stretch(circumstances: Circumstances, row: dict, names: ValuesNames) -> Stretch:
    whole = Extent(row["run_count"], row["first_at"], row["last_at"])
    shown: Extent | None = whole
    if "shown_count" in row:
        shown = (
            Extent(row["shown_count"], row["shown_first_at"], row["shown_last_at"])
            if row["shown_count"]
            else None
        )
    return Stretch(
        circumstances=circumstances,
        key=key_of(circumstances, names),
        whole=whole,
        shown=shown,
        is_followed=row["apart_count"] > 0,
    )


def _case(asked: Iterable[tuple[list[int], HistoryPoint]], name: str, field) -> Case:
    """The attribute ``name`` of the point that is asked about for each circumstances' line."""
    return Case(
        *(When(pk__in=ids, then=Value(getattr(point, name), field)) for ids, point in asked),
        output_field=field,
    )
