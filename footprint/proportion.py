"""How sure a share of successes is, such as an accuracy, and whether two of them differ."""

import math
from dataclasses import dataclass

from footprint.comparison import Interval

# The normal distribution's 97.5 % point: 95 % lie within so many standard deviations.
Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share from 0 to 1 and the ends of its interval; both are the share where it has none.

    Raises ValueError when they are not in that order within 0 to 1.
    """

    ratio: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.ratio <= self.high <= 1:
            raise ValueError(f"not a share with its interval: {self!r}")

    @classmethod
    def exact(cls, ratio: float) -> "Proportion":
        """A share of which no interval is known."""
        return cls(ratio, ratio, ratio)


def proportion_of(correct_count: int, item_count: int) -> Proportion:
    """Return the share of ``item_count`` items that came out right, with its 95 % interval.

    Wilson's score interval, which stays within 0 and 1 and is not of no width where all or none
    came out right. It takes the items for drawn independently from those that one cares about.

    Raises ValueError when there are no items, or more correct ones than there are.
    Source: Wilson, Probable inference, Journal of the American Statistical Association 22 (1927)
    209-212; recommended by Brown, Cai, DasGupta, Statistical Science 16 (2001) 101-133.

    >>> [round(end, 4) for end in (proportion_of(81, 263).low, proportion_of(81, 263).high)]
    [0.2553, 0.3662]
    """
    if not 0 <= correct_count <= item_count or item_count < 1:
        raise ValueError(f"{correct_count!r} of {item_count!r} is no share")
    ratio, square = correct_count / item_count, Z_95**2 / item_count
    middle = (ratio + square / 2) / (1 + square)
    spread = ratio * (1 - ratio) / item_count + square / (4 * item_count)
    half = Z_95 / (1 + square) * math.sqrt(spread)
    # Rounding may leave an end a hair beyond the share itself where all or none came out right.
    return Proportion(
        ratio, low=max(0.0, min(ratio, middle - half)), high=min(1.0, max(ratio, middle + half))
    )


def difference_interval(above: Proportion, below: Proportion) -> Interval:
    """Return the 95 % interval of ``above.ratio - below.ratio``, two shares of their own items.

    Where both were found on the same items the true interval is narrower as a rule, so this is
    careful: it rather calls a difference noise.

    Source: Newcombe, Interval estimation for the difference between independent proportions,
    Statistics in Medicine 17 (1998) 873-890, method 10.

    >>> found = difference_interval(proportion_of(56, 70), proportion_of(48, 80))
    >>> round(found.low, 4), round(found.high, 4)
    (0.0524, 0.3339)
    """
    difference = above.ratio - below.ratio
    down = math.hypot(above.ratio - above.low, below.high - below.ratio)
    up = math.hypot(above.high - above.ratio, below.ratio - below.low)
    return Interval(low=difference - down, high=difference + up)
