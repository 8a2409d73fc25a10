"""The range beside the headline: which models are in it and what they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.estimate import Assumptions, estimate
from footprint.power_models import (
    TEADS_CURVE,
    codecarbon_power_w,
    emission_range,
    rated_load_power_w,
    teads_power_w,
)
from footprint.ram import RAM_MODELS, Memory, ram_power_w

LAPTOP = Assumptions(
    cpu_power_w=13.0, ram_power_w=3.0, gpu_power_w=0.0, pue=1.0, intensity_g_per_kwh=713.0
)
# Watts at 4, 8, 16, 32, 64, 128, 256, 512, 1024 GB, from the collected table of RAM models.
SIZES_GB = (4, 8, 16, 32, 64, 128, 256, 512, 1024)
PUBLISHED_RAM_POWERS_W = {
    "three-watts-per-8-gb": (1.5, 3, 6, 12, 24, 48, 96, 192, 384),
    "green-algorithms": (1.49, 2.98, 5.96, 11.92, 23.84, 47.68, 95.36, 190.72, 381.44),
    "cloud-carbon-footprint": (1.57, 3.14, 6.27, 12.54, 25.09, 50.18, 100.35, 200.7, 401.41),
    "boavizta-2.4": (1.14, 2.27, 4.54, 9.09, 18.18, 36.35, 72.7, 145.41, 290.82),
    "boavizta-2.5": (3.22, 3.44, 3.88, 4.76, 9.52, 19.04, 38.08, 76.16, 152.32),
    "codecarbon-3-x86": (10, 10, 10, 20, 20, 38, 38, 38, 38),
    "codecarbon-3-arm": (3, 3, 3, 6, 6, 11.4, 11.4, 11.4, 11.4),
}


@pytest.mark.parametrize("model", RAM_MODELS, ids=lambda model: model.key)
def test_each_ram_model_gives_its_published_powers(model):
    for ram_gb, published_w in zip(SIZES_GB, PUBLISHED_RAM_POWERS_W[model.key], strict=True):
        assert model.power_w(ram_gb) == pytest.approx(published_w, abs=0.06)


@pytest.mark.parametrize("model", RAM_MODELS, ids=lambda model: model.key)
def test_ram_of_odd_sizes_has_a_power_and_nonsense_has_none(model):
    assert all(0 < model.power_w(ram_gb) < 2000 for ram_gb in (0.5, 1, 24, 96, 192, 768, 3000))
    for nonsense in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="ram_gb"):
            model.power_w(nonsense)


def test_the_stated_rule_is_three_watts_per_eight_gigabytes():
    assert ram_power_w(8) == 3.0
    assert ram_power_w(64) == 24.0


def test_the_teads_curve_passes_through_its_points_and_is_straight_between():
    for load_ratio, share_ratio in TEADS_CURVE:
        assert teads_power_w(tdp_w=200, load_ratio=load_ratio) == pytest.approx(200 * share_ratio)
    assert teads_power_w(tdp_w=100, load_ratio=0.3) == pytest.approx((32 + 75) / 2)


@pytest.mark.parametrize("curve", [rated_load_power_w, teads_power_w, codecarbon_power_w])
@given(st.floats(0, 1), st.floats(0, 1))
def test_a_busier_processor_never_draws_less(curve, one_ratio, other_ratio):
    low_ratio, high_ratio = sorted((one_ratio, other_ratio))

    assert curve(tdp_w=65, load_ratio=low_ratio) <= curve(tdp_w=65, load_ratio=high_ratio) + 1e-12


@pytest.mark.parametrize("curve", [rated_load_power_w, teads_power_w, codecarbon_power_w])
def test_a_load_is_a_share_and_not_a_number_of_cores(curve):
    assert curve(tdp_w=65, load_ratio=1.01) == curve(tdp_w=65, load_ratio=1.0)
    for nonsense in (-0.1, 2.0, 50.0, float("nan")):
        with pytest.raises(ValueError, match="load_ratio must lie between 0 and 1"):
            curve(tdp_w=65, load_ratio=nonsense)


def test_the_headline_stands_first_and_inside_the_range():
    spread = emission_range(LAPTOP, 0.001, cpu_usage_ratio=0.5, memory=Memory(8))

    headline_g = estimate(LAPTOP, 0.001).emission_g
    assert spread.models[0].emission_g == headline_g
    assert spread.models[0].power_w == 16.0
    assert spread.low_g <= headline_g <= spread.high_g


def test_the_range_is_spanned_by_the_models_it_lists():
    spread = emission_range(LAPTOP, 0.001, cpu_usage_ratio=0.5, memory=Memory(8))

    emissions_g = [model.emission_g for model in spread.models]
    assert (spread.low_g, spread.high_g) == (min(emissions_g), max(emissions_g))
    assert len(spread.models) == 4 + len(RAM_MODELS)
    assert len({model.name for model in spread.models}) == len(spread.models)
    assert all(model.source for model in spread.models)


def test_a_model_changes_its_own_component_only():
    spread = emission_range(LAPTOP, 0.001, cpu_usage_ratio=0.5, memory=Memory(64))

    power_by_name_w = {model.name: model.power_w for model in spread.models}
    assert power_by_name_w["TEADS curve"] == pytest.approx(0.75 * 13 + 3)
    assert power_by_name_w["Rated power x measured CPU load"] == pytest.approx(0.5 * 13 + 3)
    assert power_by_name_w["RAM at 3 W per 8 GB"] == pytest.approx(13 + 24)


def test_what_was_not_measured_is_left_out_and_not_guessed():
    spread = emission_range(LAPTOP, 0.001)

    assert [model.name for model in spread.models] == ["Rated power"]
    assert spread.low_g == spread.high_g == estimate(LAPTOP, 0.001).emission_g
