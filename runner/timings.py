"""What is kept of many timed calls, and what they say about one inference."""

import math
from collections.abc import Sequence

from runner.results import MAX_SAMPLES_KEPT, AsMeasured, Latency

NS_PER_S = 1_000_000_000
MAX_KEPT_COUNT = 200_000
MIN_ROUNDS_FOR_INTERVAL = 5

# Student's t, two-sided 95 %, by degrees of freedom; above 30 the normal 1.96 is near enough.
# Source: NIST/SEMATECH e-Handbook of Statistical Methods, table 1.3.6.7.2.
_T_95 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


class Timings:
    """Timed calls: sums and extremes of all of them, and an even choice of the calls themselves."""

    def __init__(self) -> None:
        self.count = 0
        self._sum_ns = 0
        self._sum_of_squares = 0
        self._min_ns = 0
        self._max_ns = 0
        self._kept_ns: list[int] = []
        self._keep_every = 1
        self._round_start = (0, 0)
        self._round_means_ns: list[float] = []

    def add(self, call_ns: int) -> None:
        """Take in one call."""
        if self.count % self._keep_every == 0:
            self._kept_ns.append(call_ns)
            if len(self._kept_ns) >= MAX_KEPT_COUNT:
                del self._kept_ns[1::2]
                self._keep_every *= 2
        self._min_ns = min(self._min_ns, call_ns) if self.count else call_ns
        self._max_ns = max(self._max_ns, call_ns)
        self.count += 1
        self._sum_ns += call_ns
        self._sum_of_squares += call_ns * call_ns

    def end_round(self) -> None:
        """Close a round; the spread between rounds is what the interval rests on."""
        count, sum_ns = self._round_start
        if self.count > count:
            self._round_means_ns.append((self._sum_ns - sum_ns) / (self.count - count))
        self._round_start = (self.count, self._sum_ns)

    @property
    def round_count(self) -> int:
        """How many rounds have been closed."""
        return len(self._round_means_ns)

    def latency(self, *, batch_size: int) -> Latency:
        """Return what the calls say about one inference of a batch of ``batch_size``."""
        unit = NS_PER_S * batch_size
        ordered = sorted(self._kept_ns)
        mean_ns = self._sum_ns / self.count
        half_ns = _interval_half_width(self._round_means_ns)
        return Latency(
            mean_s=mean_ns / unit,
            median_s=_percentile(ordered, 50) / unit,
            stdev_s=self._stdev_ns() / unit,
            min_s=self._min_ns / unit,
            max_s=self._max_ns / unit,
            p90_s=_percentile(ordered, 90) / unit,
            p95_s=_percentile(ordered, 95) / unit,
            p99_s=_percentile(ordered, 99) / unit,
            ci95_low_s=None if half_ns is None else max(0.0, mean_ns - half_ns) / unit,
            ci95_high_s=None if half_ns is None else (mean_ns + half_ns) / unit,
            sample_count=self.count,
        )

    def samples_s(self, *, batch_size: int) -> tuple[float, ...]:
        """Return at most 2,000 of the calls in their order, evenly chosen, per inference."""
        step = max(1, math.ceil(len(self._kept_ns) / MAX_SAMPLES_KEPT))
        return tuple(call_ns / (NS_PER_S * batch_size) for call_ns in self._kept_ns[::step])

    def _stdev_ns(self) -> float:
        if self.count < 2:
            return 0.0
        # Whole numbers throughout, so nothing cancels.
        spread = self.count * self._sum_of_squares - self._sum_ns * self._sum_ns
        return math.sqrt(spread / (self.count * (self.count - 1)))


def as_measured(latency: Latency) -> AsMeasured:
    """Return the figures of all samples, which for this engine are the same ones."""
    return AsMeasured(
        mean_s=latency.mean_s,
        median_s=latency.median_s,
        p90_s=latency.p90_s,
        p95_s=latency.p95_s,
        p99_s=latency.p99_s,
        max_s=latency.max_s,
        sample_count=latency.sample_count,
    )


def _percentile(ordered: Sequence[int], percent: float) -> float:
    """The value below which ``percent`` of ``ordered`` lie, interpolated linearly."""
    place = (len(ordered) - 1) * percent / 100
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _interval_half_width(means: Sequence[float]) -> float | None:
    """Half the width of the 95 % t-interval of the mean, None from too few rounds."""
    count = len(means)
    if count < MIN_ROUNDS_FOR_INTERVAL:
        return None
    middle = sum(means) / count
    variance = sum((mean - middle) ** 2 for mean in means) / (count - 1)
    t = _T_95[count - 2] if count - 2 < len(_T_95) else 1.96
    return t * math.sqrt(variance / count)
