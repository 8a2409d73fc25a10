"""Short bursts of timed calls, and which of them the machine was quiet for.

A neighbour on a shared machine slows everything for seconds at a time, and no counter of the
system tells. A small loop of plain Python, the sentinel, is slowed too: timed right before and
right after a burst, it says whether the burst can be believed.
"""

import resource
import statistics
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

BURST_NS = 5_000_000
# A sample this long holds the clock's own cost, about 0.1 us, to 0.2 %.
MIN_SAMPLE_NS = 50_000
MAX_KEPT_COUNT = 400_000
SENTINEL_STEPS = 1_000
SENTINEL_LOOPS = 3

# Source of both: the prototype described in docs/methodology.md, "Latency".
MAX_SENTINEL_RATIO = 1.2
FREAK_ONE_IN = 100
MIN_CPU_RATIO = 0.97
# Several threads wait for each other, so only what is usual for the model tells.
MIN_CPU_RATIO_OF_USUAL = 0.9
MIN_QUIET_RATIO = 0.1
MIN_QUIET_BURSTS = 3
# A slow spell's edge falls inside of a burst: so short ones need quiet neighbours too, on both
# sides. Source: the same bursts judged with 0, 1, 2 and 5 of them, docs/methodology.md.
NEIGHBOURS = 2
MIN_AMONG_QUIET = 20
NEIGHBOURS_MATTER_BELOW_NS = 20_000_000


@dataclass(frozen=True, slots=True)
class Burst:
    """Samples taken one right after the other, and the sentinel's times around them.

    A sample is the time of ``calls_per_sample`` calls; sums and extremes are of all samples,
    ``kept_ns`` is an even choice of them.
    """

    round_number: int
    sample_count: int
    sum_ns: int
    sum_of_squares: int
    min_ns: int
    max_ns: int
    cpu_ns: int
    sentinel_before_ns: int
    sentinel_after_ns: int
    kept_ns: "array[int]"

    @property
    def cpu_ratio(self) -> float:
        """CPU time of the whole process over wall time: up to 1 per thread."""
        return self.cpu_ns / self.sum_ns

    @property
    def sentinel_ns(self) -> int:
        """The slower of the sentinel's two times."""
        return max(self.sentinel_before_ns, self.sentinel_after_ns)


@dataclass(frozen=True, slots=True)
class Gate:
    """What a burst has to keep to, to be called quiet.

    ``waits`` says that the calls sleep now and then by their nature: several threads wait for
    each other, and a processor for its GPU. ``known_best_ns`` is the sentinel's best on this
    machine in earlier runs, None where there were none.
    """

    waits: bool = False
    known_best_ns: int | None = None

    def best_sentinel_ns(self, bursts: Sequence[Burst]) -> int:
        """Return the sentinel's best on this machine, of these ``bursts`` and of what is known."""
        own_ns = best_sentinel_ns(bursts)
        return own_ns if self.known_best_ns is None else min(own_ns, self.known_best_ns)

    def quiet(self, bursts: Sequence[Burst]) -> list[Burst]:
        """Return those of ``bursts`` that ran while nothing else slowed the machine.

        The sentinel has to stay under 1.2 x its best before and after the burst, and the calls
        have to keep the CPU busy: 0.97 of the time; where they wait, nine tenths of what is
        usual for this model.
        """
        are_quiet = self._are_quiet(bursts)
        return [burst for burst, is_quiet in zip(bursts, are_quiet, strict=True) if is_quiet]

    def quiet_among_quiet(self, bursts: Sequence[Burst]) -> list[Burst]:
        """Return the quiet ones whose neighbours are quiet too, or all of these where few are.

        Long bursts need no quiet neighbours: a slow spell may be over before the next.
        """
        if statistics.median(burst.sum_ns for burst in bursts) > NEIGHBOURS_MATTER_BELOW_NS:
            return self.quiet(bursts)
        are_quiet = self._are_quiet(bursts)
        found = [
            burst
            for place, burst in enumerate(bursts)
            if all(are_quiet[max(0, place - NEIGHBOURS) : place + NEIGHBOURS + 1])
        ]
        return found if len(found) >= MIN_AMONG_QUIET else self.quiet(bursts)

    def _are_quiet(self, bursts: Sequence[Burst]) -> list[bool]:
        if not bursts:
            return []
        limit_ns = MAX_SENTINEL_RATIO * self.best_sentinel_ns(bursts)
        fast = [burst for burst in bursts if burst.sentinel_ns < limit_ns]
        least = MIN_CPU_RATIO
        if self.waits and fast:
            least = MIN_CPU_RATIO_OF_USUAL * statistics.median(burst.cpu_ratio for burst in fast)
        return [burst.sentinel_ns < limit_ns and burst.cpu_ratio > least for burst in bursts]


