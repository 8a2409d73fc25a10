"""The meter that stands where there is none, and says why."""

from runner.errors import MeterFailed
from runner.meters.base import Meter, Reading
from runner.meters.metered import Component


class MissingMeter(Meter):
    """A meter that cannot be read, for a ``reason`` that completes "not available: ..."."""

    def __init__(self, name: str, covers: Component, reason: str) -> None:
        self.name = name
        self.covers = covers
        self.reason = reason

    def read(self) -> Reading:
        """Refuse: there is nothing to read."""
        raise MeterFailed(self.reason)

    def energy_j(self, before: Reading, after: Reading) -> float:
        """Refuse: there is nothing to tell."""
        raise MeterFailed(self.reason)
