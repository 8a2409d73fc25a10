"""What one inference comes to when it is done a thousand times, or all year."""

from dataclasses import dataclass

from footprint.checks import require_not_negative

STANDARD_INFERENCE_COUNTS = (1, 1_000, 1_000_000)
DAYS_PER_YEAR = 365


@dataclass(frozen=True, slots=True)
class Scaled:
    """Energy and emission of ``inference_count`` inferences."""

    inference_count: float
    energy_kwh: float
    emission_g: float


def scale(*, energy_kwh: float, emission_g: float, inference_count: float) -> Scaled:
    """Return what ``inference_count`` inferences take, given what one takes.

    Raises ValueError when an argument is negative or not finite.

    >>> scale(energy_kwh=0.002, emission_g=1.5, inference_count=1000).emission_g
    1500.0
    """
    require_not_negative(
        energy_kwh=energy_kwh, emission_g=emission_g, inference_count=inference_count
    )
    return Scaled(
        inference_count=inference_count,
        energy_kwh=energy_kwh * inference_count,
        emission_g=emission_g * inference_count,
    )


def standard_scales(*, energy_kwh: float, emission_g: float) -> tuple[Scaled, ...]:
    """Return one inference, a thousand and a million, in that order."""
    return tuple(
        scale(energy_kwh=energy_kwh, emission_g=emission_g, inference_count=inference_count)
        for inference_count in STANDARD_INFERENCE_COUNTS
    )


def over_days(
    *, energy_kwh: float, emission_g: float, inferences_per_day: float, day_count: float = 1
) -> Scaled:
    """Return what ``inferences_per_day`` come to in ``day_count`` days (365 for a year)."""
    require_not_negative(inferences_per_day=inferences_per_day, day_count=day_count)
    return scale(
        energy_kwh=energy_kwh,
        emission_g=emission_g,
        inference_count=inferences_per_day * day_count,
    )
