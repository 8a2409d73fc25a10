"""When two figures differ, by how much, and whether the difference is more than noise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from footprint.checks import require_not_negative, require_positive


@dataclass(frozen=True, slots=True)
class Interval:
    """The range in which a figure is believed to lie, in that figure's own unit.

    Raises ValueError when an end is not finite or the ends are the wrong way round.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not -math.inf < self.low <= self.high < math.inf:
            raise ValueError(f"low must not exceed high, got {self.low!r} to {self.high!r}")


def ratio_change(*, before: float, after: float) -> float:
    """Return the change as a share of ``before``: 0.05 is 5 % more, -0.5 is half.

    Raises ValueError when ``before`` is not above zero or ``after`` is negative.

    >>> ratio_change(before=20.0, after=15.0)
    -0.25
    """
    require_positive(before=before)
    require_not_negative(after=after)
    return (after - before) / before


def is_within_noise(before: Interval, after: Interval) -> bool:
    """Answer whether two confidence intervals overlap, so that no change may be claimed.

    Cautious on purpose: with two 95 % intervals just touching, a real difference is
    likely, and this still says "noise" rather than announce a change that is not there.

    >>> is_within_noise(Interval(1.0, 1.2), Interval(1.1, 1.3))
    True
    """
    return before.low <= after.high and after.low <= before.high


def non_dominated(costs: Sequence[tuple[float, float]]) -> list[bool]:
    """Answer for each pair of costs whether no other is as low in both and lower in one.

    >>> non_dominated([(1.0, 3.0), (2.0, 2.0), (3.0, 3.0)])
    [True, True, False]
    """
    return [
        not any(other[0] <= cost[0] and other[1] <= cost[1] and other != cost for other in costs)
        for cost in costs
    ]
