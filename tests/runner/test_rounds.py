import gc
import time

import pytest

from runner.bursts import BurstLog
from runner.job import Job
from runner.reporting import Reporter
from runner.rounds import Pace, is_sure_enough, measure_rounds

CAREFUL = Job("measure", "/a", effort="careful")


def pace(**changes):
    settings = {
        "measuring_s": 0.1,
        "longest_s": 0.1,
        "round_s": 0.02,
        "deadline_s": time.monotonic() + 60,
        "is_sure": lambda log: True,
    }
    return Pace(**(settings | changes))


def measured(call, pace, *, call_s=0.0001):
    return measure_rounds(call, call_s=call_s, pace=pace, reporter=Reporter(None))


def test_samples_are_taken_in_rounds_for_as_long_as_is_wanted():
    log, wall_s = measured(lambda: None, pace())

    assert log.round_count >= 5
    assert wall_s >= 0.1
    assert {burst.round_number for burst in log.bursts} == set(range(log.round_count))


def test_a_run_goes_on_until_it_is_sure():
    asked = []

    def is_sure(log):
        asked.append(log.round_count)
        return len(asked) == 3

    log, _ = measured(lambda: None, pace(longest_s=60.0, is_sure=is_sure))

    assert len(asked) == 3
    assert log.round_count == asked[-1]


def test_a_run_that_never_is_sure_ends_all_the_same():
    _, wall_s = measured(lambda: None, pace(longest_s=0.2, is_sure=lambda log: False))

    assert 0.2 <= wall_s < 10


def test_a_run_past_its_deadline_ends_with_two_samples():
    log, _ = measured(
        lambda: time.sleep(0.01), pace(measuring_s=60.0, round_s=0.001, deadline_s=0), call_s=0.01
    )

    assert log.sample_count == 2


def test_the_collector_rests_while_calls_are_timed_and_works_again_after():
    seen = set()

    measured(lambda: seen.add(gc.isenabled()), pace())

    assert seen == {False}
    assert gc.isenabled()


def test_the_collector_works_again_after_a_call_that_fails():
    with pytest.raises(ZeroDivisionError):
        measured(lambda: 1 / 0, pace())

    assert gc.isenabled()


@pytest.mark.parametrize("spread, is_sure", [(0.001, True), (0.1, False)])
def test_careful_is_sure_when_the_interval_is_within_two_percent(spread, is_sure):
    log = BurstLog()
    for number in range(15):
        sample_ns = round(10_000_000 * (1 + spread * (-1) ** number))
        log.add([sample_ns], cpu_ns=sample_ns, sentinels_ns=(30_000, 30_000))
        log.end_round()

    assert is_sure_enough(log, CAREFUL) is is_sure


@pytest.mark.parametrize("quiet_count, is_sure", [(50, True), (49, False)])
def test_standard_is_sure_when_a_quarter_of_its_time_was_quiet(quiet_count, is_sure):
    log = BurstLog()
    for number in range(200):
        sentinel_ns = 30_000 if number < quiet_count else 50_000
        log.add([100_000_000], cpu_ns=100_000_000, sentinels_ns=(sentinel_ns, sentinel_ns))

    assert is_sure_enough(log, Job("measure", "/a")) is is_sure


def test_quick_takes_what_it_gets():
    log = BurstLog()
    log.add([100_000_000], cpu_ns=1, sentinels_ns=(30_000, 30_000))

    assert is_sure_enough(log, Job("measure", "/a", effort="quick"))


def test_efforts_differ_in_how_long_and_in_how_many_rounds_they_measure():
    paces = {
        effort: Pace.of(Job("measure", "/a", effort=effort), started_s=0.0)
        for effort in ("quick", "standard", "careful")
    }

    spans = {name: (each.measuring_s, each.longest_s) for name, each in paces.items()}
    assert spans == {"quick": (5, 5), "standard": (20, 40), "careful": (75, 300)}
    assert {name: each.round_s for name, each in paces.items()} == {
        "quick": 1,
        "standard": 2,
        "careful": 5,
    }
