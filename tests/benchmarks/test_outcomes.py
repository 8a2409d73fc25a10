"""What was measured and assumed becomes one estimate, by the owner's formula."""

import pytest

from benchmarks.models import Estimate, Run
from tests.people import a_done_run, a_processor, a_profile

pytestmark = pytest.mark.django_db


def test_the_articles_hour_costs_eleven_grams():
    # 13 W CPU + 3 W RAM, 1 h, 713 g/kWh: DESIGN's first row.
    estimate = a_done_run(mean_s=3600.0).estimate

    assert estimate.energy_kwh == pytest.approx(0.016, rel=1e-12)
    assert estimate.emission_g == pytest.approx(11.408, rel=1e-12)


def test_the_articles_inference_costs_nanograms():
    assert a_done_run(mean_s=23.8e-6).estimate.emission_g == pytest.approx(75.42e-9, rel=1e-4)


def test_the_emission_is_the_product_of_what_is_stored():
    profile = a_profile(pue=1.56, gpu=a_processor("A2", kind="gpu", tdp_w=60), gpu_count=2)
    run = a_done_run(profile=profile, mean_s=0.0123)
    estimate = run.estimate

    product = (
        estimate.intensity_g_per_kwh
        * estimate.pue
        * estimate.power_w
        * run.measurement.mean_s
        / 3.6e6
    )

    assert estimate.gpu_power_w == 120.0
    assert estimate.emission_g == pytest.approx(product, rel=1e-9)


def test_the_range_holds_the_headline():
    estimate = a_done_run().estimate

    assert estimate.low_g <= estimate.emission_g <= estimate.high_g
    assert estimate.power_models[0]["emission_g"] == estimate.emission_g


def test_a_stored_result_outlives_the_rows_it_rested_on():
    run = a_done_run()
    stored = run.estimate.emission_g

    run.profile.delete()
    Estimate.objects.get().intensity.delete()

    run = Run.objects.with_results().get(pk=run.pk)
    assert run.estimate.emission_g == stored
    assert run.estimate.intensity_g_per_kwh == 713.0
    assert run.profile_name == "Laptop"
