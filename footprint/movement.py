"""Why a figure moved between two runs: the change split into causes that add up to it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from footprint.comparison import Interval
from footprint.energy import energy_kwh
from footprint.estimate import Assumptions, estimate

MODEL, RUNTIME, MACHINE, SETTINGS = "model", "runtime", "machine", "settings"
INTENSITY, POWER_TABLE, NOISE = "intensity", "power_table", "noise"
CAUSES = (MODEL, RUNTIME, MACHINE, SETTINGS, INTENSITY, POWER_TABLE, NOISE)
# What can change how long an inference takes.
LATENCY_CAUSES = frozenset({MODEL, RUNTIME, MACHINE, SETTINGS})
COMPONENTS = ("cpu", "ram", "gpu")


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run's grams are made of; ``interval`` is the 95 % one of the latency, in s."""

    assumptions: Assumptions
    latency_s: float
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """A change in grams and what each cause adds to it; the parts add up to the whole."""

    before_g: float
    after_g: float
    part_by_cause_g: Mapping[str, float]

    @property
    def whole_g(self) -> float:
        """The change: above zero where the later run emits more."""
        return self.after_g - self.before_g


def explain(
    before: Figures,
    after: Figures,
    *,
    latency_causes: frozenset[str] = frozenset(),
    described_anew: frozenset[str] = frozenset(),
) -> Movement:
    """Split the change from ``before`` to ``after`` into ``CAUSES``.

    ``latency_causes`` names what differs and can change the time of an inference: model,
    runtime, machine, settings. ``described_anew`` names the components (cpu, ram, gpu) that
    the profile describes differently; any other change of their power is the power table's.

    Grams are a product of latency, power, PUE and intensity, summed over components. Each
    component's change is divided among its factors by their logarithms (the additive
    logarithmic mean Divisia index), which leaves no remainder and does not depend on the
    order of the factors. Of the latency's share only what the two intervals cannot explain
    goes to what changed; several changes at once share it equally, as nothing tells them
    apart. The rest is noise.

    Raises ValueError when a cause or component is unknown.
    Source: B. W. Ang, "The LMDI approach to decomposition analysis", Energy Policy 33, 2005.
    """
    if not latency_causes <= LATENCY_CAUSES or not described_anew <= set(COMPONENTS):
        raise ValueError(f"unknown cause or component in {latency_causes} or {described_anew}")
    parts: dict[str, list[float]] = {cause: [] for cause in CAUSES}
    for component in COMPONENTS:
        power_cause = MACHINE if component in described_anew else POWER_TABLE
        for cause, part_g in _shares(before, after, component, power_cause):
            for one, share in _of_latency(cause, before, after, latency_causes):
                parts[one].append(part_g * share)
    before_g = estimate(before.assumptions, before.latency_s).emission_g
    after_g = estimate(after.assumptions, after.latency_s).emission_g
    sums = {cause: math.fsum(shares) for cause, shares in parts.items()}
    return Movement(before_g, after_g, _without_remainder(sums, after_g - before_g))


_LATENCY = "latency"


def _shares(
    before: Figures, after: Figures, component: str, power_cause: str
) -> Iterator[tuple[str, float]]:
    start_g, end_g = _component_g(before, component), _component_g(after, component)
    if start_g == 0 or end_g == 0:
        # The limit of the formula: a component that appears or goes is its power's doing.
        yield power_cause, end_g - start_g
        return
    mean_g = _logarithmic_mean(start_g, end_g)
    one, other = before.assumptions, after.assumptions
    yield _LATENCY, mean_g * _log_ratio(before.latency_s, after.latency_s)
    yield power_cause, mean_g * _log_ratio(_power_w(one, component), _power_w(other, component))
    yield MACHINE, mean_g * _log_ratio(one.pue, other.pue)
    yield INTENSITY, mean_g * _log_ratio(one.intensity_g_per_kwh, other.intensity_g_per_kwh)


def _of_latency(
    cause: str, before: Figures, after: Figures, latency_causes: frozenset[str]
) -> Iterator[tuple[str, float]]:
    """Yield each cause's share of a part: the latency's is divided, any other stays whole."""
    if cause != _LATENCY:
        yield cause, 1.0
        return
    sure_ratio = _sure_ratio(before, after) if latency_causes else 0.0
    yield NOISE, 1.0 - sure_ratio
    for one in sorted(latency_causes):
        yield one, sure_ratio / len(latency_causes)


def _sure_ratio(before: Figures, after: Figures) -> float:
    """Return which share of the latency's change lies outside both intervals."""
    change = _log_ratio(before.latency_s, after.latency_s)
    if change == 0:
        return 0.0
    if before.interval is None or after.interval is None:
        return 1.0
    near, far = before.interval.high, after.interval.low
    if change < 0:
        near, far = before.interval.low, after.interval.high
    if near <= 0 or far <= 0:
        return 0.0
    return min(1.0, max(0.0, _log_ratio(near, far) / change))


def _component_g(figures: Figures, component: str) -> float:
    assumptions = figures.assumptions
    energy = energy_kwh(_power_w(assumptions, component), figures.latency_s)
    return energy * assumptions.pue * assumptions.intensity_g_per_kwh


def _power_w(assumptions: Assumptions, component: str) -> float:
    power = assumptions.power
    return {"cpu": power.cpu_w, "ram": power.ram_w, "gpu": power.gpu_w}[component]


def _logarithmic_mean(one: float, other: float) -> float:
    # Of equal amounts it is that amount; close to it the quotient would lose all digits.
    if math.isclose(one, other, rel_tol=1e-7):
        return (one + other) / 2
    return (other - one) / _log_ratio(one, other)


def _log_ratio(before: float, after: float) -> float:
    if math.isclose(before, after, rel_tol=0.5):
        return math.log1p((after - before) / before)
    return math.log(after) - math.log(before)


def _without_remainder(parts: dict[str, float], whole: float) -> dict[str, float]:
    # What rounding left over, some 1e-16 of the figures, goes to the largest part.
    largest = max(parts, key=lambda cause: abs(parts[cause]))
    parts[largest] += whole - math.fsum(parts.values())
    return parts
