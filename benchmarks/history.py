"""What a model's runs say over time: lines of comparable points, their breaks, and change."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from uuid import UUID

from django.db.models import F
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.utils import timezone

from benchmarks.grading import letter_of_row
from benchmarks.models import OnnxModel, Run
from footprint.comparison import Interval, is_within_noise, ratio_change

# The chart, its table and the CSV speak of the newest runs up to this many, and say so.
POINT_LIMIT = 2000
RANGES_DAYS = (7, 30, 90)

# A point's fields, and the column each is read from.
COLUMN_BY_FIELD = {
    "run_id": "pk",
    "onnx_model_id": "version__onnx_model_id",
    "measured_at": "finished_at",
    "version_number": "version__number",
    "version_label": "version__label",
    "latency_s": "estimates__latency_s",
    "median_s": "measurement__median_s",
    "ci95_low_s": "measurement__ci95_low_s",
    "ci95_high_s": "measurement__ci95_high_s",
    "energy_kwh": "estimates__energy_kwh",
    "emission_g": "estimates__emission_g",
    "intensity_g_per_kwh": "estimates__intensity_g_per_kwh",
    "machine_fingerprint": "measurement__machine_fingerprint",
    "software_fingerprint": "measurement__software_fingerprint",
    "sweep_id": "sweep_id",
}
# What a point's grade is worked out from, beside the fields above.
GRADE_COLUMNS = {
    "quiet_ratio": F("measurement__quiet_ratio"),
    "is_noisy": F("measurement__is_noisy"),
    "intensity_year": F("estimates__intensity_year"),
    "intensity_measure": F("estimates__intensity_measure"),
    "is_intensity_fallback": F("estimates__is_intensity_fallback"),
    "run_queued_at": F("queued_at"),
    "cpu_name": KeyTextTransform("name", KeyTransform("cpu", "assumptions")),
    "cpu_source": KeyTextTransform("source", KeyTransform("cpu", "assumptions")),
}
SETTING_FIELDS = (
    "profile_id",
    "batch_size",
    "intra_op_threads",
    "input_choices",
    "values_name",
    "values_sha256",
)


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """What runs must share to stand on one line: the profile and the settings.

    The effort is not among them: it changes how sure the figure is, not what it means.
    """

    profile: str
    batch_size: int
    intra_op_threads: int
    inputs: str
    # Of the real inputs, where there were any; the hash tells them apart, the name is for people.
    values_sha256: str = ""
    values_name: str = field(default="", compare=False)

    @property
    def settings_label(self) -> str:
        """The settings in a few words, for a legend."""
        threads = "1 thread" if self.intra_op_threads == 1 else f"{self.intra_op_threads} threads"
        parts = [f"batch {self.batch_size}", threads]
        if self.inputs:
            dims = json.loads(self.inputs).get("dims", {})
            parts += [f"{name} = {size}" for name, size in dims.items()] or ["own inputs"]
        if self.values_sha256:
            parts.append(f"fed “{self.values_name}”")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """One finished run as the history shows it; energy and emission are per inference."""

    run_id: str
    onnx_model_id: str
    measured_at: datetime
    version_number: int
    version_label: str
    profile_name: str
    key: SeriesKey
    latency_s: float
    median_s: float
    ci95_low_s: float | None
    ci95_high_s: float | None
    energy_kwh: float
    emission_g: float
    intensity_g_per_kwh: float
    machine: str
    machine_fingerprint: str
    runtime: str
    software_fingerprint: str
    # The sweep that asked for the run; None where it was asked for by itself.
    sweep_id: UUID | None = None
    # Why this point is not joined to the one before it; empty where it is.
    break_reason: str = ""
    # How sure the figure is, A to D (benchmarks.grading).
    grade: str = ""

    @property
    def version_title(self) -> str:
        return f"v{self.version_number} {self.version_label}".strip()

    @property
    def emission_interval(self) -> Interval | None:
        """The 95 % interval of the latency, carried over to grams; None where unknown."""
        if self.ci95_low_s is None or self.ci95_high_s is None:
            return None
        g_per_s = self.emission_g / self.latency_s
        return Interval(low=self.ci95_low_s * g_per_s, high=self.ci95_high_s * g_per_s)


@dataclass(frozen=True, slots=True)
class HistorySeries:
    """The comparable runs of one profile with one set of settings, oldest first."""

    key: SeriesKey
    points: tuple[HistoryPoint, ...]

    @property
    def profile_name(self) -> str:
        return self.points[-1].profile_name

    @property
    def label(self) -> str:
        return f"{self.profile_name}, {self.key.settings_label}"

    @property
    def breaks(self) -> tuple[HistoryPoint, ...]:
        """The points at which the line begins anew."""
        return tuple(point for point in self.points if point.break_reason)


@dataclass(frozen=True, slots=True)
class Change:
    """A figure beside the one before it on the same line."""

    before: HistoryPoint
    after: HistoryPoint

    @property
    def emission_ratio(self) -> float | None:
        """The change of the grams as a share of what they were; None from a true zero."""
        if self.before.emission_g == 0:
            return None
        return ratio_change(before=self.before.emission_g, after=self.after.emission_g)

    @property
    def size_ratio(self) -> float | None:
        """How large the change is, whichever way it goes."""
        return None if self.emission_ratio is None else abs(self.emission_ratio)

    @property
    def is_increase(self) -> bool:
        return self.after.emission_g > self.before.emission_g

    @property
    def is_within_noise(self) -> bool | None:
        """Whether the intervals overlap; None where one of them is not known."""
        before, after = self.before.emission_interval, self.after.emission_interval
        return None if before is None or after is None else is_within_noise(before, after)

    @property
    def break_reason(self) -> str:
        """Why the two cannot honestly be compared; empty where they can."""
        return self.after.break_reason


@dataclass(frozen=True, slots=True)
class History:
    """The finished runs of a model, as lines; ``is_cut`` when older ones were left out."""

    series: tuple[HistorySeries, ...]
    is_cut: bool = False

    @property
    def points(self) -> list[HistoryPoint]:
        """Every point of every line, newest first."""
        points = (point for series in self.series for point in series.points)
        return sorted(points, key=_age, reverse=True)

    @property
    def breaks(self) -> list[HistoryPoint]:
        """Every point at which a line begins anew, newest first."""
        return [point for point in self.points if point.break_reason]

    def of_last(self, days: int | None) -> "History":
        """Return what was measured in the last ``days``; None means all of it."""
        if days is None:
            return self
        since = timezone.now() - timedelta(days=days)
        kept = (
            tuple(point for point in series.points if point.measured_at >= since)
            for series in self.series
        )
        series = tuple(HistorySeries(points[0].key, points) for points in kept if points)
        is_cut = self.is_cut and self.points[-1].measured_at >= since
        return History(series, is_cut)

    def change_to(self, point: HistoryPoint) -> Change | None:
        """Return ``point`` beside the one before it on its line; None for the first."""
        for series in self.series:
            if series.key == point.key and point.onnx_model_id == series.points[0].onnx_model_id:
                for before, after in pairwise(series.points):
                    if after.run_id == point.run_id:
                        return Change(before, after)
        return None

    def newest_of_latest_version(self) -> HistoryPoint | None:
        """Return the newest point of the highest version that has one."""
        return max(self.points, key=lambda point: (point.version_number, _age(point)), default=None)


def history_of(onnx_model: OnnxModel) -> History:
    """Return the history of ``onnx_model``, in one query."""
    points = points_of(Run.objects.filter(version__onnx_model=onnx_model), limit=POINT_LIMIT + 1)
    series = followed_lines(in_series(points[-POINT_LIMIT:]))
    return History(series=series, is_cut=len(points) > POINT_LIMIT)


def followed_lines(series: Sequence[HistorySeries]) -> tuple[HistorySeries, ...]:
    """Return the lines that somebody follows over time; the other settings of sweeps are left out.

    A dozen settings measured once each would be a dozen lines of one point, and the last of
    them would pass for the model's newest figure. Where a model was only ever swept, the
    smallest settings stand for it.
    """
    followed = tuple(one for one in series if any(point.sweep_id is None for point in one.points))
    if followed or not series:
        return followed
    smallest = min((one.key.batch_size, one.key.intra_op_threads) for one in series)
    return tuple(
        one for one in series if (one.key.batch_size, one.key.intra_op_threads) == smallest
    )


def points_of(runs, *, limit: int) -> list[HistoryPoint]:
    """Return the newest ``limit`` finished runs among ``runs`` as points, oldest first."""
    rows = (
        runs.done()
        .filter(estimates__is_headline=True)
        .order_by("-finished_at", "-id")
        .values(
            *SETTING_FIELDS,
            **{f"point_{field}": F(column) for field, column in COLUMN_BY_FIELD.items()},
            **GRADE_COLUMNS,
            point_profile_name=KeyTextTransform("profile_name", "assumptions"),
            point_machine=KeyTextTransform("cpu", "measurement__machine"),
            point_runtime=KeyTextTransform("onnxruntime", "measurement__software"),
        )[:limit]
    )
    return [_point(row) for row in reversed(rows)]


def in_series(points: Iterable[HistoryPoint]) -> tuple[HistorySeries, ...]:
    """Return ``points`` as lines, the line with the newest point first."""
    ordered = sorted(points, key=lambda point: (_line(point), _age(point)))
    series = [
        HistorySeries(key=own_points[0].key, points=_with_breaks(own_points))
        for own_points in (list(group) for _, group in groupby(ordered, key=_line))
    ]
    return tuple(sorted(series, key=lambda one: _age(one.points[-1]), reverse=True))


def _line(point: HistoryPoint) -> tuple:
    key = point.key
    return (
        point.onnx_model_id,
        key.profile,
        key.batch_size,
        key.intra_op_threads,
        key.inputs,
        key.values_sha256,
    )


def _age(point: HistoryPoint) -> tuple:
    return point.measured_at, point.run_id


def _point(row: dict) -> HistoryPoint:
    fields = {
        name.removeprefix("point_"): value
        for name, value in row.items()
        if name.startswith("point_")
    }
    fields["run_id"], fields["onnx_model_id"] = str(fields["run_id"]), str(fields["onnx_model_id"])
    fields["machine"] = fields["machine"] or "unknown machine"
    fields["runtime"] = fields["runtime"] or "of unknown version"
    grade = letter_of_row({**row, **fields})
    return HistoryPoint(key=_key(row), grade=grade, **fields)


def _key(row: dict) -> SeriesKey:
    choices = row["input_choices"]
    return SeriesKey(
        # A profile that was deleted lives on under its name.
        profile=str(row["profile_id"] or row["point_profile_name"]),
        batch_size=row["batch_size"],
        intra_op_threads=row["intra_op_threads"],
        inputs=json.dumps(choices, sort_keys=True) if any(choices.values()) else "",
        values_sha256=row["values_sha256"],
        values_name=row["values_name"],
    )


def _with_breaks(points: Sequence[HistoryPoint]) -> tuple[HistoryPoint, ...]:
    joined = [
        replace(after, break_reason=_break_reason(before, after))
        for before, after in pairwise(points)
    ]
    return (points[0], *joined)


def _break_reason(before: HistoryPoint, after: HistoryPoint) -> str:
    if before.machine_fingerprint != after.machine_fingerprint:
        if before.machine == after.machine:
            return f"the machine changed (still {after.machine}, but set up differently)"
        return f"the machine changed from {before.machine} to {after.machine}"
    if before.software_fingerprint != after.software_fingerprint:
        if before.runtime == after.runtime:
            return f"the software changed (still onnxruntime {after.runtime})"
        return f"the runtime changed from onnxruntime {before.runtime} to {after.runtime}"
    return ""
