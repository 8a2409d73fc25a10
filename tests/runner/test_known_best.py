"""What is known of a machine's speed: honest runs, lucky ones, made-up ones, and a new machine."""

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
