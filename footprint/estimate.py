"""How a latency and a machine's assumptions become an estimate of energy and CO2."""

from dataclasses import dataclass

from footprint.checks import require_not_negative, require_positive, require_pue
from footprint.emissions import emission_g
from footprint.energy import Energy, Power


@dataclass(frozen=True, slots=True)
class Assumptions:
    """The numbers an estimate rests on; a run keeps its own copy of them.

    Raises ValueError when a power is negative, PUE is below 1, intensity is not above
    zero (a zero in the tables is missing data, not clean power), or any is not finite.
    """

    cpu_power_w: float
    ram_power_w: float
    gpu_power_w: float
    pue: float
    intensity_g_per_kwh: float

    def __post_init__(self) -> None:
        require_not_negative(
            cpu_power_w=self.cpu_power_w,
            ram_power_w=self.ram_power_w,
            gpu_power_w=self.gpu_power_w,
        )
        require_pue(self.pue)
        require_positive(intensity_g_per_kwh=self.intensity_g_per_kwh)

    @property
    def power(self) -> Power:
        """The three powers as one value."""
        return Power(cpu_w=self.cpu_power_w, ram_w=self.ram_power_w, gpu_w=self.gpu_power_w)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Energy and emission of one inference (or of whatever took ``latency_s``)."""

    latency_s: float
    energy: Energy
    emission_g: float


def estimate(assumptions: Assumptions, latency_s: float) -> Estimate:
    """Return the headline estimate: every component at its rated power for ``latency_s``.

    Raises ValueError when ``latency_s`` is negative or not finite.

    >>> laptop = Assumptions(13.0, 3.0, 0.0, pue=1.0, intensity_g_per_kwh=713.0)
    >>> estimate(laptop, latency_s=3600).emission_g
    11.408
    """
    require_not_negative(latency_s=latency_s)
    energy = Energy.of(assumptions.power, duration_s=latency_s, pue=assumptions.pue)
    return Estimate(
        latency_s=latency_s,
        energy=energy,
        emission_g=emission_g(energy.total_kwh, assumptions.intensity_g_per_kwh),
    )
