"""Which share of the carbon of making a machine falls on the time it worked for us."""

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
