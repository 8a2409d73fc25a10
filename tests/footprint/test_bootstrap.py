"""The interval of a ratio of means, from samples."""

import random

import pytest

from footprint.bootstrap import ratio_interval


def scattered(mean_s, *, seed, count=400):
    source = random.Random(seed)
    return [source.gauss(mean_s, mean_s * 0.05) for _ in range(count)]


def test_the_same_samples_give_the_same_interval():
    above, below = scattered(2.0, seed=1), scattered(1.0, seed=2)

    assert ratio_interval(above, below) == ratio_interval(above, below)


def test_twice_the_time_is_a_ratio_about_two_and_no_noise():
    found = ratio_interval(scattered(2.0, seed=1), scattered(1.0, seed=2))

    assert 1.9 < found.low < 2 < found.high < 2.1


@pytest.mark.parametrize("truth", [1.0, 1.3])
def test_it_covers_the_truth_about_as_often_as_it_says(truth):
    hits = 0
    for seed in range(100):
        found = ratio_interval(
            scattered(truth, seed=seed), scattered(1.0, seed=seed + 1000), draw_count=300
        )
        hits += found.low <= truth <= found.high

    assert 85 <= hits <= 100


def test_neighbours_that_resemble_each_other_widen_it():
    slow_half = [1.0] * 200 + [1.2] * 200
    mixed = [1.0, 1.2] * 200

    calm, steady = ratio_interval(slow_half, mixed), ratio_interval(mixed, mixed)

    assert calm.high - calm.low > 5 * (steady.high - steady.low)


@pytest.mark.parametrize("samples", [[], [1.0], [1.0, 0.0], [1.0, float("nan")], [1.0, -1.0]])
def test_samples_that_say_nothing_are_refused(samples):
    with pytest.raises(ValueError):
        ratio_interval(samples, [1.0, 2.0])
