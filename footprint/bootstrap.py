"""Whether two means differ by more than their samples' own scatter."""

import random
from collections.abc import Sequence

from footprint.comparison import Interval
from footprint.samples import percentile, round_means

DRAW_COUNT = 1000
# Any number: the same samples have to give the same answer on every visit.
SEED = 20_240_229


def ratio_interval(
    above_s: Sequence[float], below_s: Sequence[float], *, draw_count: int = DRAW_COUNT
) -> Interval:
    """Return the 95 % interval of mean(above_s) / mean(below_s), by bootstrap.

    Both are samples of shape (n,), n >= 2, in the order in which they were taken. Drawn are
    rounds of consecutive samples, not single ones: neighbours resemble each other, and an
    interval from single samples would be far too narrow. Deterministic.

    Raises ValueError when there are fewer than two samples, or one is not above zero.
    Source: Efron, Tibshirani, An Introduction to the Bootstrap (1993), ch. 8 (blocks of
    dependent samples) and ch. 13 (the percentile interval).

    >>> ratio_interval([2.0, 2.0, 2.0], [1.0, 1.0, 1.0])
    Interval(low=2.0, high=2.0)
    """
    rounds_above, rounds_below = _rounds(above_s), _rounds(below_s)
    source = random.Random(SEED)  # noqa: S311 - statistics, no secret
    ratios = [
        _drawn_mean(rounds_above, source) / _drawn_mean(rounds_below, source)
        for _ in range(draw_count)
    ]
    return Interval(low=percentile(ratios, 2.5), high=percentile(ratios, 97.5))


def _rounds(samples_s: Sequence[float]) -> tuple[float, ...]:
    if len(samples_s) < 2:
        raise ValueError(f"at least 2 samples are needed, got {len(samples_s)}")
    if not all(0 < sample_s < float("inf") for sample_s in samples_s):
        raise ValueError("every sample must be finite and above zero")
    return round_means(samples_s)


def _drawn_mean(rounds: Sequence[float], source: random.Random) -> float:
    return sum(source.choices(rounds, k=len(rounds))) / len(rounds)
