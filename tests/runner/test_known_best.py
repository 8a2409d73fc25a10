"""What is known of a machine's speed: honest runs, lucky ones, made-up ones, and a new machine."""

import math
import statistics

import pytest

from runner.known_best import OLDEST_S, RUNS_KEPT, KnownBest

FAST_S, SLOW_S = 30e-6, 50e-6


class Clock:
    now_s = 1e9

    def __call__(self):
        self.now_s += 60
        return self.now_s


@pytest.fixture
def known(tmp_path):
    return KnownBest(tmp_path / "known.json", "machine-1", Clock())


def remember(known, *bests_s):
    for best_s in bests_s:
        known.remember(best_s)


def test_nothing_is_known_before_the_first_run(known):
    assert known.sentinel_s() is None


def test_a_slow_run_is_held_to_the_fast_one_before_it(known):
    remember(known, FAST_S, SLOW_S)

    assert known.sentinel_s() == FAST_S


def test_a_run_without_a_best_changes_nothing(known):
    remember(known, FAST_S, None)

    assert known.sentinel_s() == FAST_S


def test_one_lucky_run_of_many_does_not_make_the_others_slow(known):
    remember(known, FAST_S / 2, *[FAST_S] * 4)

    assert known.sentinel_s() == FAST_S


def test_a_machine_that_has_become_slower_is_known_as_such_after_some_runs(known):
    remember(known, *[FAST_S] * RUNS_KEPT, *[SLOW_S] * 14)
    assert known.sentinel_s() == FAST_S

    remember(known, *[SLOW_S] * 2)

    assert known.sentinel_s() == SLOW_S


def test_a_spread_needs_five_runs(known):
    remember(known, *[FAST_S] * 4)
    assert known.speed_spread() is None

    remember(known, FAST_S)

    assert known.speed_spread() == 0


def test_the_spread_is_that_of_a_normal_distribution_at_95_percent(known):
    # 20 quantiles of one with a standard deviation of 3 %: t with 19 degrees is 2.093. The
    # quartiles of so few lie a tenth closer together than those of the distribution.
    bests = statistics.NormalDist(0, 0.03).quantiles(21)
    remember(known, *(FAST_S * math.exp(best) for best in bests))

    assert known.speed_spread() == pytest.approx(2.093 * 0.03, rel=0.12)


def test_models_that_slow_the_sentinel_do_not_widen_the_spread(known):
    remember(known, *[FAST_S, 1.01 * FAST_S] * 9, SLOW_S, SLOW_S)

    assert known.speed_spread() < 0.03


def test_what_is_older_than_a_week_is_forgotten(known):
    remember(known, FAST_S)
    known.clock.now_s += OLDEST_S

    assert known.sentinel_s() is None


def test_machines_are_told_apart_and_keep_what_is_known_of_the_others(known):
    other = KnownBest(known.path, "machine-2", known.clock)
    remember(known, FAST_S)
    remember(other, SLOW_S)

    assert (known.sentinel_s(), other.sentinel_s()) == (FAST_S, SLOW_S)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"KEY": 3}', '{"KEY": [1, [1], [1, "a"], [1, NaN], [1e12, -1]]}']
)
def test_a_damaged_file_costs_what_was_known_and_no_run(known, text):
    remember(known, FAST_S)
    key = known.path.read_text().split('"')[1]
    known.path.write_text(text.replace("KEY", key))

    assert known.sentinel_s() is None

    remember(known, SLOW_S)
    assert known.sentinel_s() == SLOW_S
