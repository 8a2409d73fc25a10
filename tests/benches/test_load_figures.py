"""What a load test says, from figures that can be checked in the head."""

import pytest

from benches.load_figures import (
    HISTORY,
    MB,
    Answer,
    Memory,
    Ratio,
    latency_table,
    memory_table,
    percentile_s,
    ratio_of,
    request_table,
    verdicts,
)

SAME = Ratio(1.0, 0.99, 1.01)


def answers(*durations_s, page=HISTORY, fault=""):
    return [Answer(page, duration_s, fault) for duration_s in durations_s]


def memory(size_bytes, *, growth_bytes):
    return Memory(10, size_bytes, 100 * MB, 100 * MB + growth_bytes, 101 * MB)


SMALL, LARGE = memory(MB, growth_bytes=MB), memory(50 * MB, growth_bytes=2 * MB)


def kept(given=None, cases=(SMALL, LARGE), ratio=SAME):
    return [is_kept for is_kept, _ in verdicts(given or answers(0.1), cases, ratio)]


def test_all_is_kept_where_all_is_well():
    assert kept() == [True] * 4


def test_one_failed_request_is_one_too_many():
    assert kept(answers(*[0.1] * 1000) + answers(0.1, page="home", fault="502")) == [
        *(False, True, True, True)
    ]


def test_without_a_request_nothing_is_kept():
    assert [one for one, _ in verdicts([], [SMALL, LARGE], SAME)][:2] == [False, False]


@pytest.mark.parametrize(("slow_count", "is_kept"), [(5, True), (6, False)])
def test_five_of_a_hundred_pages_may_be_slow(slow_count, is_kept):
    given = answers(*[0.1] * (100 - slow_count), *[0.5] * slow_count)

    assert kept(given)[1] is is_kept


def test_slow_uploads_are_no_slow_pages():
    assert kept(answers(0.1) + answers(60.0, page="upload of 50 MB"))[1]


@pytest.mark.parametrize(("growth_mb", "is_kept"), [(16, True), (18, False), (500, False)])
def test_memory_that_grows_with_the_uploads_is_told(growth_mb, is_kept):
    assert kept(cases=(SMALL, memory(50 * MB, growth_bytes=growth_mb * MB)))[2] is is_kept


@pytest.mark.parametrize(
    ("ratio", "is_kept"),
    [
        (SAME, True),
        (Ratio(1.05, 1.01, 1.09), False),
        (Ratio(0.95, 0.91, 0.99), False),
        (Ratio(1.4, 0.3, 6.9), False),
    ],
)
def test_an_interval_beside_one_is_an_effect(ratio, is_kept):
    assert kept(ratio=ratio)[3] is is_kept


def test_a_ratio_is_of_pairs_and_forgives_a_machine_that_gets_slower():
    found = ratio_of([1.0, 2.0, 4.0], [1.1, 2.2, 4.4])

    assert (found.low, found.middle, found.high) == pytest.approx((1.1, 1.1, 1.1))
    assert not found.says_nothing


def test_pairs_that_disagree_say_little():
    # The logarithms are 0.1 and -0.1: 12.71 x 0.1414 / 1.414 to either side of 0.
    found = ratio_of([1.0, 1.0], [1.10517, 0.904837])

    assert found.middle == pytest.approx(1.0, abs=1e-4)
    assert found.high == pytest.approx(3.564, abs=0.01)


def test_one_pair_says_nothing():
    with pytest.raises(ValueError):
        ratio_of([1.0], [1.0])


def test_a_percentile_is_one_of_the_durations():
    assert percentile_s([3.0, 1.0, 2.0], 50) == 2.0
    assert percentile_s([3.0, 1.0, 2.0], 95) == 3.0


def test_the_tables_say_what_was_counted():
    rows = request_table(answers(0.1, 0.2) + answers(2.0, page="home", fault="500")).splitlines()

    assert rows[2:] == [
        f"| {HISTORY} | 2 | 0 | 100 | 200 | 200 |",
        "| home | 1 | 1 | 2000 | 2000 | 2000 |",
    ]
    assert memory_table([LARGE]).splitlines()[2] == ("| 10 x 50 MB | 100.0 | 102.0 | 101.0 | 2.0 |")
    assert latency_table([1e-6, 1e-6], [1e-6, 1e-6]).splitlines()[2] == (
        "| 2 | 1.0 | 1.0 | 1.0000 | 1.0000 to 1.0000 | 0.0 % |"
    )
