"""Two to six versions side by side: who is better on what, and where the samples cannot tell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.breakdown import measured_counts
from benchmarks.grading import latency_ratio
from benchmarks.models import ModelVersion, OnnxModel, Run
from benchmarks.whose_values import evaluation_set_of, identity_of
from footprint.comparison import Interval, non_dominated

MIN_VERSIONS, MAX_VERSIONS = 2, 6
# Among so many of a version's newest results one with the settings of the others is looked for.
RECENT_RUNS = 20
FLOPS_PER_MAC = 2
LATENCY, EMISSION, ACCURACY = "latency_s", "emission_g", "accuracy_ratio"
NOT_TYPED = "Its owner has not stated it."
NO_ACCURACY = "Not measured, and its owner has not stated it."
NO_RUN = "It has no finished run yet."


@dataclass(frozen=True, slots=True)
class Criterion:
    """One of the seven; ``unit`` is empty for counts, ``%`` for a ratio shown as percent."""

    name: str
    label: str
    unit: str
    is_higher_better: bool = False
    is_measured: bool = False

    @property
    def better(self) -> str:
        return "higher" if self.is_higher_better else "lower"


# The article's seven criteria, in its order.
CRITERIA = (
    Criterion("size_bytes", "size on disk", "B"),
    Criterion("parameter_count", "parameters", ""),
    Criterion("flop_count", "FLOPs", ""),
    Criterion("training_time_s", "training time", "s"),
    Criterion(LATENCY, "latency", "s", is_measured=True),
    Criterion(ACCURACY, "accuracy", "%", is_higher_better=True),
    Criterion(EMISSION, "CO₂ per inference", "g", is_measured=True),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A version, under a name that tells it from the others, with the run that speaks for it."""

    version: ModelVersion
    title: str
    run: Run | None
    flop_count: int | None
    note: str = ""

    def value_of(self, name: str) -> float | None:
        """Return the figure of a criterion; None where it is not known."""
        if name == "flop_count":
            return self.flop_count
        if name == "size_bytes":
            return self.version.whole_bytes
        if name == ACCURACY:
            return self.version.accuracy.ratio if self.version.accuracy else None
        if name in (LATENCY, EMISSION):
            estimate = self.run.estimate if self.run else None
            return None if estimate is None else getattr(estimate, name)
        return getattr(self.version, name)

    def why_missing(self, criterion: Criterion) -> str:
        """Say why there is no figure."""
        if criterion.is_measured:
            return NO_RUN
        if criterion.name == ACCURACY:
            return NO_ACCURACY
        if criterion.name == "training_time_s":
            return NOT_TYPED
        if not self.version.is_ready:
            return f"The file is not read: {self.version.get_status_display().lower()}."
        return "The file alone does not tell."


@dataclass(slots=True)
class Cell:
    """One version's figure, and how many times worse than the best one it is (1 is the best).

    ``ratio`` is the 95 % interval of that number, where samples give one. ``gap`` is that of the
    best one's accuracy less this one's, where either was measured on a set of items.
    """

    entry: Entry
    value: float | None
    reason: str = ""
    is_accuracy: bool = False
    is_best: bool = False
    behind_ratio: float | None = None
    ratio: Interval | None = None
    gap: Interval | None = None

    @property
    def is_within_noise(self) -> bool:
        """Whether the samples, or the items, cannot tell it from the best."""
        if self.is_best:
            return False
        if self.gap is not None:
            return self.gap.low <= 0 <= self.gap.high
        return self.ratio is not None and self.ratio.low <= 1 <= self.ratio.high

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the figure itself: of an accuracy that was measured."""
        accuracy = self.entry.version.accuracy
        return accuracy.interval if self.is_accuracy and accuracy else None

    @property
    def score_percent(self) -> float:
        """The length of its bar: 100 for the best, longer is better in every row."""
        return 100 / self.behind_ratio if self.behind_ratio else 0


@dataclass(frozen=True, slots=True)
class Row:
    """A criterion over all versions."""

    criterion: Criterion
    cells: tuple[Cell, ...]

    @property
    def leaders(self) -> list[str]:
        return [cell.entry.title for cell in self.cells if cell.is_best or cell.is_within_noise]

    @property
    def known_count(self) -> int:
        return sum(cell.value is not None for cell in self.cells)

    @property
    def is_level(self) -> bool:
        """Whether no version can be told from the best."""
        return self.known_count > 1 and len(self.leaders) == self.known_count

    @property
    def is_noisy(self) -> bool:
        return any(cell.is_within_noise for cell in self.cells)


@dataclass(frozen=True, slots=True)
class ParetoPoint:
    """A version with an accuracy and a cost; efficient where no other is better in both."""

    entry: Entry
    accuracy_ratio: float
    cost: float
    is_efficient: bool

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the accuracy, where it was measured."""
        return self.entry.version.accuracy.interval


