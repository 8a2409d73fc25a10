"""The numbers that must come out, from the design's table; none needs the site."""

import pytest

from footprint.embodied import SoftwareCarbonIntensity, embodied_share_g
from footprint.energy import energy_kwh
from footprint.estimate import Assumptions, estimate
from footprint.power_models import codecarbon_power_w, teads_power_w
from footprint.ram import GREEN_ALGORITHMS_W_PER_GB
from footprint.units import SECONDS_PER_HOUR, format_quantity

ARTICLE_LAPTOP = Assumptions(
    cpu_power_w=13.0, ram_power_w=3.0, gpu_power_w=0.0, pue=1.0, intensity_g_per_kwh=713.0
)


def test_an_hour_on_the_articles_laptop_is_16_watt_hours_and_11_grams():
    hour = estimate(ARTICLE_LAPTOP, latency_s=3600)

    assert hour.energy.total_kwh == pytest.approx(0.016, rel=1e-12)
    assert hour.emission_g == pytest.approx(11.408, rel=1e-12)


def test_a_millisecond_on_the_articles_laptop():
    millisecond = estimate(ARTICLE_LAPTOP, latency_s=1e-3)

    assert millisecond.emission_g == pytest.approx(11.408 / 3_600_000, rel=1e-12)
    assert millisecond.emission_g == pytest.approx(3.168889e-6, rel=1e-6)


@pytest.mark.parametrize(("latency_s", "shown"), [(23.8e-6, "75.42 ng"), (21.8e-6, "69.08 ng")])
def test_the_articles_models_come_to_nanograms(latency_s, shown):
    inference = estimate(ARTICLE_LAPTOP, latency_s=latency_s)

    assert format_quantity(inference.emission_g, "g", digits=4) == shown


def test_the_articles_figure_is_what_seconds_taken_for_hours_give():
    # It published 271.6 micrograms for 23.8 microseconds.
    mistaken = estimate(ARTICLE_LAPTOP, latency_s=23.8e-6 * SECONDS_PER_HOUR)

    assert mistaken.emission_g == pytest.approx(271.6e-6, rel=1e-3)


def test_india_2023_by_this_vintage():
    india = Assumptions(16.0, 0.0, 0.0, pue=1.0, intensity_g_per_kwh=713.36)

    assert estimate(india, latency_s=3600).emission_g == pytest.approx(11.41376, rel=1e-12)


def test_green_algorithms_default_hardware():
    default_hardware = Assumptions(
        cpu_power_w=12 * 7.5,
        ram_power_w=64 * GREEN_ALGORITHMS_W_PER_GB,
        gpu_power_w=0.0,
        pue=1.56,
        intensity_g_per_kwh=231.12,
    )

    twelve_hours = estimate(default_hardware, latency_s=12 * 3600)

    assert twelve_hours.energy.total_kwh == pytest.approx(2.1310848, rel=1e-12)
    assert twelve_hours.emission_g == pytest.approx(492.5363, abs=5e-5)


def test_an_hour_of_a_tonne_over_four_years():
    share_g = embodied_share_g(embodied_kg=1000, lifetime_years=4, duration_s=3600)

    assert share_g == pytest.approx(28.538812785388, rel=1e-13)


def test_the_sci_of_an_hour_on_the_articles_laptop():
    embodied_g = embodied_share_g(embodied_kg=1000, lifetime_years=4, duration_s=3600)

    sci = SoftwareCarbonIntensity(operational_g=11.408, embodied_g=embodied_g)

    assert sci.total_g == pytest.approx(39.946812785388, rel=1e-13)


@pytest.mark.parametrize(
    ("load_ratio", "expected_kwh"), [(0.1, 0.0008), (0.5, 0.001875), (1.0, 0.00255)]
)
def test_two_of_eight_virtual_cpus_by_the_teads_curve(load_ratio, expected_kwh):
    share_w = teads_power_w(tdp_w=100, load_ratio=load_ratio) * 2 / 8

    assert energy_kwh(power_w=share_w, duration_s=360) == pytest.approx(expected_kwh, rel=1e-12)


def test_half_load_by_both_load_curves():
    assert codecarbon_power_w(tdp_w=100, load_ratio=0.5) == pytest.approx(21.25, rel=1e-12)
    assert teads_power_w(tdp_w=100, load_ratio=0.5) == pytest.approx(75.0, rel=1e-12)
