"""What a measurement cannot tell, each as a sentence for its reader."""

from collections.abc import Iterator, Sequence

from runner.bursts import MAX_SENTINEL_RATIO, BurstLog, best_sentinel_ns
from runner.job import Job
from runner.providers import Provider
from runner.rounds import SURE_INTERVAL_RATIO
from runner.timings import Timings


def caveats(
    job: Job, timings: Timings, *, log: BurstLog, provider: Provider, cores: Sequence[int]
) -> Iterator[str]:
    """Yield what a reader of the ``timings`` of ``log`` should know before relying on them."""
    if provider.note:
        yield provider.note
    if job.effort == "quick":
        yield (
            "A quick run lasts about 5 s. A neighbour on a shared machine can slow it down for as "
            "long, so a slow spell from start to end cannot be told from a slow model. Use the "
            "standard effort for figures to compare."
        )
    if timings.is_noisy:
        yield (
            "Too little of the time was quiet (under a tenth, or under three bursts), so the "
            "figures are those of all samples."
        )
    slowdown = _slowdown(log)
    if slowdown > MAX_SENTINEL_RATIO:
        yield (
            f"From start to end the machine was at least {slowdown:.2g} times slower than it was "
            "at its best in earlier runs: something else was using it, or it has become slower."
        )
    if timings.interval_ratio is None:
        yield "Too few rounds had quiet bursts for an interval."
    elif job.effort == "careful" and timings.interval_ratio > SURE_INTERVAL_RATIO:
        yield (
            "The careful effort aims at an interval of 2 % around the mean and did not reach it in "
            "the time that it has."
        )
    if log.calls_per_sample > 1:
        yield (
            f"One call is too short to be timed alone: each sample is the mean of "
            f"{log.calls_per_sample} calls in a row, and the percentiles are those of such means."
        )
    if not cores:
        yield "The system did not let the measurement stay on cores of its own."


def _slowdown(log: BurstLog) -> float:
    """How slow the machine was at its best in this run; 1 where there is nothing to compare."""
    known_ns = log.gate.known_best_ns
    return 1.0 if known_ns is None else best_sentinel_ns(log.bursts) / known_ns
