"""How long to measure: bursts in rounds, until the effort's time is up or the answer is sure."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from runner.bursts import BURST_NS, BurstLog, Gate, calls_per_sample, time_burst, time_sentinel
from runner.job import Effort, Job
from runner.reporting import Reporter
from runner.timings import NS_PER_S, Timings

ANY_MACHINE = Gate()
MIN_ROUNDS = 5
MIN_SAMPLES_WHEN_LATE = 2
ROUNDS_BY_EFFORT: dict[Effort, int] = {"quick": 5, "standard": 10, "careful": 15}
SURE_INTERVAL_RATIO = 0.02
# Of 24 runs of 20 s on a busy machine one had too few quiet bursts, and 10 s more gave it enough.
ENOUGH_QUIET_RATIO = 0.25
# A slow model's samples end here, so that what was measured is told before the parent kills.
USABLE_WALL_RATIO = 0.85
# Models that need more of a burst than this do without the untimed calls before it.
MAX_LEAD_IN_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to measure at least and at most, and how long one round is.

    ``deadline_s``, on the monotonic clock, ends the measuring whatever else is wanted;
    ``is_sure`` says, of all that was measured so far, whether more would be of no use, and
    ``gate`` which bursts of it are quiet.
    """

    measuring_s: float
    longest_s: float
    round_s: float
    deadline_s: float
    is_sure: Callable[[BurstLog], bool]
    gate: Gate = ANY_MACHINE

    @classmethod
    def of(cls, job: Job, *, started_s: float, gate: Gate = ANY_MACHINE) -> "Pace":
        """Return the pace of a job whose child began at ``started_s``."""

        def is_sure(log: BurstLog) -> bool:
            return is_sure_enough(log, job)

        return cls(
            measuring_s=job.wanted_measuring_s,
            longest_s=job.longest_measuring_s,
            round_s=job.wanted_measuring_s / ROUNDS_BY_EFFORT[job.effort],
            deadline_s=started_s + job.effective_limits.wall_s * USABLE_WALL_RATIO,
            is_sure=is_sure,
            gate=gate,
        )


def is_sure_enough(log: BurstLog, job: Job) -> bool:
    """Whether what was measured so far is enough for the job's effort.

    Standard: a quarter of what it wants to measure was quiet. Careful: the 95 % interval that the
    run's own quiet bursts allow reaches at most 2 % from the mean. A quick run has no time to wait
    for either.
    """
    timings = Timings.of(log, batch_size=job.batch_size)
    if job.effort == "careful":
        ratio = timings.own_interval_ratio
        return not timings.is_noisy and ratio is not None and ratio <= SURE_INTERVAL_RATIO
    if job.effort == "standard":
        return timings.quiet_s >= ENOUGH_QUIET_RATIO * job.wanted_measuring_s
    return True


def measure_rounds(
    call: Callable[[], object],
    *,
    call_s: float,
    pace: Pace,
    reporter: Reporter,
    around_round: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> tuple[BurstLog, float]:
    """Time ``call``, which takes about ``call_s``, and return the bursts and how long it all took.

    Each round is made inside of one ``around_round()``: that is where its power is metered.
    Nothing is written, counted or collected inside a burst.
    """
    log = BurstLog(calls_per_sample(call_s * NS_PER_S), pace.gate)
    start_s = time.perf_counter()
    with _collector_off():
        while not _is_done(log, pace, time.perf_counter() - start_s):
            with around_round():
                _time_round(call, log, call_s=call_s, round_s=pace.round_s, reporter=reporter)
            if time.monotonic() > pace.deadline_s and log.sample_count >= MIN_SAMPLES_WHEN_LATE:
                break
    return log, time.perf_counter() - start_s


def _is_done(log: BurstLog, pace: Pace, spent_s: float) -> bool:
    if log.round_count < MIN_ROUNDS or spent_s < pace.measuring_s:
        return False
    return spent_s >= pace.longest_s or pace.is_sure(log)


def _time_round(
    call: Callable[[], object],
    log: BurstLog,
    *,
    call_s: float,
    round_s: float,
    reporter: Reporter,
) -> None:
    until_s = time.perf_counter() + round_s
    calls = log.calls_per_sample
    is_long = call_s * calls * NS_PER_S > BURST_NS * MAX_LEAD_IN_SHARE
    while True:
        before_ns = time_sentinel()
        samples_ns, cpu_ns = time_burst(call, calls=calls, lead_in=0 if is_long else calls)
        log.add(samples_ns, cpu_ns=cpu_ns, sentinels_ns=(before_ns, time_sentinel()))
        reporter.counted(log.sample_count * calls)
        if time.perf_counter() >= until_s:
            break
    log.end_round()


@contextmanager
def _collector_off() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
