"""The grade: what counts against a result, and that it says so."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.grade import Evidence, grade

SURE = Evidence(
    spread_ratio=0.01,
    quiet_ratio=0.97,
    is_noisy=False,
    is_profiles_machine=True,
    is_power_typed=False,
    intensity_age_years=1,
    intensity_measure="life_cycle",
    is_intensity_fallback=False,
)


def test_a_sure_result_is_an_a_and_says_what_makes_it_sure():
    found = grade(SURE)

    assert found.letter == "A"
    assert [one.points for one in found.reasons] == [0, 0, 0, 0, 0]
    assert "The mean is known to ±1 % (95 % interval)." in [one.text for one in found.reasons]


@pytest.mark.parametrize(
    ("change", "letter", "words"),
    [
        ({"spread_ratio": 0.04}, "A", "±4 %"),
        ({"spread_ratio": 0.08}, "B", "±8 %"),
        ({"spread_ratio": 0.3}, "B", "±30 %"),
        ({"spread_ratio": None}, "B", "Too few rounds"),
        ({"is_noisy": True}, "B", "disturbed the machine"),
        ({"quiet_ratio": 0.3}, "A", "quiet 30 % of the time; only that time counts"),
        ({"quiet_ratio": None}, "A", "is not known"),
        ({"is_profiles_machine": False}, "B", "another processor"),
        ({"is_power_typed": True}, "A", "typed into the profile"),
        ({"intensity_age_years": 4}, "A", "4 years older"),
        ({"intensity_age_years": 9}, "B", "9 years older"),
        ({"intensity_age_years": -9}, "B", "9 years newer"),
        ({"is_intensity_fallback": True}, "B", "the world's stands in"),
        ({"intensity_measure": "operational"}, "A", "not a life-cycle figure (operational only)"),
    ],
)
def test_each_doubt_has_its_weight_and_stands_first(change, letter, words):
    found = grade(replace(SURE, **change))

    assert found.letter == letter
    assert words in found.reasons[0].text


def test_a_later_year_is_not_called_the_year_of_the_run():
    texts = [one.text for one in grade(replace(SURE, intensity_age_years=-1)).reasons]

    assert "The carbon intensity is 1 year newer than the run." in texts


def test_doubts_add_up_to_a_d():
    middling = replace(SURE, is_profiles_machine=False, is_power_typed=True)

    assert grade(middling).letter == "C"
    assert grade(replace(middling, is_noisy=True)).letter == "D"


evidences = st.builds(
    Evidence,
    spread_ratio=st.none() | st.floats(0, 10),
    quiet_ratio=st.none() | st.floats(0, 1),
    is_noisy=st.booleans(),
    is_profiles_machine=st.booleans(),
    is_power_typed=st.booleans(),
    intensity_age_years=st.integers(-1, 30),
    intensity_measure=st.sampled_from(["life_cycle", "operational", "co2_only"]),
    is_intensity_fallback=st.booleans(),
)


@given(evidences)
def test_taking_a_doubt_away_never_makes_the_grade_worse(evidence):
    better = replace(evidence, is_noisy=False, is_profiles_machine=True, is_power_typed=False)

    assert grade(better).letter <= grade(evidence).letter
    assert all(one.text.endswith(".") for one in grade(evidence).reasons)
