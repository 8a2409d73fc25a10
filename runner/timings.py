"""What the bursts of a run say about one inference: the quiet ones, and all of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from runner.bursts import Burst, BurstLog, are_enough
from runner.results import MAX_SAMPLES_KEPT, AsMeasured, Latency
from runner.students_t import t_95

NS_PER_S = 1_000_000_000
MIN_ROUNDS_FOR_INTERVAL = 3
MIN_GROUPS_FOR_INTERVAL = 5
# What no round can show, because code and data lie elsewhere in memory in each process. Of 24
# processes' intervals 21 held the mean of the others with it, 18 without.
# Source: docs/methodology.md, "How the samples are taken".
BETWEEN_PROCESSES_RATIO = 0.01


@dataclass(frozen=True, slots=True)
class Timings:
    """A run's bursts told apart: ``believed`` are the ones that the latency rests on.

    These are the ``quiet`` ones that have quiet neighbours; where fewer than a tenth are quiet, or
    only one or two of more, all of them, and the run is noisy. ``unit`` turns a sample in ns into
    an inference in seconds. ``speed_spread`` is how far from its usual speed this machine is from
    run to run, None where that is not known.
    """

    all_bursts: Sequence[Burst]
    believed: Sequence[Burst]
    quiet: Sequence[Burst]
    is_noisy: bool
    unit: int
    speed_spread: float | None = None

    @classmethod
    def of(cls, log: BurstLog, *, batch_size: int, speed_spread: float | None = None) -> "Timings":
        """Tell the bursts of ``log``, of which there is at least one, apart."""
        quiet = log.gate.quiet(log.bursts)
        is_noisy = not are_enough(quiet, log.bursts)
        unit = NS_PER_S * batch_size * log.calls_per_sample
        believed = log.bursts if is_noisy else log.gate.quiet_among_quiet(log.bursts)
        return cls(log.bursts, believed, quiet, is_noisy, unit, speed_spread)

    @property
    def quiet_ratio(self) -> float:
        """The share of bursts that were quiet."""
        return len(self.quiet) / len(self.all_bursts)

    @property
    def quiet_s(self) -> float:
        """How long the quiet bursts lasted together; 0 where they are too few to be believed."""
        return 0.0 if self.is_noisy else _sum_ns(self.quiet) / NS_PER_S

    @property
    def believed_round_count(self) -> int:
        """How many rounds have a burst that is believed."""
        return len({burst.round_number for burst in self.believed})

    @property
    def cpu_ratio(self) -> float:
        """CPU time over wall time of the believed bursts: up to 1 per thread."""
        return sum(burst.cpu_ns for burst in self.believed) / _sum_ns(self.believed)

    @property
    def mean_s(self) -> float:
        """The mean time of an inference."""
        return _sum_ns(self.believed) / _count(self.believed) / self.unit

    @property
    def own_interval_ratio(self) -> float | None:
        """Half the width of the 95 % interval that one run alone allows, as a share of the mean.

        What the rounds say, and what one process cannot know of others, as independent errors;
        None from too few rounds.
        """
        mean_ns = _sum_ns(self.believed) / _count(self.believed)
        half_ns = interval_half_width(mean_ns, _round_means_ns(self.believed))
        return None if half_ns is None else math.hypot(half_ns / mean_ns, BETWEEN_PROCESSES_RATIO)

    @property
    def interval_ratio(self) -> float | None:
        """Half the width of the 95 % interval as a share of the mean, None from too few rounds.

        What one run says, and how much the machine's speed changes between runs.
        """
        own = self.own_interval_ratio
        return None if own is None else math.hypot(own, self.speed_spread or 0.0)

    def latency(self) -> Latency:
        """Return what the believed bursts say about one inference."""
        bursts, mean_s, ratio = self.believed, self.mean_s, self.interval_ratio
        median_s, p90_s, p95_s, p99_s = _percentiles_s(bursts, self.unit)
        return Latency(
            mean_s=mean_s,
            median_s=median_s,
            stdev_s=_stdev_ns(bursts) / self.unit,
            min_s=min(burst.min_ns for burst in bursts) / self.unit,
            max_s=max(burst.max_ns for burst in bursts) / self.unit,
            p90_s=p90_s,
            p95_s=p95_s,
            p99_s=p99_s,
            ci95_low_s=None if ratio is None else max(0.0, mean_s * (1 - ratio)),
            ci95_high_s=None if ratio is None else mean_s * (1 + ratio),
            sample_count=_count(bursts),
            quiet_ratio=self.quiet_ratio,
            is_noisy=self.is_noisy,
        )

    def as_measured(self) -> AsMeasured:
        """Return what all bursts say, disturbed ones included."""
        bursts = self.all_bursts
        median_s, p90_s, p95_s, p99_s = _percentiles_s(bursts, self.unit)
        return AsMeasured(
            mean_s=_sum_ns(bursts) / _count(bursts) / self.unit,
            median_s=median_s,
            p90_s=p90_s,
            p95_s=p95_s,
            p99_s=p99_s,
            max_s=max(burst.max_ns for burst in bursts) / self.unit,
            sample_count=_count(bursts),
        )

    def samples_s(self) -> tuple[float, ...]:
        """Return at most 2,000 believed samples in their order, evenly chosen, per inference."""
        kept_ns = _kept_ns(self.believed)
        chosen_count = min(len(kept_ns), MAX_SAMPLES_KEPT)
        places = np.arange(chosen_count) * len(kept_ns) // chosen_count
        return tuple((kept_ns[places] / self.unit).tolist())


def interval_half_width(mean: float, round_means: Sequence[float]) -> float | None:
    """Return half the width of the 95 % interval of ``mean``, None from fewer than three rounds.

    Student's t over the means of the rounds. Where the rounds resemble their neighbours the
    means of pairs, threes and so on spread more than chance allows: the widest answer of all
    groupings into at least five counts. It reaches at least to the plain mean of the rounds.
    """
    count = len(round_means)
    if count < MIN_ROUNDS_FOR_INTERVAL:
        return None
    sizes = range(1, max(1, count // MIN_GROUPS_FOR_INTERVAL) + 1)
    widest = max(_t_half_width(_group_means(round_means, size)) for size in sizes)
    return widest + abs(mean - math.fsum(round_means) / count)


def _group_means(values: Sequence[float], size: int) -> list[float]:
    """Means of ``size`` neighbours each; what is left over at the end is left out."""
    starts = range(0, len(values) - size + 1, size)
    return [math.fsum(values[start : start + size]) / size for start in starts]


def _t_half_width(values: Sequence[float]) -> float:
    count = len(values)
    middle = math.fsum(values) / count
    variance = math.fsum((value - middle) ** 2 for value in values) / (count - 1)
    return t_95(count - 1) * math.sqrt(variance / count)


def _round_means_ns(bursts: Sequence[Burst]) -> list[float]:
    sums: dict[int, tuple[int, int]] = {}
    for burst in bursts:
        sum_ns, count = sums.get(burst.round_number, (0, 0))
        sums[burst.round_number] = sum_ns + burst.sum_ns, count + burst.sample_count
    return [sum_ns / count for sum_ns, count in sums.values()]


def _sum_ns(bursts: Sequence[Burst]) -> int:
    return sum(burst.sum_ns for burst in bursts)


def _count(bursts: Sequence[Burst]) -> int:
    return sum(burst.sample_count for burst in bursts)


def _stdev_ns(bursts: Sequence[Burst]) -> float:
    count, sum_ns = _count(bursts), _sum_ns(bursts)
    if count < 2:
        return 0.0
    # Whole numbers throughout, so nothing cancels.
    spread = count * sum(burst.sum_of_squares for burst in bursts) - sum_ns * sum_ns
    return math.sqrt(spread / (count * (count - 1)))


def _kept_ns(bursts: Sequence[Burst]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    kept_ns = [np.frombuffer(burst.kept_ns, dtype=np.int64) for burst in bursts if burst.kept_ns]
    return np.concatenate(kept_ns)


def _percentiles_s(bursts: Sequence[Burst], unit: int) -> list[float]:
    """The median and the 90th, 95th and 99th percentile, interpolated linearly."""
    found: list[float] = (np.percentile(_kept_ns(bursts), (50, 90, 95, 99)) / unit).tolist()
    return found
