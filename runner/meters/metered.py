"""What the meters said of a run, as it crosses the process border: kWh and W, or a reason."""

from dataclasses import dataclass
from typing import Literal

from runner.errors import Nonsense

# What a meter sees all of: every core, all memory, all GPUs, whoever uses them.
Component = Literal["cpu", "ram", "gpu"]


@dataclass(frozen=True, slots=True)
class MeterReport:
    """One meter's figures; all None, with a ``reason``, where it is not available.

    ``power_w`` is the mean over the timed inferences, the idle power included;
    ``energy_kwh_per_inference`` is that power for the mean latency. ``idle_power_w`` was
    measured just before, with nothing of ours running, and is not subtracted from either.
    """

    name: str
    covers: Component
    is_available: bool
    reason: str
    power_w: float | None = None
    idle_power_w: float | None = None
    energy_kwh_per_inference: float | None = None

    def __post_init__(self) -> None:
        figures = (self.power_w, self.energy_kwh_per_inference)
        if any(figure is not None and figure < 0 for figure in (*figures, self.idle_power_w)):
            raise Nonsense(f"metered.{self.name[:60]}", "must not be negative")
        if any((figure is None) == self.is_available for figure in figures):
            raise Nonsense(f"metered.{self.name[:60]}", "has figures without a meter, or none")
        if self.is_available == bool(self.reason):
            raise Nonsense(f"metered.{self.name[:60]}", "needs a reason just where it is missing")


@dataclass(frozen=True, slots=True)
class Metered:
    """What each meter that was looked for said; empty where none was."""

    meters: tuple[MeterReport, ...] = ()
