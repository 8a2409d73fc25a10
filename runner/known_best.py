"""How fast this machine is at its best, by the runs that it has measured before.

One run cannot tell a machine that was slow from its start to its end from a slow model. The
sentinel's best of earlier runs can: it is kept in a small file beside the data of whoever starts
the children, and handed to each.
"""

import json
import math
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runner.machine import ENGINE_VERSION, describe_machine
from runner.reporting import write_whole
from runner.students_t import t_95

RUNS_KEPT = 20
# Of the runs kept, those faster than all but a quarter are not relied on: a reading that was
# lucky, or that a model has made up, would make every later run look slow. A machine that has
# become slower for good is known as such after three quarters of them, or when they are too old.
ONE_IN = 4
OLDEST_S = 7 * 24 * 3_600.0
MIN_RUNS_FOR_SPREAD = 5
# What the quartiles of a normal distribution lie apart, in standard deviations.
QUARTILES_APART = 1.349


@dataclass(frozen=True, slots=True)
class KnownBest:
    """The file of the bests of recent runs, by machine, Python and engine.

    ``machine`` is a machine's fingerprint, ``clock`` tells the seconds of the day and year.
    """

    path: Path
    machine: str
    clock: Callable[[], float] = time.time

    @classmethod
    def of_this_machine(cls, path: Path) -> "KnownBest":
        """Return what is known of this machine in the file at ``path``, which need not exist."""
        return cls(path, describe_machine().fingerprint)

    def sentinel_s(self) -> float | None:
        """Return the sentinel's best on this machine, None where no recent run is known."""
        bests_s = sorted(best_s for _, best_s in self._recent())
        return bests_s[len(bests_s) // ONE_IN] if bests_s else None

    def speed_spread(self) -> float | None:
        """Return how far from its usual speed this machine is in all but 5 % of runs, as a ratio.

        Of the middle half of the recent runs, so that a model which pushes the sentinel out of
        the caches, or one odd run, does not decide; None where fewer than five are known.
        """
        bests = [math.log(best_s) for _, best_s in self._recent()]
        if len(bests) < MIN_RUNS_FOR_SPREAD:
            return None
        lower, _, upper = statistics.quantiles(bests, n=4, method="inclusive")
        return t_95(len(bests) - 1) * (upper - lower) / QUARTILES_APART

    def remember(self, best_sentinel_s: float | None) -> None:
        """Keep the best of one more run; raises OSError when it cannot be written."""
        if best_sentinel_s is None:
            return
        recent = [*self._recent(), (self.clock(), best_sentinel_s)][-RUNS_KEPT:]
        write_whole(self.path, json.dumps({**self._all(), self._key: recent}))

    @property
    def _key(self) -> str:
        return f"{self.machine} Python {platform.python_version()} engine {ENGINE_VERSION}"

    def _recent(self) -> list[tuple[float, float]]:
        oldest_s = self.clock() - OLDEST_S
        kept = self._all().get(self._key)
        pairs = [pair for pair in kept if _is_pair(pair)] if isinstance(kept, list) else []
        return [(at_s, best_s) for at_s, best_s in pairs if at_s > oldest_s]

    def _all(self) -> dict[str, object]:
        # A file that is missing, cut short or of another version costs what is known, no run.
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _is_pair(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(type(number) in (int, float) and math.isfinite(number) for number in value)
        and value[1] > 0
    )
