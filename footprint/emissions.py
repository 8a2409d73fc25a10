"""How much CO2-equivalent an amount of electricity stands for."""

from footprint.checks import require_not_negative


def emission_g(energy_kwh: float, intensity_g_per_kwh: float) -> float:
    """Return the grams of CO2-equivalent emitted to generate ``energy_kwh``.

    Raises ValueError when either argument is negative or not finite.
    Source: owner's seed note, "Carbon Emission".

    >>> emission_g(energy_kwh=0.016, intensity_g_per_kwh=713)
    11.408
    """
    require_not_negative(energy_kwh=energy_kwh, intensity_g_per_kwh=intensity_g_per_kwh)
    return energy_kwh * intensity_g_per_kwh
