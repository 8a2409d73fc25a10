"""What an estimate means to people: many inferences, everyday acts, and real differences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.comparison import Interval, is_within_noise, ratio_change
from footprint.equivalents import (
    CAR_KM,
    EQUIVALENTS,
    FLIGHT_PARIS_LONDON,
    SMARTPHONE_CHARGE,
    amount_sentence,
    comparable,
    equivalence_sentence,
    inferences_per,
)
from footprint.scaling import DAYS_PER_YEAR, over_days, scale, standard_scales

NONSENSE = [-1.0, float("nan"), float("inf")]


def test_one_a_thousand_and_a_million_inferences():
    scales = standard_scales(energy_kwh=2e-9, emission_g=1e-6)

    assert [each.inference_count for each in scales] == [1, 1_000, 1_000_000]
    assert [each.emission_g for each in scales] == pytest.approx([1e-6, 1e-3, 1.0])
    assert [each.energy_kwh for each in scales] == pytest.approx([2e-9, 2e-6, 2e-3])


def test_a_year_of_a_thousand_inferences_a_day():
    year = over_days(
        energy_kwh=1e-9, emission_g=1e-6, inferences_per_day=1_000, day_count=DAYS_PER_YEAR
    )

    assert year.inference_count == 365_000
    assert year.emission_g == pytest.approx(0.365)


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_a_count_of_inferences_is_a_count(nonsense):
    with pytest.raises(ValueError, match="inference_count"):
        scale(energy_kwh=1.0, emission_g=1.0, inference_count=nonsense)
    with pytest.raises(ValueError, match="inferences_per_day"):
        over_days(energy_kwh=1.0, emission_g=1.0, inferences_per_day=nonsense)


@pytest.mark.parametrize("equivalent", EQUIVALENTS, ids=lambda equivalent: equivalent.key)
@given(st.floats(1e-12, 1e6))
def test_that_many_inferences_emit_as_much_as_the_equivalent(equivalent, emission_g):
    inference_count = inferences_per(equivalent, emission_g)

    assert inference_count * emission_g == pytest.approx(equivalent.emission_g, rel=1e-12)


def test_the_articles_inference_in_kilometres_by_car():
    assert equivalence_sentence(CAR_KM, 75.42e-9) == "2.32 billion inferences = 1 km by car"


def test_a_heavy_inference_is_said_the_other_way_round():
    assert equivalence_sentence(CAR_KM, 350.0) == "1 inference = 2 km by car"
    assert equivalence_sentence(CAR_KM, 175.0) == "1 inference = 1 km by car"
    assert (
        equivalence_sentence(SMARTPHONE_CHARGE, 31.0) == "1 inference = 2.5 full smartphone charges"
    )


@pytest.mark.parametrize("nonsense", [0.0, *NONSENSE])
def test_nothing_is_not_compared_with_something(nonsense):
    with pytest.raises(ValueError, match="emission_g"):
        inferences_per(CAR_KM, nonsense)


def test_less_than_a_hundredth_of_something_is_told_as_a_fraction():
    assert amount_sentence(FLIGHT_PARIS_LONDON, 500) == "0.01 flights from Paris to London"
    assert amount_sentence(FLIGHT_PARIS_LONDON, 13) == "1/3,846 of one flight from Paris to London"
    assert amount_sentence(SMARTPHONE_CHARGE, 0.075) == "1/165 of one full smartphone charge"


def test_only_what_gives_an_idea_of_the_amount_is_named():
    assert comparable(EQUIVALENTS, 1_000) == list(EQUIVALENTS)
    assert FLIGHT_PARIS_LONDON not in comparable(EQUIVALENTS, 13)
    assert comparable(EQUIVALENTS, 0.075) == [SMARTPHONE_CHARGE]
    assert comparable(EQUIVALENTS, 0) == comparable(EQUIVALENTS, 1e-300) == comparable((), 1) == []


@given(st.floats(0, 1e12))
def test_no_amount_that_is_named_is_unreadably_small(emission_g):
    for one in comparable(EQUIVALENTS, emission_g):
        assert not amount_sentence(one, emission_g).startswith("0.00")


def test_every_equivalent_names_its_source():
    assert all(equivalent.source and equivalent.emission_g > 0 for equivalent in EQUIVALENTS)


def test_a_change_is_a_share_of_what_was_before():
    assert ratio_change(before=20.0, after=21.0) == pytest.approx(0.05)
    assert ratio_change(before=20.0, after=10.0) == -0.5
    with pytest.raises(ValueError, match="before"):
        ratio_change(before=0.0, after=1.0)


def test_overlapping_intervals_are_noise_and_separate_ones_are_not():
    old = Interval(1.0, 1.2)

    assert is_within_noise(old, Interval(1.1, 1.3))
    assert is_within_noise(old, Interval(0.5, 2.0))
    assert is_within_noise(old, Interval(1.2, 1.3))
    assert not is_within_noise(old, Interval(1.21, 1.3))
    assert not is_within_noise(old, Interval(0.8, 0.9))


def test_an_interval_the_wrong_way_round_is_refused():
    for low, high in ((2.0, 1.0), (float("nan"), 1.0), (0.0, float("inf"))):
        with pytest.raises(ValueError, match="low must not exceed high"):
            Interval(low, high)
