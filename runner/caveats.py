"""What a measurement cannot tell, each as a sentence for its reader."""

from collections.abc import Iterator

from runner.job import Job
from runner.rounds import SURE_INTERVAL_RATIO
from runner.timings import Timings


def caveats(job: Job, timings: Timings, *, calls_per_sample: int, is_pinned: bool) -> Iterator[str]:
    """Yield what a reader of these ``timings`` should know before relying on them."""
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
    if timings.interval_ratio is None:
        yield "Too few rounds had quiet bursts for an interval."
    elif job.effort == "careful" and timings.interval_ratio > SURE_INTERVAL_RATIO:
        yield (
            "The careful effort aims at an interval of 2 % around the mean and did not reach it in "
            "the time that it has."
        )
    if calls_per_sample > 1:
        yield (
            f"One call is too short to be timed alone: each sample is the mean of "
            f"{calls_per_sample} calls in a row, and the percentiles are those of such means."
        )
    if not is_pinned:
        yield "The system did not let the measurement stay on cores of its own."