@dataclass(slots=True)
class BurstLog:
    """All bursts of a run in their order, with a bounded number of single samples."""

    calls_per_sample: int = 1
    gate: Gate = Gate()
    bursts: list[Burst] = field(default_factory=list)
    sample_count: int = 0
    round_count: int = 0
    _kept_count: int = 0
    _keep_every: int = 1

    def add(self, samples_ns: Sequence[int], *, cpu_ns: int, sentinels_ns: tuple[int, int]) -> None:
        """Take in one burst; ``sentinels_ns`` are the sentinel's times before and after it."""
        # The place in the whole run decides, so every part of it has its share.
        first = -self.sample_count % self._keep_every
        kept_ns = array("q", samples_ns[first :: self._keep_every])
        self.bursts.append(
            Burst(
                self.round_count,
                len(samples_ns),
                sum(samples_ns),
                sum(sample_ns * sample_ns for sample_ns in samples_ns),
                min(samples_ns),
                max(samples_ns),
                cpu_ns,
                *sentinels_ns,
                kept_ns,
            )
        )
        self.sample_count += len(samples_ns)
        self._kept_count += len(kept_ns)
        if self._kept_count > MAX_KEPT_COUNT:
            self._thin_out()

    def end_round(self) -> None:
        """Close a round: the bursts that follow belong to the next."""
        self.round_count += 1

    def _thin_out(self) -> None:
        place = 0
        for burst in self.bursts:
            count = len(burst.kept_ns)
            burst.kept_ns[:] = burst.kept_ns[place % 2 :: 2]
            place += count
        self._keep_every *= 2
        self._kept_count = sum(len(burst.kept_ns) for burst in self.bursts)


def best_sentinel_ns(bursts: Sequence[Burst]) -> int:
    """Return the sentinel's best time around ``bursts``: of a hundred readings, the second best.

    The very fastest of thousands stands alone, as far as a tenth below all others.
    """
    readings_ns = [burst.sentinel_before_ns for burst in bursts]
    readings_ns += [burst.sentinel_after_ns for burst in bursts]
    return sorted(readings_ns)[len(readings_ns) // FREAK_ONE_IN]


def are_enough(quiet: Sequence[Burst], bursts: Sequence[Burst]) -> bool:
    """Whether the quiet ones of ``bursts`` can stand for the model: a tenth of them, and three."""
    enough = min(MIN_QUIET_BURSTS, len(bursts))
    return len(quiet) >= enough and len(quiet) / len(bursts) >= MIN_QUIET_RATIO


def calls_per_sample(call_ns: float) -> int:
    """Return how many calls of ``call_ns`` a sample holds: one, unless that is too short to time.

    >>> calls_per_sample(3_500), calls_per_sample(160_000)
    (15, 1)
    """
    return max(1, -int(-MIN_SAMPLE_NS // max(call_ns, 1.0)))


def time_burst(call: Callable[[], object], *, calls: int, lead_in: int) -> tuple[list[int], int]:
    """Call for at least 5 ms; return the times of samples of ``calls`` calls, and CPU time.

    ``lead_in`` calls go before, untimed, and bring the model back into the caches. Both in ns.
    """
    clock_ns = time.perf_counter_ns
    for _ in range(lead_in):
        call()
    again = (None,) * calls
    cpu_start_ns = _cpu_ns()
    now_ns = clock_ns()
    stamps_ns = [now_ns]
    until_ns = now_ns + BURST_NS
    # The end of one sample is the start of the next: one look at the clock for each.
    while now_ns < until_ns:
        for _ in again:
            call()
        now_ns = clock_ns()
        stamps_ns.append(now_ns)
    cpu_ns = _cpu_ns() - cpu_start_ns
    starts_and_ends = zip(stamps_ns, stamps_ns[1:], strict=False)
    return [end_ns - start_ns for start_ns, end_ns in starts_and_ends], cpu_ns


def _cpu_ns() -> int:
    # Not the process clock: once RLIMIT_CPU is set, Linux moves that on only at the timer's tick,
    # every 4 ms, which makes nonsense of a burst of 5.
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return round((usage.ru_utime + usage.ru_stime) * 1e9)


def time_sentinel() -> int:
    """Return how long the sentinel takes now, in ns, with the model's caches out of the way."""
    # The first also fetches the loop that the model drove from the caches: of one, the quiet
    # times spread from 1.0 to 1.2 of the best, of three to 1.1.
    return min(_timed_loop_ns() for _ in range(SENTINEL_LOOPS))


def _timed_loop_ns() -> int:
    start_ns = time.perf_counter_ns()
    total = 0
    for step in range(SENTINEL_STEPS):
        total += step & 7
    return time.perf_counter_ns() - start_ns
