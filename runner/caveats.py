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
            "Too few of the short stretches that were timed were quiet (under a tenth of them, or "
            "under three), so the figures are those of all samples."
        )
    slowdown = _slowdown(log)
    if slowdown > MAX_SENTINEL_RATIO:
        yield (
            f"From start to end the machine was at least {slowdown:.2g} times slower than it was "
            "at its best in earlier runs: something else was using it, or it has become slower."
        )
    yield from _about_interval(job, timings)
    yield from _about_samples(job, log)
    if not cores:
        yield "The system did not let the measurement stay on cores of its own."


def _about_interval(job: Job, timings: Timings) -> Iterator[str]:
    own_ratio, spread = timings.own_interval_ratio, timings.speed_spread
    if own_ratio is None:
        yield "Too few rounds had quiet bursts for an interval."
        return
    if job.effort == "careful" and own_ratio > SURE_INTERVAL_RATIO:
        yield (
            "The careful effort aims at an interval of 2 % around the mean and did not reach it in "
            "the time that it has."
        )
    if spread is not None and spread > own_ratio:
        yield (
            f"This machine's own speed changes by up to {100 * spread:.0f} % from run to run, as "
            "its earlier runs show. That is the larger part of the interval, and measuring for "
            "longer does not make it smaller."
        )


def _about_samples(job: Job, log: BurstLog) -> Iterator[str]:
    if log.calls_per_sample > 1:
        yield (
            f"One call is too short to be timed alone: each sample is the mean of "
            f"{log.calls_per_sample} calls in a row, and the percentiles are those of such means."
        )
    if job.batch_size > 1:
        yield (
            f"The figures are for one inference, a call's time divided by the batch of "
            f"{job.batch_size}: whoever waits for an answer waits for the whole call, and the "
            "percentiles are those of calls."
        )


def _slowdown(log: BurstLog) -> float:
    """How slow the machine was at its best in this run; 1 where there is nothing to compare."""
    known_ns = log.gate.known_best_ns
    return 1.0 if known_ns is None else best_sentinel_ns(log.bursts) / known_ns