@dataclass(frozen=True, slots=True)
class Comparison:
    """The versions in the order asked for, and the seven rows."""

    entries: tuple[Entry, ...]
    rows: tuple[Row, ...]
    differences: tuple[str, ...] = field(default=())

    @property
    def runs(self) -> list[Run]:
        return [entry.run for entry in self.entries if entry.run]

    @property
    def onnx_model(self) -> OnnxModel | None:
        """The model that all of them are versions of; None where they are of several."""
        found = {entry.version.onnx_model for entry in self.entries}
        return found.pop() if len(found) == 1 else None

    @property
    def summary(self) -> str:
        """Who is better on what, in one sentence."""
        return _summary(self.rows)

    @property
    def is_accuracy_mixed(self) -> bool:
        """Whether the accuracies are not all from one and the same evaluation set of one owner."""
        versions = [one.version for one in self.entries if one.version.accuracy]
        return len({evaluation_set_of(version) for version in versions}) > 1

    def pareto(self, name: str) -> list[ParetoPoint]:
        """Return the versions that have both an accuracy and the cost ``name``."""
        found = [
            (entry, accuracy, cost)
            for entry in self.entries
            if (accuracy := entry.value_of(ACCURACY)) is not None
            and (cost := entry.value_of(name)) is not None
        ]
        flags = non_dominated([(cost, -accuracy) for _, accuracy, cost in found])
        return [ParetoPoint(*one, flag) for one, flag in zip(found, flags, strict=True)]


def compare(
    versions: Sequence[ModelVersion], *, user, chosen_runs: Iterable[Run] = ()
) -> Comparison:
    """Lay ``versions`` side by side; ``chosen_runs`` speak for theirs, else comparable newest ones.

    The versions come with their models and their models' owners.
    """
    wanted = {version.pk for version in versions}
    chosen = {run.version_id: run for run in chosen_runs if run.version_id in wanted}
    runs = _runs_of(versions, user, chosen)
    titles, counted = _titles(versions), measured_counts(versions)
    entries = tuple(
        Entry(version, title, runs.get(version.pk), *_flops(version, counted.get(version.pk)))
        for version, title in zip(versions, titles, strict=True)
    )
    intervals = _Intervals()
    rows = tuple(_row(criterion, entries, intervals) for criterion in CRITERIA)
    return Comparison(entries, rows, _differing_settings(entries))


def _runs_of(versions, user, chosen: dict) -> dict:
    recent = {
        version.pk: list(
            Run.objects.visible_to(user)
            .done()
            .filter(version=version)
            .select_related("measurement")
            .only(
                *SETTINGS,
                *("owner_id", "values_sha256", "version_id", "queued_at"),
                "measurement__machine_fingerprint",
            )
            .order_by("-queued_at", "-id")[:RECENT_RUNS]
        )
        for version in versions
        if version.pk not in chosen
    }
    recent |= {key: [run] for key, run in chosen.items()}
    settings = _most_shared(recent.values())
    ids = [
        next((run for run in runs if _settings_key(run) == settings), runs[0]).pk
        for runs in recent.values()
        if runs
    ]
    found = Run.objects.filter(pk__in=ids).with_results().defer("measurement__composition")
    return {run.version_id: run for run in found}


SETTINGS = (
    "profile_id",
    "batch_size",
    "intra_op_threads",
    "input_choices",
)


def _settings_key(run: Run) -> tuple:
    settings = tuple(str(getattr(run, name)) for name in SETTINGS)
    return (*settings, identity_of(run), run.measurement.machine_fingerprint)


def _most_shared(runs_by_version: Iterable[list[Run]]) -> tuple | None:
    """Return the settings that most versions have a run with; of equal ones the newest's."""
    counts: dict[tuple, int] = {}
    newest: dict[tuple, object] = {}
    for runs in runs_by_version:
        for key in {_settings_key(run): run for run in reversed(runs)}:
            counts[key] = counts.get(key, 0) + 1
        for run in runs:
            key = _settings_key(run)
            newest[key] = max(newest.get(key, run.queued_at), run.queued_at)
    return max(counts, key=lambda key: (counts[key], newest[key]), default=None)


