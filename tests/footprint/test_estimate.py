"""Energy and emission behave as physics does, and nonsense is refused."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.embodied import embodied_share_g
from footprint.emissions import emission_g
from footprint.energy import Energy, Power, energy_kwh
from footprint.estimate import Assumptions, estimate

powers_w = st.floats(0, 5_000)
latencies_s = st.floats(1e-9, 1e6)
assumed = st.builds(
    Assumptions,
    cpu_power_w=st.floats(0.1, 5_000),
    ram_power_w=powers_w,
    gpu_power_w=powers_w,
    pue=st.floats(1, 3),
    intensity_g_per_kwh=st.floats(1, 2_000),
)
NONSENSE = [-1.0, float("nan"), float("inf")]


@given(assumed, latencies_s)
def test_emission_is_the_published_formula(assumptions, latency_s):
    total_w = assumptions.cpu_power_w + assumptions.ram_power_w + assumptions.gpu_power_w
    expected_g = assumptions.intensity_g_per_kwh * assumptions.pue * total_w * latency_s / 3.6e6

    assert estimate(assumptions, latency_s).emission_g == pytest.approx(expected_g, rel=1e-12)


@given(assumed, latencies_s, st.floats(1.001, 1000))
def test_energy_grows_with_time(assumptions, latency_s, factor):
    shorter = estimate(assumptions, latency_s)
    longer = estimate(assumptions, latency_s * factor)

    assert longer.energy.total_kwh > shorter.energy.total_kwh
    assert longer.emission_g > shorter.emission_g


@given(assumed, latencies_s)
def test_doubling_intensity_doubles_emission_and_leaves_energy(assumptions, latency_s):
    doubled = replace(assumptions, intensity_g_per_kwh=2 * assumptions.intensity_g_per_kwh)

    before, after = estimate(assumptions, latency_s), estimate(doubled, latency_s)

    assert after.emission_g == pytest.approx(2 * before.emission_g, rel=1e-12)
    assert after.energy == before.energy


@given(assumed, latencies_s)
def test_the_components_add_up_to_the_machine(assumptions, latency_s):
    energy = estimate(assumptions, latency_s).energy

    whole_kwh = energy_kwh(assumptions.power.total_w, latency_s) * assumptions.pue
    assert energy.total_kwh == pytest.approx(whole_kwh, rel=1e-12)


@given(powers_w)
def test_time_is_in_seconds_so_an_hour_of_watts_is_watt_hours(power_w):
    assert energy_kwh(power_w, duration_s=3600) == pytest.approx(power_w / 1000, rel=1e-12)


@given(assumed)
def test_no_time_is_no_emission(assumptions):
    assert estimate(assumptions, latency_s=0).emission_g == 0


@given(latencies_s, st.floats(0.1, 20))
def test_a_longer_life_carries_less_of_the_making(duration_s, lifetime_years):
    short = embodied_share_g(embodied_kg=300, lifetime_years=lifetime_years, duration_s=duration_s)
    long = embodied_share_g(
        embodied_kg=300, lifetime_years=2 * lifetime_years, duration_s=duration_s
    )

    assert short == pytest.approx(2 * long, rel=1e-12)


@pytest.mark.parametrize("nonsense", NONSENSE)
@pytest.mark.parametrize(
    "field", ["cpu_power_w", "ram_power_w", "gpu_power_w", "pue", "intensity_g_per_kwh"]
)
def test_assumptions_that_no_machine_can_have_are_refused_by_name(field, nonsense):
    usual = Assumptions(13.0, 3.0, 0.0, pue=1.0, intensity_g_per_kwh=713.0)

    with pytest.raises(ValueError, match=field.removesuffix("_g_per_kwh")):
        replace(usual, **{field: nonsense})


def test_a_pue_below_one_is_refused():
    with pytest.raises(ValueError, match="pue must be finite and at least 1"):
        Assumptions(13.0, 3.0, 0.0, pue=0.99, intensity_g_per_kwh=713.0)


def test_an_intensity_of_zero_is_refused_as_missing():
    with pytest.raises(ValueError, match="intensity_g_per_kwh"):
        Assumptions(13.0, 3.0, 0.0, pue=1.0, intensity_g_per_kwh=0.0)


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_every_formula_refuses_nonsense(nonsense):
    usual = Assumptions(13.0, 3.0, 0.0, pue=1.0, intensity_g_per_kwh=713.0)

    for call in (
        lambda: energy_kwh(nonsense, 1.0),
        lambda: energy_kwh(1.0, nonsense),
        lambda: emission_g(nonsense, 1.0),
        lambda: emission_g(1.0, nonsense),
        lambda: Power(nonsense, 0.0, 0.0),
        lambda: Energy(nonsense, 0.0, 0.0, pue=1.0),
        lambda: Energy(0.0, 0.0, 0.0, pue=nonsense),
        lambda: estimate(usual, nonsense),
        lambda: embodied_share_g(embodied_kg=nonsense, lifetime_years=4, duration_s=1),
        lambda: embodied_share_g(embodied_kg=1, lifetime_years=nonsense, duration_s=1),
    ):
        with pytest.raises(ValueError, match="must be"):
            call()
