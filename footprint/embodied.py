"""Which share of the carbon of making a machine falls on the time it worked for us."""

from dataclasses import dataclass

from footprint.checks import require_not_negative, require_positive
from footprint.units import GRAMS_PER_KG, SECONDS_PER_YEAR


def embodied_share_g(*, embodied_kg: float, lifetime_years: float, duration_s: float) -> float:
    """Return the grams of a machine's embodied emission that ``duration_s`` of it carries.

    The machine is taken to be reserved whole; a year is 365 days.

    Raises ValueError when an argument is negative or not finite, or the lifetime is zero.
    Source: Software Carbon Intensity specification (ISO/IEC 21031:2024), M = TE * TS * RS.

    >>> round(embodied_share_g(embodied_kg=1000, lifetime_years=4, duration_s=3600), 6)
    28.538813
    """
    require_not_negative(embodied_kg=embodied_kg, duration_s=duration_s)
    require_positive(lifetime_years=lifetime_years)
    return embodied_kg * GRAMS_PER_KG * duration_s / (lifetime_years * SECONDS_PER_YEAR)


@dataclass(frozen=True, slots=True)
class SoftwareCarbonIntensity:
    """What one inference emits by running, and its share of making the machine.

    Raises ValueError when either is negative or not finite.
    Source: Software Carbon Intensity specification (ISO/IEC 21031:2024), (O + M) per R,
    where R is one inference.
    """

    operational_g: float
    embodied_g: float

    def __post_init__(self) -> None:
        require_not_negative(operational_g=self.operational_g, embodied_g=self.embodied_g)

    @property
    def total_g(self) -> float:
        """O + M."""
        return self.operational_g + self.embodied_g
