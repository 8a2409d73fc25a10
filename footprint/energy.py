"""How much energy a machine is taken to use: power times time, component by component."""

from dataclasses import dataclass

from footprint.checks import require_not_negative, require_pue
from footprint.units import SECONDS_PER_HOUR, WATTS_PER_KW


def energy_kwh(power_w: float, duration_s: float) -> float:
    """Return the energy, in kWh, of drawing ``power_w`` for ``duration_s``.

    The TDP model: a component is taken to draw its rated power for the whole
    duration, so the answer is an upper estimate for a component that idles.

    Raises ValueError when either argument is negative or not finite.
    Source: owner's seed note, "Energy Consumed".

    >>> energy_kwh(power_w=16, duration_s=3600)
    0.016
    """
    require_not_negative(power_w=power_w, duration_s=duration_s)
    return power_w / WATTS_PER_KW * duration_s / SECONDS_PER_HOUR


@dataclass(frozen=True, slots=True)
class Power:
    """What the components of one machine draw.

    Raises ValueError when a power is negative or not finite.
    """

    cpu_w: float
    ram_w: float
    gpu_w: float

    def __post_init__(self) -> None:
        require_not_negative(cpu_w=self.cpu_w, ram_w=self.ram_w, gpu_w=self.gpu_w)

    @property
    def total_w(self) -> float:
        """The sum of the components, before PUE."""
        return self.cpu_w + self.ram_w + self.gpu_w


@dataclass(frozen=True, slots=True)
class Energy:
    """What the components of one machine used; only the total includes the building's share.

    Raises ValueError when an energy is negative or not finite, or when ``pue`` is below 1.
    """

    cpu_kwh: float
    ram_kwh: float
    gpu_kwh: float
    pue: float

    def __post_init__(self) -> None:
        require_not_negative(cpu_kwh=self.cpu_kwh, ram_kwh=self.ram_kwh, gpu_kwh=self.gpu_kwh)
        require_pue(self.pue)

    @classmethod
    def of(cls, power: Power, *, duration_s: float, pue: float) -> "Energy":
        """Return what ``power`` uses in ``duration_s``."""
        return cls(
            cpu_kwh=energy_kwh(power.cpu_w, duration_s),
            ram_kwh=energy_kwh(power.ram_w, duration_s),
            gpu_kwh=energy_kwh(power.gpu_w, duration_s),
            pue=pue,
        )

    @property
    def total_kwh(self) -> float:
        """(cpu + ram + gpu) times PUE: what the electricity meter of the building counts."""
        return (self.cpu_kwh + self.ram_kwh + self.gpu_kwh) * self.pue
