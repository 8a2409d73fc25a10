"""What the timed inferences say, and that one slow one does not drown the rest."""

import statistics
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.samples import (
    LatencySummary,
    histogram,
    mean_interval,
    percentile,
    round_means,
)

sample_lists_s = st.lists(st.floats(1e-7, 10), min_size=2, max_size=200)
NONSENSE = [-1.0, float("nan"), float("inf")]


def test_a_summary_of_samples_a_reader_can_check():
    summary = LatencySummary.of([1.0, 2.0, 3.0, 4.0, 10.0])

    assert summary.sample_count == 5
    assert summary.mean_s == 4.0
    assert summary.median_s == 3.0
    assert summary.mad_s == 1.0
    assert (summary.min_s, summary.max_s) == (1.0, 10.0)
    assert summary.stdev_s == pytest.approx(statistics.stdev([1, 2, 3, 4, 10]))
    assert summary.p90_s == pytest.approx(7.6)


@given(sample_lists_s)
def test_the_figures_of_a_summary_stand_in_order(samples_s):
    summary = LatencySummary.of(samples_s)

    ordered_s = (
        summary.min_s,
        summary.median_s,
        summary.p90_s,
        summary.p95_s,
        summary.p99_s,
        summary.max_s,
    )
    assert all(low <= high * (1 + 1e-12) for low, high in pairwise(ordered_s))
    assert summary.mean_s == pytest.approx(statistics.fmean(samples_s), rel=1e-12)


@given(sample_lists_s)
def test_the_mean_lies_inside_its_interval(samples_s):
    summary = LatencySummary.of(samples_s)

    assert summary.ci95_low_s <= summary.mean_s * (1 + 1e-12)
    assert summary.mean_s <= summary.ci95_high_s * (1 + 1e-12)


def test_the_interval_of_two_rounds_uses_students_t():
    # Mean 2, standard error 1, t with one degree of freedom 12.7062.
    interval = mean_interval([1.0, 3.0])

    assert interval.low == pytest.approx(2 - 12.7062)
    assert interval.high == pytest.approx(2 + 12.7062)


@pytest.mark.parametrize(
    ("round_count", "published_t"), [(12, 2.2010), (20, 2.0930), (31, 2.0423), (121, 1.9799)]
)
def test_the_interval_of_many_rounds_uses_students_t(round_count, published_t):
    rounds_s = [1.0 + index % 2 for index in range(round_count)]

    interval = mean_interval(rounds_s)

    half_s = (interval.high - interval.low) / 2
    standard_error_s = statistics.stdev(rounds_s) / round_count**0.5
    assert half_s / standard_error_s == pytest.approx(published_t, abs=2e-4)


def test_drift_widens_the_interval_though_neighbours_agree():
    steady_s = [1.0, 2.0] * 500
    drifting_s = sorted(steady_s)

    steady, drifting = LatencySummary.of(steady_s), LatencySummary.of(drifting_s)

    steady_width_s = steady.ci95_high_s - steady.ci95_low_s
    assert drifting.ci95_high_s - drifting.ci95_low_s > 10 * steady_width_s
    assert drifting.mean_s == steady.mean_s


def test_rounds_are_consecutive_and_leave_nothing_out():
    assert round_means([1.0, 1.0, 4.0, 4.0, 7.0, 7.0], round_count=3) == (1.0, 4.0, 7.0)
    assert round_means([5.0, 6.0], round_count=20) == (5.0, 6.0)


def test_a_percentile_lies_between_its_neighbours():
    assert percentile([4.0, 1.0, 3.0, 2.0], 0) == 1.0
    assert percentile([4.0, 1.0, 3.0, 2.0], 100) == 4.0
    assert percentile([4.0, 1.0, 3.0, 2.0], 90) == pytest.approx(3.7)
    assert percentile([7.0], 95) == 7.0


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_samples_that_no_clock_gives_are_refused(nonsense):
    for call in (
        lambda: LatencySummary.of([1.0, nonsense]),
        lambda: percentile([nonsense], 50),
        lambda: histogram([nonsense]),
        lambda: percentile([1.0], nonsense),
    ):
        with pytest.raises(ValueError, match=r"samples_s|percent"):
            call()


def test_too_few_samples_are_refused():
    for call in (lambda: LatencySummary.of([1.0]), lambda: percentile([], 50)):
        with pytest.raises(ValueError, match="samples are needed"):
            call()


@given(sample_lists_s, st.integers(1, 60))
def test_every_sample_is_in_one_bin_and_the_bins_join(samples_s, bin_count):
    bins = histogram(samples_s, bin_count)

    assert sum(each.count for each in bins) == len(samples_s)
    assert len(bins) <= bin_count + 1
    assert all(left.high_s == right.low_s for left, right in pairwise(bins))
    assert (bins[0].low_s, bins[-1].high_s) == (min(samples_s), max(samples_s))
    assert not any(each.is_tail for each in bins[:-1])


def test_one_outlier_goes_to_the_tail_and_the_rest_keep_their_shape():
    samples_s = [0.010 + 0.00001 * index for index in range(100)] + [5.0]

    bins = histogram(samples_s, bin_count=10)

    assert [each.count for each in bins[:-1]] == [10] * 10
    assert bins[-1].is_tail
    assert bins[-1].count == 1
    assert bins[-1].high_s == 5.0


def test_two_speeds_are_both_shown_and_not_called_a_tail():
    bins = histogram([0.010] * 80 + [0.020] * 20, bin_count=10)

    assert (bins[0].count, bins[-1].count) == (80, 20)
    assert not bins[-1].is_tail


def test_equal_samples_make_one_bin_and_stragglers_a_second():
    assert [each.count for each in histogram([0.01] * 50)] == [50]
    assert [(each.count, each.is_tail) for each in histogram([0.01] * 50 + [0.02])] == [
        (50, False),
        (1, True),
    ]


def test_a_histogram_needs_a_bin():
    with pytest.raises(ValueError, match="bin_count"):
        histogram([1.0, 2.0], bin_count=0)