def _titles(versions: Sequence[ModelVersion]) -> list[str]:
    models = {version.onnx_model_id: version.onnx_model for version in versions}
    if len(models) == 1:
        return [version.title for version in versions]
    names = [model.name for model in models.values()]
    return [
        f"{version.onnx_model.name} {version.title}"
        + (
            f" by {version.onnx_model.owner.get_username()}"
            if names.count(version.onnx_model.name) > 1
            else ""
        )
        for version in versions
    ]


def _flops(version: ModelVersion, measured) -> tuple[int | None, str]:
    if measured is not None:
        uncounted, flop_count = measured.uncounted_operators, FLOPS_PER_MAC * measured.mac_count
    else:
        uncounted, flop_count = version.uncounted_operators, version.flop_count
    return flop_count, f"without {', '.join(uncounted[:3])}" if uncounted else ""


class _Intervals:
    """The intervals of pairs of runs, each drawn once."""

    def __init__(self) -> None:
        self._by_pair: dict[tuple, Interval | None] = {}

    def of(self, above: Run, below: Run) -> Interval | None:
        """Return the interval of the ratio of their latencies; None from too few samples."""
        pair = (above.pk, below.pk)
        if pair not in self._by_pair:
            self._by_pair[pair] = latency_ratio(above.measurement, below.measurement)
        return self._by_pair[pair]


def _row(criterion: Criterion, entries: Sequence[Entry], intervals: _Intervals) -> Row:
    cells = tuple(_cell(criterion, entry) for entry in entries)
    known = [cell for cell in cells if cell.value is not None]
    if len(known) < 2:
        return Row(criterion, cells)
    pick = max if criterion.is_higher_better else min
    best = pick(known, key=lambda cell: cell.value)
    for cell in known:
        cell.is_best = cell.value == best.value
        cell.behind_ratio = _behind(criterion, cell.value, best.value)
        if criterion.is_measured and not cell.is_best:
            cell.ratio = _scaled_interval(cell, best, intervals)
        if cell.is_accuracy and not cell.is_best:
            cell.gap = best.entry.version.accuracy.gap_to(cell.entry.version.accuracy)
    return Row(criterion, cells)


def _cell(criterion: Criterion, entry: Entry) -> Cell:
    value = entry.value_of(criterion.name)
    reason = entry.why_missing(criterion) if value is None else ""
    return Cell(entry, value, reason, is_accuracy=criterion.name == ACCURACY)


def _behind(criterion: Criterion, value: float, best: float) -> float | None:
    above, below = (best, value) if criterion.is_higher_better else (value, best)
    if above == below:
        return 1.0
    return above / below if below else None


def _scaled_interval(cell: Cell, best: Cell, intervals: _Intervals) -> Interval | None:
    """The latencies' interval about the stated ratio: power and intensity add no scatter."""
    found = intervals.of(cell.entry.run, best.entry.run)
    if found is None or cell.behind_ratio is None:
        return None
    latencies = cell.entry.value_of(LATENCY) / best.entry.value_of(LATENCY)
    scale = cell.behind_ratio / latencies
    return Interval(low=found.low * scale, high=found.high * scale)


def _differing_settings(entries: Sequence[Entry]) -> tuple[str, ...]:
    """Name what the runs do not have in common, as words for a sentence."""
    runs = [entry.run for entry in entries if entry.run]
    seen = {
        "machine described": {(run.profile_id, run.profile_name) for run in runs},
        "batch size": {run.batch_size for run in runs},
        "threads": {run.intra_op_threads for run in runs},
        "inputs": {(str(run.input_choices), identity_of(run)) for run in runs},
        "measuring machine": {run.measurement.machine_fingerprint for run in runs},
        "software": {run.measurement.software_fingerprint for run in runs},
        "carbon intensity": {run.estimate.intensity_g_per_kwh for run in runs if run.estimate},
    }
    return tuple(name for name, values in seen.items() if len(values) > 1)


def _summary(rows: Sequence[Row]) -> str:
    wins: dict[tuple[str, ...], list[str]] = {}
    levels, unknown = [], []
    for row in rows:
        label = row.criterion.label
        if row.known_count < 2:
            unknown.append(label)
        elif row.is_level:
            levels.append(f"{label} (inside the noise)" if row.is_noisy else label)
        else:
            wins.setdefault(tuple(row.leaders), []).append(label)
    parts = [
        f"{listed(names)} {'is' if len(names) == 1 else 'are'} better on {listed(labels)}"
        for names, labels in wins.items()
    ]
    if levels:
        parts.append(f"level on {listed(levels)}")
    if unknown:
        parts.append(f"not comparable on {listed(unknown)}")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if not wins else f"{text}."


def listed(words: Sequence[str]) -> str:
    """Return the words as one says them: a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
