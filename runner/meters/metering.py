"""How a run is metered: idle just before, then every stretch of timed calls, then the figures."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from runner.errors import MeterFailed
from runner.kept_open import KeptOpen
from runner.machine import describe_machine
from runner.meters.base import Meter, Reading
from runner.meters.metered import Component, Metered, MeterReport
from runner.meters.nvml import open_nvml
from runner.meters.rapl import open_rapl

JOULES_PER_KWH = 3_600_000
_ROOT = Path("/")


def open_meters(root: Path = _ROOT) -> tuple[Meter, ...]:
    """Return a meter for the CPU, the memory and the GPU of this machine, working or missing.

    The counters' files stay open: a caged process opens none.
    """
    is_virtual = describe_machine(root).is_virtual
    return (*open_rapl(root, is_virtual=is_virtual, read_text=KeptOpen()), open_nvml())


class Metering:
    """Meters beside one run; without a working one it costs nothing and changes nothing."""

    def __init__(self, meters: Sequence[Meter]) -> None:
        self._watches = [_Watch(meter) for meter in meters]

    @classmethod
    def begin(
        cls, meters: Sequence[Meter], *, pause: Callable[[float], object] = time.sleep
    ) -> "Metering":
        """Return a metering that knows what the machine draws while it does nothing of ours.

        Waits for as long as the slowest of the working meters needs for that, at most a second.
        """
        metering = cls(meters)
        working = [watch for watch in metering._watches if watch.is_working]
        if working:
            for watch in working:
                watch.start()
            pause(max(watch.meter.idle_s for watch in working))
            for watch in working:
                watch.end_idle()
        return metering

    def lose(self, covers: Component, reason: str) -> None:
        """Go on without the meters of one component that have worked until now."""
        for watch in self._watches:
            if watch.meter.covers == covers:
                watch.stop(reason)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Meter what runs inside; entered again it adds up, so pauses can be left out."""
        for watch in self._watches:
            watch.start()
        yield
        for watch in self._watches:
            watch.end_timed()

    def metered(self, *, latency_s: float) -> Metered:
        """Return what the meters said of an inference that takes ``latency_s`` in the mean."""
        return Metered(tuple(watch.report(latency_s) for watch in self._watches))


class _Watch:
    """One meter, what it has counted so far, and why it no longer does."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self._reason = meter.reason
        self._start: Reading | None = None
        self._idle_power_w: float | None = None
        self._energy_j = 0.0
        self._duration_s = 0.0

    @property
    def is_working(self) -> bool:
        return not self._reason

    def stop(self, reason: str) -> None:
        self._reason = self._reason or reason

    def start(self) -> None:
        self._start = self._read()

    def end_idle(self) -> None:
        energy_j, duration_s = self._since_start()
        if energy_j > 0 and duration_s > 0:
            self._idle_power_w = energy_j / duration_s

    def end_timed(self) -> None:
        energy_j, duration_s = self._since_start()
        self._energy_j += energy_j
        self._duration_s += duration_s

    def report(self, latency_s: float) -> MeterReport:
        # Counters that a virtual machine shows but does not fill stand at one value.
        if self.is_working and not (self._energy_j > 0 and self._duration_s > 0):
            self._reason = "its counter did not move while inferences were timed"
        name, covers = self.meter.name, self.meter.covers
        if not self.is_working:
            return MeterReport(name, covers, is_available=False, reason=self._reason)
        power_w = self._energy_j / self._duration_s
        return MeterReport(
            name,
            covers,
            is_available=True,
            reason="",
            power_w=power_w,
            idle_power_w=self._idle_power_w,
            energy_kwh_per_inference=power_w * latency_s / JOULES_PER_KWH,
        )

    def _since_start(self) -> tuple[float, float]:
        start, end = self._start, self._read()
        if start is None or end is None:
            return 0.0, 0.0
        try:
            return self.meter.energy_j(start, end), end.at_s - start.at_s
        except MeterFailed as error:
            self._reason = error.message
            return 0.0, 0.0

    def _read(self) -> Reading | None:
        if not self.is_working:
            return None
        try:
            return self.meter.read()
        except MeterFailed as error:
            self._reason = error.message
            return None
