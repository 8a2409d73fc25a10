"""A meter that plays readings taken elsewhere, so that all above it is tested without hardware."""

import json
from collections.abc import Iterable
from pathlib import Path

from runner.errors import MeterFailed
from runner.meters.base import Meter, Reading
from runner.meters.metered import Component


class ReplayMeter(Meter):
    """Plays pairs of seconds and joules, one pair for each time it is read."""

    def __init__(self, covers: Component, readings: Iterable[tuple[float, float]]) -> None:
        self.name = f"replay-{covers}"
        self.covers = covers
        self._coming = iter(readings)

    @classmethod
    def from_file(cls, covers: Component, path: Path) -> "ReplayMeter":
        """Play a file of JSON lines such as ``[0.5, 12.25]``: seconds, joules since any start."""
        lines = path.read_text(encoding="utf-8").splitlines()
        return cls(covers, [tuple(json.loads(line)) for line in lines if line.strip()])

    def read(self) -> Reading:
        """Return the next reading; raises MeterFailed after the last one."""
        for at_s, energy_j in self._coming:
            return Reading(at_s, (energy_j,))
        raise MeterFailed("its readings have come to an end")

    def energy_j(self, before: Reading, after: Reading) -> float:
        """Return the difference of the joules played."""
        return after.counters[0] - before.counters[0]
