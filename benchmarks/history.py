"""What a model's runs say over time: points, lines of comparable ones, breaks, and change."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby, pairwise

from django.db.models import F
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from benchmarks.circumstances import UNKNOWN_MACHINE, UNKNOWN_RUNTIME, Circumstances
from benchmarks.grading import letter_of_row
from benchmarks.whose_values import UNTOLD, ValuesNames
from footprint.comparison import Interval, is_within_noise, ratio_change

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
    "intensity_zone": "estimates__intensity_zone",
    "intensity_year": "estimates__intensity_year",
    "intensity_measure": "estimates__intensity_measure",
    "machine_fingerprint": "measurement__machine_fingerprint",
    "software_fingerprint": "measurement__software_fingerprint",
    "circumstances_id": "circumstances_id",
}
# What a point's grade is worked out from, beside the fields above.
GRADE_COLUMNS = {
    "quiet_ratio": F("measurement__quiet_ratio"),
    "is_noisy": F("measurement__is_noisy"),
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
    # Of the real inputs, where there were any; the hash tells them apart, the words are for people.
    values_sha256: str = ""
    values_called: str = field(default="", compare=False)

    @property
    def settings_label(self) -> str:
        """The settings in a few words, for a legend."""
        threads = "1 thread" if self.intra_op_threads == 1 else f"{self.intra_op_threads} threads"
        parts = [f"batch {self.batch_size}", threads]
        if self.inputs:
            dims = json.loads(self.inputs).get("dims", {})
            parts += [f"{name} = {size}" for name, size in dims.items()] or ["own inputs"]
        if self.values_sha256:
            parts.append(f"fed {self.values_called}")
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
    # Whose figure that is, of which year, and what it counts: of the place that stood in, if any.
    intensity_zone: str
    intensity_year: int
    intensity_measure: str
    machine: str
    machine_fingerprint: str
    runtime: str
    software_fingerprint: str
    circumstances_id: int | None = None
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


def points_of(runs, *, limit: int, names: ValuesNames = UNTOLD) -> list[HistoryPoint]:
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
    return [_point(row, names) for row in reversed(rows)]


def in_series(points: Iterable[HistoryPoint]) -> tuple[HistorySeries, ...]:
    """Return ``points`` as lines, the line with the newest point first."""
    ordered = sorted(points, key=lambda point: (_line(point), age_of(point)))
    series = [
        HistorySeries(key=own_points[0].key, points=_with_breaks(own_points))
        for own_points in (list(group) for _, group in groupby(ordered, key=_line))
    ]
    return tuple(sorted(series, key=lambda one: age_of(one.points[-1]), reverse=True))


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


def age_of(point: HistoryPoint) -> tuple:
    """Return what points are sorted by, oldest first."""
    return point.measured_at, point.run_id


def _point(row: dict, names: ValuesNames) -> HistoryPoint:
    fields = {
        name.removeprefix("point_"): value
        for name, value in row.items()
        if name.startswith("point_")
    }
    fields["run_id"], fields["onnx_model_id"] = str(fields["run_id"]), str(fields["onnx_model_id"])
    fields["machine"] = fields["machine"] or UNKNOWN_MACHINE
    fields["runtime"] = fields["runtime"] or UNKNOWN_RUNTIME
    grade = letter_of_row({**row, **fields})
    key = _key(row, names, profile_name=fields["profile_name"])
    return HistoryPoint(key=key, grade=grade, **fields)


def key_of(circumstances: Circumstances, names: ValuesNames = UNTOLD) -> SeriesKey:
    """Return the line on which the runs in these circumstances stand."""
    settings = {name: getattr(circumstances, name) for name in SETTING_FIELDS}
    return _key(settings, names, profile_name=circumstances.profile_name)


def _key(settings: dict, names: ValuesNames, *, profile_name: str) -> SeriesKey:
    choices = settings["input_choices"]
    return SeriesKey(
        # A profile that was deleted lives on under its name.
        profile=str(settings["profile_id"] or profile_name),
        batch_size=settings["batch_size"],
        intra_op_threads=settings["intra_op_threads"],
        inputs=json.dumps(choices, sort_keys=True) if any(choices.values()) else "",
        values_sha256=settings["values_sha256"],
        values_called=names.called(settings["values_name"], settings["values_sha256"]),
    )


def _with_breaks(points: Sequence[HistoryPoint]) -> tuple[HistoryPoint, ...]:
    joined = [
        replace(after, break_reason=break_reason(before, after))
        for before, after in pairwise(points)
    ]
    return (points[0], *joined)


def break_reason(before: HistoryPoint | Circumstances, after: HistoryPoint | Circumstances) -> str:
    """Say why the two cannot honestly be compared; nothing where they can."""
    if before.machine_fingerprint != after.machine_fingerprint:
        if before.machine == after.machine:
            return f"the machine changed (still {after.machine}, but set up differently)"
        return f"the machine changed from {before.machine} to {after.machine}"
    if before.software_fingerprint != after.software_fingerprint:
        if before.runtime == after.runtime:
            return f"the software changed (still onnxruntime {after.runtime})"
        return f"the runtime changed from onnxruntime {before.runtime} to {after.runtime}"
    return ""
