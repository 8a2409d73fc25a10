"""What a run's timed inferences say: their middle, their spread, and how sure the mean is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from footprint.comparison import Interval

# Neighbouring samples resemble each other (clock speed, other load), so an interval from
# single samples is far too narrow. Means over rounds of consecutive samples are not so.
ROUND_COUNT = 20

# Two-sided 95 % points of Student's t for 1 to 10 degrees of freedom.
STUDENT_T_95 = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281)
NORMAL_95 = 1.959964

BIN_COUNT = 30
# The histogram's tail bin never takes more than the slowest twentieth of the samples.
TAIL_PERCENT = 95
# Tukey's outer fence: beyond the upper quartile by this many interquartile ranges.
FENCE_QUARTILE_RANGES = 3


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """What a run's samples say about one inference; every field but the count is in seconds."""

    sample_count: int
    mean_s: float
    median_s: float
    stdev_s: float
    mad_s: float
    min_s: float
    max_s: float
    p90_s: float
    p95_s: float
    p99_s: float
    ci95_low_s: float
    ci95_high_s: float

    @classmethod
    def of(cls, samples_s: Sequence[float]) -> "LatencySummary":
        """Summarise samples of shape (n,), n >= 2, in the order in which they were taken.

        Raises ValueError when there are fewer than two, or one is negative or not finite.
        """
        ordered_s = _checked(samples_s, minimum_count=2)
        mean_s = _mean(ordered_s)
        median_s = _percentile_of_sorted(ordered_s, 50)
        deviations_s = sorted(abs(sample_s - median_s) for sample_s in ordered_s)
        interval = mean_interval(round_means(samples_s))
        half_width_s = (interval.high - interval.low) / 2
        return cls(
            sample_count=len(ordered_s),
            mean_s=mean_s,
            median_s=median_s,
            stdev_s=_stdev(ordered_s),
            mad_s=_percentile_of_sorted(deviations_s, 50),
            min_s=ordered_s[0],
            max_s=ordered_s[-1],
            p90_s=_percentile_of_sorted(ordered_s, 90),
            p95_s=_percentile_of_sorted(ordered_s, 95),
            p99_s=_percentile_of_sorted(ordered_s, 99),
            ci95_low_s=max(0.0, mean_s - half_width_s),
            ci95_high_s=mean_s + half_width_s,
        )


@dataclass(frozen=True, slots=True)
class Bin:
    """How many samples took from ``low_s`` up to ``high_s``; a tail bin means "and above"."""

    low_s: float
    high_s: float
    count: int
    is_tail: bool = False


def percentile(samples_s: Sequence[float], percent: float) -> float:
    """Return the value below which ``percent`` (0 to 100) of the samples lie.

    Linear between neighbours, as numpy's default.

    Raises ValueError when there is no sample, one is negative or not finite, or
    ``percent`` is out of range.

    >>> percentile([1.0, 2.0, 3.0, 5.0], 50)
    2.5
    """
    if not 0 <= percent <= 100:
        raise ValueError(f"percent must lie between 0 and 100, got {percent!r}")
    return _percentile_of_sorted(_checked(samples_s, minimum_count=1), percent)


def round_means(samples_s: Sequence[float], round_count: int = ROUND_COUNT) -> tuple[float, ...]:
    """Return the mean of each of ``round_count`` near-equal stretches of consecutive samples.

    With fewer samples than rounds each sample is a round.

    >>> round_means([1.0, 3.0, 5.0, 7.0], round_count=2)
    (2.0, 6.0)
    """
    count = min(round_count, len(samples_s))
    edges = [len(samples_s) * index // count for index in range(count + 1)]
    return tuple(_mean(samples_s[start:end]) for start, end in pairwise(edges))


def mean_interval(round_means_s: Sequence[float]) -> Interval:
    """Return the 95 % confidence interval of the mean, from at least two rounds' means.

    Student's t with one degree of freedom less than there are rounds.

    Raises ValueError when there are fewer than two rounds.
    """
    _checked(round_means_s, minimum_count=2)
    round_count = len(round_means_s)
    mean_s = _mean(round_means_s)
    half_s = _student_t_95(round_count - 1) * _stdev(round_means_s) / math.sqrt(round_count)
    return Interval(low=mean_s - half_s, high=mean_s + half_s)


def histogram(samples_s: Sequence[float], bin_count: int = BIN_COUNT) -> tuple[Bin, ...]:
    """Return bins of equal width and, where there are stragglers, a last bin for them all.

    The tail bin keeps one slow sample from pressing all the others into one bar. It
    begins at Tukey's outer fence or at the 95th percentile, whichever is later. Samples
    that are all equal make a single bin.

    Raises ValueError when there is no sample, one is negative or not finite, or
    ``bin_count`` is below 1.
    """
    if bin_count < 1:
        raise ValueError(f"bin_count must be at least 1, got {bin_count!r}")
    ordered_s = _checked(samples_s, minimum_count=1)
    fence_s = _tail_start_s(ordered_s)
    body_s = [sample_s for sample_s in ordered_s if sample_s <= fence_s]
    bins = _equal_bins(body_s, bin_count=bin_count)
    tail_count = len(ordered_s) - len(body_s)
    if tail_count == 0:
        return bins
    tail = Bin(low_s=bins[-1].high_s, high_s=ordered_s[-1], count=tail_count, is_tail=True)
    return (*bins, tail)


def _tail_start_s(ordered_s: Sequence[float]) -> float:
    lower_s = _percentile_of_sorted(ordered_s, 25)
    upper_s = _percentile_of_sorted(ordered_s, 75)
    fence_s = upper_s + FENCE_QUARTILE_RANGES * (upper_s - lower_s)
    return max(fence_s, _percentile_of_sorted(ordered_s, TAIL_PERCENT))


def _equal_bins(ordered_s: Sequence[float], *, bin_count: int) -> tuple[Bin, ...]:
    low_s, high_s = ordered_s[0], ordered_s[-1]
    width_s = (high_s - low_s) / bin_count
    if width_s == 0:
        return (Bin(low_s=low_s, high_s=high_s, count=len(ordered_s)),)
    counts = [0] * bin_count
    for sample_s in ordered_s:
        counts[min(int((sample_s - low_s) / width_s), bin_count - 1)] += 1
    edges_s = [low_s + index * width_s for index in range(bin_count)] + [high_s]
    return tuple(
        Bin(low_s=start_s, high_s=end_s, count=count)
        for (start_s, end_s), count in zip(pairwise(edges_s), counts, strict=True)
    )


def _checked(samples_s: Sequence[float], *, minimum_count: int) -> list[float]:
    if len(samples_s) < minimum_count:
        raise ValueError(f"at least {minimum_count} samples are needed, got {len(samples_s)}")
    for sample_s in samples_s:
        if not 0 <= sample_s < math.inf:
            raise ValueError(f"samples_s must be finite and not negative, got {sample_s!r}")
    return sorted(samples_s)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _stdev(values: Sequence[float]) -> float:
    mean = _mean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _percentile_of_sorted(ordered: Sequence[float], percent: float) -> float:
    position = (len(ordered) - 1) * percent / 100
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def _student_t_95(freedom_count: int) -> float:
    if freedom_count <= len(STUDENT_T_95):
        return STUDENT_T_95[freedom_count - 1]
    # Cornish-Fisher expansion about the normal, right to 4 digits from 11 degrees on.
    # Source: Abramowitz and Stegun 26.7.5.
    z, n = NORMAL_95, freedom_count
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / n + second / n**2 + third / n**3
