"""Why a figure moved from one run to another, under the factors as stored or at today's."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.models import Run
from benchmarks.surroundings import Difference, environment_difference
from benchmarks.whose_values import identity_of
from footprint.comparison import Interval
from footprint.movement import (
    CAUSES,
    INTENSITY,
    MACHINE,
    MODEL,
    NOISE,
    POWER_TABLE,
    RUNTIME,
    SETTINGS,
    Figures,
    explain,
)
from footprint.units import format_number, format_quantity
from hardware.assumptions import TYPED, PowerOrigin, SourcedAssumptions
from hardware.other_factors import TodaysFactors

STORED, TODAY = "stored", "today"
CAUSE_LABELS = {
    MODEL: "Model",
    RUNTIME: "Runtime",
    MACHINE: "Machine",
    SETTINGS: "Settings",
    INTENSITY: "Grid intensity",
    POWER_TABLE: "Power table",
    NOISE: "Noise",
}
# Below this share of the figures a part is rounding, not a cause.
SMALLEST_PART_RATIO = 1e-9


@dataclass(frozen=True, slots=True)
class Part:
    """What one cause adds to the change, in grams and as a share of the earlier figure."""

    cause: str
    label: str
    part_g: float
    ratio: float | None
    note: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A change between two runs with its parts, which add up to it."""

    before: Run
    after: Run
    before_g: float
    after_g: float
    parts: tuple[Part, ...]
    # What the surroundings of the two runs do not share, and only that.
    differences: tuple[Difference, ...]

    @property
    def whole_g(self) -> float:
        return self.after_g - self.before_g

    @property
    def ratio(self) -> float | None:
        return self.whole_g / self.before_g if self.before_g else None


def explained(before: Run, after: Run, *, factors: str = STORED, user=None) -> Explanation:
    """Say why ``after`` comes to another figure than ``before``, fetched ``with_results``.

    As ``user`` may be told it; None for a stranger.
    """
    assumed = [run.estimate.assumed for run in (before, after)]
    if factors == TODAY:
        today = TodaysFactors.of(assumed)
        assumed = [today.applied_to(one) for one in assumed]
    movement = explain(
        _figures(before, assumed[0]),
        _figures(after, assumed[1]),
        latency_causes=frozenset(cause for cause, _ in _latency_changes(before, after)),
        described_anew=frozenset(_described_anew(*assumed)),
    )
    size_g = max(movement.before_g, movement.after_g)
    notes = _notes(before, after, *assumed)
    parts = [
        Part(
            cause=cause,
            label=CAUSE_LABELS[cause],
            part_g=movement.part_by_cause_g[cause],
            ratio=movement.part_by_cause_g[cause] / movement.before_g
            if movement.before_g
            else None,
            note=notes[cause],
        )
        for cause in CAUSES
        if abs(movement.part_by_cause_g[cause]) > SMALLEST_PART_RATIO * size_g
    ]
    parts.sort(key=lambda part: -abs(part.part_g))
    return Explanation(
        before,
        after,
        movement.before_g,
        movement.after_g,
        tuple(parts),
        tuple(environment_difference(before, after, user=user)),
    )


def _figures(run: Run, assumed: SourcedAssumptions) -> Figures:
    found = run.measurement
    is_known = found.ci95_low_s is not None and found.ci95_high_s is not None
    interval = Interval(found.ci95_low_s, found.ci95_high_s) if is_known else None
    return Figures(assumed.numbers, found.mean_s, interval)


def _latency_changes(before: Run, after: Run) -> Iterator[tuple[str, str]]:
    """Yield each cause for another latency, with what changed in words."""
    if before.version.content_sha256 != after.version.content_sha256:
        yield MODEL, f"{before.version.title} to {after.version.title}"
    one, other = before.measurement, after.measurement
    if one.software_fingerprint != other.software_fingerprint:
        yield RUNTIME, _from_to(one.software, other.software, "onnxruntime", "onnxruntime ")
    if one.machine_fingerprint != other.machine_fingerprint:
        yield MACHINE, "measured on " + _from_to(one.machine, other.machine, "cpu")
    changed = [
        f"{label} {getattr(before, name)} to {getattr(after, name)}"
        for name, label in (("batch_size", "batch"), ("intra_op_threads", "threads"))
        if getattr(before, name) != getattr(after, name)
    ]
    if before.input_choices != after.input_choices or identity_of(before) != identity_of(after):
        changed.append("other inputs")
    if changed:
        yield SETTINGS, ", ".join(changed)


def _from_to(before: dict, after: dict, key: str, prefix: str = "") -> str:
    one, other = before.get(key) or "unknown", after.get(key) or "unknown"
    if one == other:
        return f"still {prefix}{one}, but set up differently"
    return f"{prefix}{one} to {other}"


def _described_anew(before: SourcedAssumptions, after: SourcedAssumptions) -> Iterator[str]:
    for name in ("cpu", "gpu"):
        one, other = getattr(before, name), getattr(after, name)
        if _description(one) != _description(other):
            yield name
    if _ram_description(before) != _ram_description(after):
        yield "ram"


def _description(origin: PowerOrigin | None) -> tuple | None:
    if origin is None:
        return None
    typed_w = origin.unit_power_w if origin.source == TYPED else None
    return origin.processor_id or origin.name, origin.count, typed_w


def _ram_description(assumed: SourcedAssumptions) -> tuple:
    typed_w = assumed.numbers.ram_power_w if assumed.ram.unit_power_w is None else None
    return assumed.ram_gb, typed_w


def _notes(
    before: Run, after: Run, one: SourcedAssumptions, other: SourcedAssumptions
) -> dict[str, str]:
    notes = dict.fromkeys(CAUSES, "")
    latency_changes = dict(_latency_changes(before, after))
    notes |= latency_changes
    notes[MACHINE] = ", ".join(
        [*filter(None, [latency_changes.get(MACHINE)]), *_profile_changes(one, other)]
    )
    notes[INTENSITY] = f"{_intensity_words(one)} to {_intensity_words(other)}"
    powers = [format_quantity(each.numbers.power.total_w, "W") for each in (one, other)]
    notes[POWER_TABLE] = f"the same parts, {powers[0]} to {powers[1]}"
    notes[NOISE] = (
        "what the 95 % intervals of the two leave open"
        if latency_changes
        else "nothing else changed: the same measurement came out differently"
    )
    if len(latency_changes) > 1:
        for cause in latency_changes:
            notes[cause] += " (changed at the same time as others: the time is shared equally)"
    return notes


def _profile_changes(one: SourcedAssumptions, other: SourcedAssumptions) -> Iterator[str]:
    if one.profile_name != other.profile_name:
        yield f"profile {one.profile_name} to {other.profile_name}"
    for name in sorted(_described_anew(one, other)):
        powers = [getattr(each.numbers.power, f"{name}_w") for each in (one, other)]
        words = " to ".join(format_quantity(power_w, "W") for power_w in powers)
        yield f"{name.upper()} described anew, {words}"
    if one.numbers.pue != other.numbers.pue:
        pues = [format_number(each.numbers.pue) for each in (one, other)]
        yield f"PUE {pues[0]} to {pues[1]}"


def _intensity_words(assumed: SourcedAssumptions) -> str:
    amount = format_quantity(assumed.numbers.intensity_g_per_kwh, "g/kWh")
    origin = assumed.intensity
    return f"{amount} ({origin.zone_name} {origin.year}, {origin.measure_words})"
