"""The knee: the smallest setting that is as good as the best one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.comparison import Interval
from footprint.knee import SweptSetting, change_from, knee_of


def swept(*emissions_g, thread_count=1, spread=None):
    """Settings of batch 1, 2, 4 ... that emit so much, each with an interval of +- ``spread``."""
    return [
        SweptSetting(
            2**index,
            thread_count,
            emission_g,
            spread and Interval(emission_g * (1 - spread), emission_g * (1 + spread)),
        )
        for index, emission_g in enumerate(emissions_g)
    ]


def test_a_curve_that_flattens_has_its_knee_where_it_does():
    knee = knee_of(swept(10, 8, 7, 6.2, 6.1, 6.1, 6.1))

    assert knee.setting.batch_size == 8
    assert knee.saved_ratio == pytest.approx(0.38)
    assert knee.is_beyond_known


def test_a_curve_that_still_falls_has_its_knee_at_the_end_and_nothing_beyond():
    knee = knee_of(swept(16, 8, 4, 2, spread=0.01))

    assert knee.setting.batch_size == 8
    assert not knee.is_beyond_known


def test_a_curve_that_rises_again_has_its_knee_before():
    knee = knee_of(swept(10, 6, 9, 14, spread=0.01))

    assert (knee.setting.batch_size, knee.best.batch_size) == (2, 2)


def test_where_nothing_gets_better_the_smallest_setting_stands():
    knee = knee_of(swept(10, 10.1, 9.9, 10.2))

    assert knee.is_baseline
    assert knee.saved_ratio == 0


def test_a_gain_inside_the_noise_is_none():
    knee = knee_of(swept(10, 9, 8.5, spread=0.1))

    assert knee.is_baseline


def test_a_gain_beyond_the_noise_counts():
    knee = knee_of(swept(10, 9, 8.5, spread=0.01))

    assert knee.setting.batch_size == 4


def test_more_threads_are_less_of_a_step_than_a_larger_batch():
    settings = [*swept(10, 6), *swept(6, 6, thread_count=2)]

    knee = knee_of(settings)

    assert knee.setting.size == (1, 2)
    assert knee.baseline.size == (1, 1)


def test_one_point_and_none_have_no_knee():
    assert knee_of([]) is None
    assert knee_of(swept(10)) is None


def test_the_order_of_the_settings_does_not_matter():
    settings = swept(10, 8, 6, 6)

    assert knee_of(settings[::-1]) == knee_of(settings)


def test_from_a_true_zero_there_is_no_change():
    nothing, something = swept(0, 1)

    assert change_from(nothing, something) is None
    assert knee_of([nothing, something]).saved_ratio is None


def test_negative_grams_are_refused():
    with pytest.raises(ValueError, match="emission_g"):
        SweptSetting(1, 1, -1.0)


@given(st.lists(st.floats(min_value=1e-12, max_value=1e3), min_size=2, max_size=12))
def test_the_knee_is_never_more_than_a_little_worse_than_the_best_nor_larger(emissions_g):
    knee = knee_of(swept(*emissions_g))

    assert knee.setting.emission_g <= min(emissions_g) * 1.0300001
    assert knee.setting.size <= knee.best.size


@given(
    st.lists(st.floats(min_value=1e-9, max_value=1e3), min_size=2, max_size=8),
    st.sampled_from([0.5, 2.0, 4.0]),
)
def test_a_dirtier_grid_moves_no_knee(emissions_g, factor):
    before = knee_of(swept(*emissions_g))
    after = knee_of(swept(*[emission_g * factor for emission_g in emissions_g]))

    assert after.setting.size == before.setting.size
