"""How a machine's watts split into CPU, RAM and GPU, as shares of one bar."""

from dataclasses import dataclass

from hardware.models import HardwareProfile


@dataclass(frozen=True, slots=True)
class PowerShare:
    """One component's watts, and where its part of the bar starts and how wide it is."""

    component: str
    power_w: float
    start_percent: float
    width_percent: float

    @property
    def label(self) -> str:
        return self.component.upper()


def power_split(profile: HardwareProfile) -> list[PowerShare]:
    """Return the shares of CPU, RAM and GPU, in that order, filling 0 to 100."""
    powers_w = {
        "cpu": profile.cpu_power_w,
        "ram": profile.memory_power_w,
        "gpu": profile.gpu_power_w,
    }
    total_w = sum(powers_w.values())
    shares, start_percent = [], 0.0
    for component, power_w in powers_w.items():
        width_percent = 100 * power_w / total_w if total_w else 0.0
        shares.append(PowerShare(component, power_w, start_percent, width_percent))
        start_percent += width_percent
    return shares
