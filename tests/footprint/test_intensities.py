"""The low and the high of the last five years, and what they do to the range."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.estimate import Assumptions, estimate
from footprint.intensities import RecentIntensity, YearlyIntensity
from footprint.power_models import emission_range
from footprint.ram import Memory

LAPTOP = Assumptions(13.0, 3.0, 0.0, pue=1.0, intensity_g_per_kwh=713.0)


def years(**g_per_kwh_by_year):
    return [
        YearlyIntensity(int(year.removeprefix("y")), g_per_kwh, "test table")
        for year, g_per_kwh in g_per_kwh_by_year.items()
    ]


def test_only_the_five_years_that_end_with_the_newest_count():
    recent = RecentIntensity.of(years(y2019=900, y2021=700, y2023=650, y2025=690))

    assert (recent.first_year, recent.last_year) == (2021, 2025)
    assert (recent.low.g_per_kwh, recent.low.year) == (650, 2023)
    assert (recent.high.g_per_kwh, recent.high.year) == (700, 2021)


def test_one_year_has_no_range():
    assert RecentIntensity.of(years(y2023=400)) is None
    assert RecentIntensity.of(years(y2010=900, y2023=400)) is None
    assert RecentIntensity.of([]) is None


def test_a_zero_is_missing_data_and_refused():
    with pytest.raises(ValueError, match="greater than zero"):
        YearlyIntensity(2023, 0.0, "test table")


def test_the_range_has_the_years_with_their_sources_at_rated_power():
    recent = RecentIntensity.of(years(y2024=650, y2025=720))

    spread = emission_range(LAPTOP, 3600, recent=recent)

    low, high = spread.models[-2:]
    assert low.name == "Lowest intensity of 2024 to 2025"
    assert low.source == "650 g/kWh in 2024: test table"
    assert low.emission_g == pytest.approx(0.016 * 650) == spread.low_g
    assert high.emission_g == pytest.approx(0.016 * 720) == spread.high_g
    assert low.power_w == high.power_w == 16.0


@given(st.lists(st.floats(0.001, 3000), min_size=2, max_size=5), st.floats(0, 1))
def test_the_headline_of_one_of_the_years_lies_within_the_range(figures, load_ratio):
    recent = RecentIntensity.of(
        [YearlyIntensity(2021 + n, one, "test table") for n, one in enumerate(figures)]
    )
    stated = Assumptions(13.0, 3.0, 0.0, pue=1.0, intensity_g_per_kwh=figures[-1])

    spread = emission_range(
        stated, 0.001, cpu_usage_ratio=load_ratio, memory=Memory(8), recent=recent
    )

    assert spread.low_g <= estimate(stated, 0.001).emission_g <= spread.high_g
    assert len(spread.models) == 13
