"""How sure a run's result is: what its measurement and its assumptions say, as a grade."""

import math
from functools import lru_cache

from benchmarks.models import Measurement, Run
from footprint.bootstrap import ratio_interval
from footprint.comparison import Interval
from footprint.grade import Evidence, Grade, grade
from hardware.assumptions import TYPED
from hardware.matching import is_same_processor


def grade_of(run: Run) -> Grade | None:
    """Return the grade of a finished run, fetched ``with_results``; None for any other."""
    estimate = run.estimate
    if estimate is None:
        return None
    found, assumed = run.measurement, estimate.assumed
    return grade(
        Evidence(
            spread_ratio=spread_ratio(found.mean_s, found.ci95_low_s, found.ci95_high_s),
            quiet_ratio=found.quiet_ratio,
            is_noisy=bool(found.is_noisy),
            is_profiles_machine=is_same_cpu(
                described=assumed.cpu.name, measured=found.machine.get("cpu")
            ),
            is_power_typed=assumed.cpu.source == TYPED,
            intensity_age_years=run.queued_at.year - estimate.intensity_year,
            intensity_measure=estimate.intensity_measure,
            is_intensity_fallback=estimate.is_intensity_fallback,
        )
    )


def letter_of_row(row: dict) -> str:
    """Return the letter for one row of a history (``benchmarks.history.points_of``)."""
    evidence = Evidence(
        spread_ratio=spread_ratio(row["latency_s"], row["ci95_low_s"], row["ci95_high_s"]),
        quiet_ratio=row["quiet_ratio"],
        is_noisy=bool(row["is_noisy"]),
        is_profiles_machine=is_same_cpu(described=row["cpu_name"] or "", measured=row["machine"]),
        is_power_typed=row["cpu_source"] == TYPED,
        intensity_age_years=row["run_queued_at"].year - row["intensity_year"],
        intensity_measure=row["intensity_measure"],
        is_intensity_fallback=row["is_intensity_fallback"],
    )
    return grade(evidence).letter


def spread_ratio(mean_s: float, low_s: float | None, high_s: float | None) -> float | None:
    """Return half the interval's width as a share of the mean; None where it is not known."""
    if low_s is None or high_s is None:
        return None
    return (high_s - low_s) / 2 / mean_s


def latency_ratio(above: Measurement, below: Measurement) -> Interval | None:
    """Return the 95 % interval of the ratio of two latencies; None from too few samples.

    The bootstrap's, at least as wide as the two runs' own intervals make it: samples of one
    process cannot tell what differs between processes, and those intervals have it in them.
    """
    samples = (above.samples_s, below.samples_s)
    if not all(len(one) > 1 and min(one) > 0 for one in samples):
        return None
    drawn, stated = ratio_interval(*samples), above.mean_s / below.mean_s
    spreads = [spread_ratio(one.mean_s, one.ci95_low_s, one.ci95_high_s) for one in (above, below)]
    reach = stated * math.hypot(*(spread or 0.0 for spread in spreads))
    return Interval(
        low=max(0.0, min(drawn.low, stated - reach)), high=max(drawn.high, stated + reach)
    )


def is_same_cpu(*, described: str, measured: str | None) -> bool:
    """Answer whether what was described is what measured.

    >>> is_same_cpu(described="AMD EPYC 9B14", measured="AMD EPYC 9B14 96-Core Processor")
    True
    >>> is_same_cpu(described="Apple M1", measured="Apple M1 Pro")
    False
    """
    return _is_same(described, measured or "")


# A history asks about the same few names thousands of times.
@lru_cache(maxsize=1024)
def _is_same(described: str, measured: str) -> bool:
    return is_same_processor(described, measured)
