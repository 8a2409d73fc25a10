"""The interval of a share, by the figures of the paper that compares the methods."""

import random

import pytest

from footprint.proportion import Proportion, difference_interval, proportion_of


# Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3 (score, no correction).
@pytest.mark.parametrize(
    "correct, items, low, high",
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_the_published_one(correct, items, low, high):
    found = proportion_of(correct, items)

    assert found.ratio == correct / items
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


# Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 10.
@pytest.mark.parametrize(
    "above, below, low, high",
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090)],
)
def test_the_difference_is_the_published_one(above, below, low, high):
    found = difference_interval(proportion_of(*above), proportion_of(*below))

    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize("items", [1, 2, 7, 1000, 10**9])
@pytest.mark.parametrize("share", [0, 1])
def test_all_or_none_right_still_has_a_width(items, share):
    found = proportion_of(items * share, items)

    assert 0 <= found.low <= found.ratio <= found.high <= 1
    assert found.high > found.low


def test_a_share_without_an_interval_is_noise_beside_one_that_holds_it():
    typed, measured = Proportion.exact(0.81), proportion_of(80, 100)

    near = difference_interval(typed, measured)
    far = difference_interval(Proportion.exact(0.99), measured)

    assert near.low < 0 < near.high
    assert far.low > 0


@pytest.mark.parametrize("truth", [0.5, 0.9, 0.99])
def test_it_covers_the_truth_about_as_often_as_it_says(truth):
    source = random.Random(7)
    hits = 0
    for _ in range(400):
        correct = sum(source.random() < truth for _ in range(200))
        found = proportion_of(correct, 200)
        hits += found.low <= truth <= found.high

    assert 0.92 <= hits / 400 <= 0.99


@pytest.mark.parametrize("correct, items", [(1, 0), (0, 0), (-1, 3), (4, 3)])
def test_what_is_no_share_is_refused(correct, items):
    with pytest.raises(ValueError):
        proportion_of(correct, items)
