"""Synthetic bursts with known answers: no clock is read here but in the last two tests."""

import pytest

from runner.bursts import (
    BURST_NS,
    MAX_KEPT_COUNT,
    MIN_SAMPLE_NS,
    BurstLog,
    Gate,
    best_sentinel_ns,
    calls_per_sample,
    time_burst,
    time_sentinel,
)

SENTINEL_NS = 30_000


def log_of(*bursts):
    """A log of bursts of one sample of 10 ms: each is its sentinels' ratios and its CPU ratio."""
    log = BurstLog()
    for before, after, cpu_ratio in bursts:
        log.add(
            [10_000_000],
            cpu_ns=round(10_000_000 * cpu_ratio),
            sentinels_ns=(round(SENTINEL_NS * before), round(SENTINEL_NS * after)),
        )
    return log


def quiet_places(log, **gate):
    return places_of(Gate(**gate).quiet(log.bursts), log)


def places_of(chosen, log):
    return [place for place, burst in enumerate(log.bursts) if any(burst is one for one in chosen)]


def test_a_burst_is_quiet_when_the_sentinel_is_fast_before_and_after_it():
    log = log_of((1.0, 1.1, 1), (1.0, 1.3, 1), (1.65, 1.0, 1), (1.19, 1.19, 1), (1.2, 1.0, 1))

    assert quiet_places(log) == [0, 3]


SLOW, QUIET = (1.65, 1.65, 1), (1, 1, 1)


def test_a_short_burst_near_a_slow_one_is_not_relied_on():
    log = log_of(*[QUIET] * 20, SLOW, *[QUIET] * 6)

    found = Gate().quiet_among_quiet(log.bursts)

    assert places_of(found, log) == [*range(18), *range(23, 27)]


def test_where_few_have_quiet_neighbours_every_quiet_one_is_relied_on():
    log = log_of(*[QUIET, QUIET, SLOW] * 10)

    assert Gate().quiet_among_quiet(log.bursts) == Gate().quiet(log.bursts)


def test_a_long_burst_needs_no_quiet_neighbours():
    log = BurstLog()
    for sentinel_ns in (SENTINEL_NS,) * 20 + (2 * SENTINEL_NS,) + (SENTINEL_NS,) * 6:
        log.add([100_000_000], cpu_ns=100_000_000, sentinels_ns=(sentinel_ns, sentinel_ns))

    found = Gate().quiet_among_quiet(log.bursts)

    assert places_of(found, log) == [*range(20), *range(21, 27)]


def test_a_burst_that_had_to_share_its_core_is_not_quiet():
    log = log_of((1, 1, 1.0), (1, 1, 0.98), (1, 1, 0.97), (1, 1, 0.5))

    assert quiet_places(log) == [0, 1]


def test_threads_that_wait_for_each_other_are_held_to_what_is_usual_for_the_model():
    log = log_of((1, 1, 1.5), (1, 1, 1.52), (1, 1, 1.48), (1, 1, 1.2), (1.65, 1.65, 1.5))

    assert quiet_places(log, waits=True) == [0, 1, 2]


def test_the_best_sentinel_is_that_of_the_whole_run():
    log = log_of((1.65, 1.65, 1), (1.65, 1.0, 1), (1.0, 1.0, 1))

    assert best_sentinel_ns(log.bursts) == SENTINEL_NS
    assert quiet_places(log) == [2]


def test_one_freakishly_fast_sentinel_does_not_make_the_others_slow():
    log = log_of((0.8, 1.0, 1), *[(1.0, 1.1, 1)] * 99)

    assert best_sentinel_ns(log.bursts) == SENTINEL_NS
    assert len(quiet_places(log)) == 100


def test_a_run_that_is_slow_from_start_to_end_is_told_by_the_best_of_earlier_runs():
    log = log_of(*[(1.65, 1.65, 1)] * 9, (1.1, 1.1, 1))

    assert quiet_places(log_of(*[(1.65, 1.65, 1)] * 9)) == list(range(9))
    assert quiet_places(log, known_best_ns=SENTINEL_NS) == [9]


def test_a_machine_that_is_faster_than_ever_is_held_to_its_new_best():
    log = log_of((1.0, 1.0, 1), (1.65, 1.65, 1))

    assert quiet_places(log, known_best_ns=2 * SENTINEL_NS) == [0]


def test_nothing_measured_is_nothing_quiet():
    assert Gate().quiet([]) == []


def test_a_log_keeps_exact_sums_and_an_even_choice_of_its_samples():
    log = BurstLog()
    count = 2 * MAX_KEPT_COUNT

    for first in range(0, count, 100):
        samples_ns = range(first + 1, first + 101)
        log.add(samples_ns, cpu_ns=1, sentinels_ns=(1, 1))

    kept_ns = [sample_ns for burst in log.bursts for sample_ns in burst.kept_ns]
    assert log.sample_count == count
    assert sum(burst.sum_ns for burst in log.bursts) == count * (count + 1) // 2
    assert MAX_KEPT_COUNT / 2 <= len(kept_ns) <= MAX_KEPT_COUNT
    assert {b - a for a, b in zip(kept_ns, kept_ns[1:], strict=False)} == {kept_ns[1] - kept_ns[0]}


def test_the_choice_of_samples_is_even_whatever_the_bursts_lengths():
    log = BurstLog()
    place = 0
    for length in (7, 1, 3, 250_000, 5, 250_001, 9, 2):
        log.add(range(place + 1, place + length + 1), cpu_ns=1, sentinels_ns=(1, 1))
        place += length

    kept_ns = [sample_ns for burst in log.bursts for sample_ns in burst.kept_ns]

    assert {b - a for a, b in zip(kept_ns, kept_ns[1:], strict=False)} == {2}


@pytest.mark.parametrize(
    "call_ns, calls",
    [(0, 50_000), (2_000, 25), (49_999, 2), (MIN_SAMPLE_NS, 1), (10_000_000_000, 1)],
)
def test_calls_too_short_to_time_are_timed_together(call_ns, calls):
    assert calls_per_sample(call_ns) == calls


def test_a_burst_lasts_at_least_five_milliseconds():
    called = []

    samples_ns, cpu_ns = time_burst(lambda: called.append(1), calls=10, lead_in=3)

    assert sum(samples_ns) >= BURST_NS
    assert len(called) == 3 + 10 * len(samples_ns)
    assert cpu_ns > 0


def test_the_sentinel_is_short_beside_a_burst():
    assert min(time_sentinel() for _ in range(20)) < BURST_NS / 20
