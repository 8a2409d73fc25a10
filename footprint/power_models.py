"""What other published power models say of the same run: the range beside the headline."""

from dataclasses import dataclass, replace
from itertools import pairwise

from footprint.checks import require_not_negative
from footprint.estimate import Assumptions, estimate
from footprint.intensities import RecentIntensity, YearlyIntensity
from footprint.ram import Memory
from footprint.units import format_quantity

# (load, share of TDP drawn), linear between the points.
# Source: Teads Engineering, "Estimating AWS EC2 Instances Power Consumption", 2021.
TEADS_CURVE = ((0.0, 0.12), (0.1, 0.32), (0.5, 0.75), (1.0, 1.02))

# TDP * (idle + span * load ** 3). Source: CodeCarbon 3.3.2, CPU load mode.
CODECARBON_IDLE_RATIO = 0.1
CODECARBON_SPAN_RATIO = 0.9

# Counters tick apart from the clock, so a fully busy machine can read a little over 1.
LOAD_RATIO_MAX = 1.05

RATED_SOURCE = "The profile's rated powers for the whole latency (the headline)"
RATED_LOAD_SOURCE = "The profile's rated CPU power times the CPU load measured in this run"
TEADS_SOURCE = "Teads Engineering, 2021: 12, 32, 75, 102 % of TDP at 0, 10, 50, 100 % load"
CODECARBON_SOURCE = "CodeCarbon 3.3.2, CPU load mode: TDP x (0.1 + 0.9 x load cubed)"


@dataclass(frozen=True, slots=True)
class ModelledEmission:
    """What one power model makes of a run; ``power_w`` is the whole machine's, before PUE."""

    name: str
    power_w: float
    emission_g: float
    source: str


@dataclass(frozen=True, slots=True)
class EmissionRange:
    """The lowest and the highest of the models, and the models, the headline first."""

    low_g: float
    high_g: float
    models: tuple[ModelledEmission, ...]


def _checked_load_ratio(load_ratio: float) -> float:
    if not 0 <= load_ratio <= LOAD_RATIO_MAX:
        raise ValueError(f"load_ratio must lie between 0 and 1, got {load_ratio!r}")
    return min(load_ratio, 1.0)


def rated_load_power_w(*, tdp_w: float, load_ratio: float) -> float:
    """Return the rated power times the share of the processor that was busy.

    Raises ValueError when ``tdp_w`` is negative or ``load_ratio`` not within 0 to 1.
    """
    require_not_negative(tdp_w=tdp_w)
    return tdp_w * _checked_load_ratio(load_ratio)


def teads_power_w(*, tdp_w: float, load_ratio: float) -> float:
    """Return the processor's power by the TEADS curve.

    Raises ValueError when ``tdp_w`` is negative or ``load_ratio`` not within 0 to 1.

    >>> teads_power_w(tdp_w=100, load_ratio=0.5)
    75.0
    """
    require_not_negative(tdp_w=tdp_w)
    load_ratio = _checked_load_ratio(load_ratio)
    for (low_load, low_share), (high_load, high_share) in pairwise(TEADS_CURVE):
        if load_ratio <= high_load:
            position_ratio = (load_ratio - low_load) / (high_load - low_load)
            return tdp_w * (low_share * (1 - position_ratio) + high_share * position_ratio)
    raise AssertionError("the curve ends at a load of 1")


def codecarbon_power_w(*, tdp_w: float, load_ratio: float) -> float:
    """Return the processor's power by CodeCarbon's load curve.

    Raises ValueError when ``tdp_w`` is negative or ``load_ratio`` not within 0 to 1.

    >>> codecarbon_power_w(tdp_w=100, load_ratio=0.5)
    21.25
    """
    require_not_negative(tdp_w=tdp_w)
    load_ratio = _checked_load_ratio(load_ratio)
    return CODECARBON_IDLE_RATIO * tdp_w + CODECARBON_SPAN_RATIO * tdp_w * load_ratio**3


def emission_range(
    assumptions: Assumptions,
    latency_s: float,
    *,
    cpu_usage_ratio: float | None = None,
    memory: Memory | None = None,
    recent: RecentIntensity | None = None,
) -> EmissionRange:
    """Return what each published model gives for the same run, one factor changed at a time.

    ``cpu_usage_ratio`` is the share, 0 to 1, of all of the machine's processing capacity
    that was busy while measuring; ``recent`` how the zone's intensity has moved. Where one
    of them or ``memory`` is not known, the rows that need it are left out, not guessed.

    Raises ValueError when a number is negative, not finite or a load above 1.
    """
    models = (
        _modelled("Rated power", RATED_SOURCE, assumptions, latency_s),
        *_by_cpu_model(assumptions, latency_s, cpu_usage_ratio),
        *_by_ram_model(assumptions, latency_s, memory),
        *_by_year(assumptions, latency_s, recent),
    )
    return EmissionRange(
        low_g=min(model.emission_g for model in models),
        high_g=max(model.emission_g for model in models),
        models=models,
    )


def _modelled(
    name: str, source: str, assumptions: Assumptions, latency_s: float
) -> ModelledEmission:
    return ModelledEmission(
        name=name,
        power_w=assumptions.power.total_w,
        emission_g=estimate(assumptions, latency_s).emission_g,
        source=source,
    )


def _by_cpu_model(
    assumptions: Assumptions, latency_s: float, load_ratio: float | None
) -> tuple[ModelledEmission, ...]:
    if load_ratio is None:
        return ()
    curves = (
        ("Rated power x measured CPU load", RATED_LOAD_SOURCE, rated_load_power_w),
        ("TEADS curve", TEADS_SOURCE, teads_power_w),
        ("CodeCarbon load curve", CODECARBON_SOURCE, codecarbon_power_w),
    )
    return tuple(
        _modelled(
            name,
            source,
            replace(
                assumptions,
                cpu_power_w=curve(tdp_w=assumptions.cpu_power_w, load_ratio=load_ratio),
            ),
            latency_s,
        )
        for name, source, curve in curves
    )


def _by_ram_model(
    assumptions: Assumptions, latency_s: float, memory: Memory | None
) -> tuple[ModelledEmission, ...]:
    if memory is None:
        return ()
    return tuple(
        _modelled(
            model.name,
            model.source,
            replace(assumptions, ram_power_w=model.power_w(memory.ram_gb)),
            latency_s,
        )
        for model in memory.models
    )


def _by_year(
    assumptions: Assumptions, latency_s: float, recent: RecentIntensity | None
) -> tuple[ModelledEmission, ...]:
    if recent is None:
        return ()
    years = f"{recent.first_year} to {recent.last_year}"
    return tuple(
        _modelled(
            f"{word} intensity of {years}",
            _yearly_source(one),
            replace(assumptions, intensity_g_per_kwh=one.g_per_kwh),
            latency_s,
        )
        for word, one in (("Lowest", recent.low), ("Highest", recent.high))
    )


def _yearly_source(one: YearlyIntensity) -> str:
    return f"{format_quantity(one.g_per_kwh, 'g/kWh')} in {one.year}: {one.source}"
