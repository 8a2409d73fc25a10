"""What a meter is: something with counters, and an energy between two readings of them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from runner.meters.metered import Component


@dataclass(frozen=True, slots=True)
class Reading:
    """A meter's counters at one moment of a monotonic clock; what they count is its own affair."""

    at_s: float
    counters: tuple[float, ...]


class Meter(ABC):
    """A meter of one component, which works until it says a ``reason`` why not."""

    name: str
    covers: Component
    reason: str = ""
    # How long it has to watch an idle machine before its answer is more than its own grain.
    idle_s: float = 0.0

    @property
    def is_available(self) -> bool:
        """Whether it can be read."""
        return not self.reason

    @abstractmethod
    def read(self) -> Reading:
        """Return the counters now; raises MeterFailed when they cannot be read any more."""

    @abstractmethod
    def energy_j(self, before: Reading, after: Reading) -> float:
        """Return the joules drawn between two readings less than one turn of a counter apart.

        Raises MeterFailed when the readings cannot follow each other.
        """
