"""The numbers that must come out, seen where people see them: on a run's page and in the API.

The same numbers by the arithmetic alone: tests/footprint/test_published_numbers.py.
"""

import re

import pytest

from footprint.units import LADDER_BY_UNIT
from tests.api.scripts import BASE, script_of
from tests.people import a_done_run, a_profile, a_zone, owner

pytestmark = pytest.mark.django_db
EXACT = 1e-12
HEADLINE = re.compile(r'class="figure-value quantity" title="([\d.,]+) (\w+)"')
GRAMS_BY_NAME = {
    name: float(step.scale) for step in LADDER_BY_UNIT["g"] for name in (step.name, step.plural)
}
# Powers in watts, hours on the meter: what the machine is, and what must come out.
ARTICLE = {"cpu_tdp_w": 13.0, "ram_gb": 8.0}
GREEN_ALGORITHMS = {"cpu_tdp_w": 7.5, "cpu_count": 12, "ram_gb": 64, "ram_power_w": 64 * 0.3725}
CASES = {
    "the article's hour": (ARTICLE, 713.0, 1.0, 3600.0, 0.016, 11.408),
    "a millisecond": (ARTICLE, 713.0, 1.0, 0.001, 0.016 / 3.6e6, 11.408 / 3.6e6),
    "23.8 µs": (ARTICLE, 713.0, 1.0, 23.8e-6, 1.0577777777777778e-10, 75.41955555555556e-9),
    "21.8 µs": (ARTICLE, 713.0, 1.0, 21.8e-6, 9.688888888888889e-11, 69.08177777777778e-9),
    "India 2023": (ARTICLE, 713.36, 1.0, 3600.0, 0.016, 11.41376),
    "Green Algorithms": (GREEN_ALGORITHMS, 231.12, 1.56, 43_200.0, 2.1310848, 492.536318976),
}


def page_of(client, run):
    return client.get(f"/runs/{run.pk}/").text


def from_api(run):
    return script_of(owner()).get(f"{BASE}/runs/{run.pk}/").json()


def headline_g(page):
    """The grams on top of a page, with all the digits that hovering shows."""
    number, name = HEADLINE.search(page).groups()
    return float(number.replace(",", "")) * GRAMS_BY_NAME[name]


@pytest.mark.parametrize("name", CASES)
def test_it_comes_out_on_the_page_and_in_the_api(signed_in, name):
    machine, g_per_kwh, pue, latency_s, energy_kwh, emission_g = CASES[name]
    zone = a_zone(g_per_kwh=g_per_kwh)

    run = a_done_run(profile=a_profile(zone=zone, pue=pue, **machine), mean_s=latency_s)

    found = from_api(run)
    assert found["energy"]["total_kwh"] == pytest.approx(energy_kwh, rel=EXACT)
    assert found["emission_g"] == pytest.approx(emission_g, rel=EXACT)
    # The page writes 15 digits.
    assert headline_g(page_of(signed_in, run)) == pytest.approx(emission_g, rel=1e-14)


@pytest.mark.parametrize(
    ("load_ratio", "energy_kwh", "shown"),
    [(0.1, 0.0008, "800 mg"), (0.5, 0.001875, "1.88 g"), (1.0, 0.00255, "2.55 g")],
)
def test_two_of_eight_virtual_cpus_of_100_w_for_360_s_by_the_teads_curve(
    signed_in, load_ratio, energy_kwh, shown
):
    # At 1000 g/kWh a milliwatt-hour is a milligram.
    profile = a_profile(
        zone=a_zone("X", "Xland", g_per_kwh=1000.0), cpu_tdp_w=100 * 2 / 8, ram_gb=0
    )

    run = a_done_run(profile=profile, mean_s=360.0, measurement={"machine_usage_ratio": load_ratio})

    by_name = {one["name"]: one for one in from_api(run)["range"]["models"]}
    assert by_name["TEADS curve"]["emission_g"] == pytest.approx(1000 * energy_kwh, rel=EXACT)
    row = page_of(signed_in, run).split("TEADS curve", 1)[1].split("</tr>")[0]
    assert f">{shown}<" in row


def test_100_w_at_half_load_by_both_curves(signed_in):
    profile = a_profile(cpu_tdp_w=100.0, ram_gb=0)

    run = a_done_run(profile=profile, measurement={"machine_usage_ratio": 0.5})

    powers_w = {one["name"]: one["power_w"] for one in from_api(run)["range"]["models"]}
    assert powers_w["CodeCarbon load curve"] == pytest.approx(21.25, rel=EXACT)
    assert powers_w["TEADS curve"] == pytest.approx(75.0, rel=EXACT)
    assert powers_w["Rated power x measured CPU load"] == pytest.approx(50.0, rel=EXACT)
    page = page_of(signed_in, run)
    assert 'title="21.25 watts"' in page
    assert 'title="75 watts"' in page


def test_a_tonne_over_four_years_for_an_hour(signed_in):
    profile = a_profile(embodied_kg_co2e=1000.0, lifetime_years=4.0)

    run = a_done_run(profile=profile, mean_s=3600.0)

    assert from_api(run)["sci"]["embodied_g"] == pytest.approx(28.538812785388, rel=1e-13)
    assert 'title="28.5388127853881 grams"' in page_of(signed_in, run)
    assert 'title="39.9468127853881 grams"' in page_of(signed_in, run)
