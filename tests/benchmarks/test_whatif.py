"""A measured run under other factors: the same answer as a run made so, and nothing stored."""

import json
import re

import pytest

from benchmarks import whatif
from benchmarks.models import Estimate, Run
from footprint.estimate import Assumptions, estimate
from footprint.scaling import over_days
from hardware.models import CarbonIntensity
from tests.api.scripts import BASE, assert_problem, script_of
from tests.people import (
    a_done_run,
    a_model,
    a_processor,
    a_profile,
    a_queued_run,
    a_ready_version,
    a_zone,
    owner,
    stranger,
)
from tests.whatif_cases import whatif_cases

pytestmark = pytest.mark.django_db
EXACT = 1e-12


def ask(run, **question):
    return script_of(owner()).get(f"{BASE}/runs/{run.pk}/whatif/", question)


def answer(run, **question):
    response = ask(run, **question)
    assert response.status_code == 200, response.content
    return response.json()


def france(**fields):
    return a_zone("FRA", "France", g_per_kwh=56.02, year=2025, **fields)


@pytest.mark.parametrize("case", whatif_cases(), ids=lambda case: case["name"])
def test_the_cases_shared_with_the_script_are_what_the_server_says(case):
    factors = case["factors"]
    assumptions = Assumptions(
        factors["cpu_w"],
        factors["ram_w"],
        factors["gpu_w"],
        pue=factors["pue"],
        intensity_g_per_kwh=factors["g_per_kwh"],
    )

    found = estimate(assumptions, factors["latency_s"])
    year = over_days(
        energy_kwh=found.energy.total_kwh,
        emission_g=found.emission_g,
        inferences_per_day=1e6,
        day_count=365,
    )

    assert found.energy.total_kwh == pytest.approx(case["energy_kwh"], rel=EXACT)
    assert found.emission_g == pytest.approx(case["emission_g"], rel=EXACT)
    assert year.emission_g == pytest.approx(case["year_of_a_million_a_day_g"], rel=EXACT)


def test_in_another_country_it_is_what_a_run_there_would_have_stored():
    version = a_ready_version()
    here = a_done_run(version, mean_s=0.0123)
    there = a_done_run(version, a_profile(zone=france()), mean_s=0.0123)

    found = answer(here, zone="FRA")

    assert found["emission_g"] == pytest.approx(there.estimate.emission_g, rel=EXACT)
    assert found["energy"]["total_kwh"] == pytest.approx(there.estimate.energy_kwh, rel=EXACT)
    assert (found["intensity"]["zone"], found["intensity"]["year"]) == ("FRA", 2025)
    assert found["stored_emission_g"] == here.estimate.emission_g


def test_on_another_machine_it_is_what_a_run_for_it_would_have_stored():
    version = a_ready_version()
    server = a_profile(
        name="Server",
        zone=france(),
        pue=1.56,
        cpu=a_processor("EPYC 7282", vendor="AMD", tdp_w=120.0),
        cpu_tdp_w=None,
        cpu_count=2,
        ram_gb=64,
        gpu=a_processor("A2", vendor="NVIDIA", kind="gpu", tdp_w=60.0),
        gpu_count=1,
    )
    laptop_run = a_done_run(version, a_profile(), mean_s=0.00187)
    server_run = a_done_run(version, server, mean_s=0.00187)

    found = answer(laptop_run, profile=str(server.pk))

    assert found["emission_g"] == pytest.approx(server_run.estimate.emission_g, rel=EXACT)
    assert found["latency_s"] == 0.00187
    assert found["power"] == {"cpu_w": 240.0, "ram_w": 24.0, "gpu_w": 60.0, "total_w": 324.0}
    assert found["profile"] == str(server.pk)


def test_with_everything_changed_it_is_what_such_a_run_would_have_stored():
    version, zone = a_ready_version(), france()
    CarbonIntensity.objects.create(zone=zone, year=2010, g_per_kwh=90.0, source="test table")
    run = a_done_run(version, mean_s=0.05)

    found = answer(run, zone="FRA", year=2010, pue=1.3, inferences_per_day=1_000_000)

    product_g = 90.0 * 1.3 * 16.0 * 0.05 / 3.6e6
    assert found["emission_g"] == pytest.approx(product_g, rel=EXACT)
    assert found["per_day"]["emission_g"] == pytest.approx(product_g * 1e6, rel=EXACT)
    assert found["per_year"]["emission_g"] == pytest.approx(product_g * 365e6, rel=EXACT)


def test_the_equivalents_are_those_of_a_year_or_of_a_million_inferences():
    run = a_done_run(mean_s=3600.0)

    million, year = answer(run), answer(run, inferences_per_day=1000)

    # 11.408 g each: 11.408 t, and 365,000 times that.
    assert [one["sentence"] for one in million["equivalents"]] == [
        "65,189 km by car",
        "278,244 km by train",
        "920,000 full smartphone charges",
        "228 flights from Paris to London",
    ]
    assert year["equivalents"][0]["sentence"] == "23,794 km by car"
    assert all(one["source"] for one in year["equivalents"])


def test_a_quick_models_equivalents_are_readable_numbers():
    quick = a_done_run(mean_s=23.8e-6)

    # 75.4 ng each: 75.4 mg, and 27.5 g, for which a flight is nothing to compare with.
    assert [one["sentence"] for one in answer(quick)["equivalents"]] == [
        "1/164 of one full smartphone charge"
    ]
    year = answer(quick, inferences_per_day=1_000_000)
    assert [one["sentence"] for one in year["equivalents"]] == [
        "0.157 km by car",
        "0.671 km by train",
        "2.22 full smartphone charges",
    ]
    assert answer(quick, inferences_per_day=1e-300)["equivalents"] == []


def test_next_to_nothing_is_said_to_be_like_nothing(signed_in):
    address = f"/runs/{a_done_run().pk}/"

    assert "A million inferences are like one of these:" in signed_in.get(address).text
    nothing = signed_in.get(f"{address}?inferences_per_day=0").text
    assert "A year of it is too little to be like anything everyday." in nothing


def test_the_articles_hour_on_the_green_algorithms_hardware():
    # DESIGN's case: 12 x 7.5 W, 64 GB at 0.3725 W/GB, PUE 1.56, 12 h, 231.12 g/kWh.
    a_zone("FRA", "France", g_per_kwh=231.12, year=2025)
    default_hardware = a_profile(cpu_tdp_w=7.5, cpu_count=12, ram_gb=64, ram_power_w=64 * 0.3725)
    run = a_done_run(profile=default_hardware, mean_s=12 * 3600.0)

    found = answer(run, zone="FRA", pue=1.56)

    assert found["energy"]["total_kwh"] == pytest.approx(2.1310848, rel=EXACT)
    assert found["emission_g"] == pytest.approx(492.5363, abs=5e-5)


def test_nothing_asked_is_the_stored_result_though_the_table_has_changed():
    run = a_done_run()
    CarbonIntensity.objects.update(g_per_kwh=1.0)

    assert answer(run)["emission_g"] == run.estimate.emission_g
    assert answer(run, pue=1)["emission_g"] == run.estimate.emission_g


def test_a_country_without_a_figure_gets_the_worlds_and_says_so():
    a_zone("WORLD", "World", g_per_kwh=458.0, year=2025)
    a_zone("AND", "Andorra", g_per_kwh=None)

    found = answer(a_done_run(mean_s=3600.0), zone="AND")

    assert found["intensity"]["is_fallback"]
    assert found["intensity"]["zone"] == "WORLD"
    assert found["emission_g"] == pytest.approx(0.016 * 458)


def test_asking_stores_nothing(signed_in):
    run = a_done_run()
    before = (list(Estimate.objects.values()), list(Run.objects.values()))
    france()

    answer(run, zone="FRA", inferences_per_day=5)
    signed_in.get(f"/runs/{run.pk}/?zone=FRA&pue=2")

    assert (list(Estimate.objects.values()), list(Run.objects.values())) == before


@pytest.mark.parametrize(
    ("question", "field", "words"),
    [
        ({"zone": "NOWHERE"}, "zone", "There is no zone “NOWHERE”."),
        ({"year": "soon"}, "year", "valid integer"),
        ({"year": "1200"}, "year", "greater than or equal to 1990"),
        ({"year": "1999"}, "year", "no figure for India in 1999"),
        ({"pue": "0.5"}, "pue", "greater than or equal to 1"),
        ({"pue": "nan"}, "pue", "valid number"),
        ({"pue": "9"}, "pue", "less than or equal to 5"),
        ({"profile": "abc"}, "profile", "valid UUID"),
        ({"inferences_per_day": "-1"}, "inferences_per_day", "greater than or equal to 0"),
        ({"inferences_per_day": "inf"}, "inferences_per_day", "valid number"),
        ({"inferences_per_day": "1e300"}, "inferences_per_day", "less than or equal"),
    ],
)
def test_a_bad_value_is_refused_by_its_field(question, field, words):
    problem = assert_problem(ask(a_done_run(), **question), 400)

    assert [error["field"] for error in problem["errors"]] == [field]
    assert words in problem["errors"][0]["message"]


def test_somebody_elses_private_machine_is_not_to_be_asked_about():
    theirs = a_profile(stranger(), name="Secret")

    problem = assert_problem(ask(a_done_run(), profile=str(theirs.pk)), 400)

    assert problem["errors"][0]["field"] == "profile"


def test_a_run_without_a_result_has_nothing_to_work_out():
    problem = assert_problem(ask(a_queued_run(), pue=2), 409)

    assert problem["type"] == "no_result"


def test_the_page_answers_without_a_script(signed_in):
    run = a_done_run(mean_s=3600.0)
    a_zone("FRA", "France", g_per_kwh=56.0, year=2025)

    page = signed_in.get(f"/runs/{run.pk}/?zone=FRA&inferences_per_day=1000").text

    what_if = page.split('id="whatif"')[1]
    assert "896 " in what_if  # 0.016 kWh x 56 g/kWh = 0.896 g
    assert "56 g/kWh, France 2025, life cycle" in what_if
    assert "A year of 1 k a day" in what_if
    assert '<option value="FRA" selected>' in what_if
    assert "11.4 <span" in page.split('id="whatif"')[0]


def test_the_page_says_what_each_figure_counts_and_where_they_count_differently(signed_in):
    run = a_done_run()
    zone = a_zone("US-CA", "California", g_per_kwh=None, kind="subdivision")
    zone.intensities.create(year=2023, g_per_kwh=200.0, measure="operational", source="EPA")

    plain = signed_in.get(f"/runs/{run.pk}/").text
    page = signed_in.get(f"/runs/{run.pk}/?zone=US-CA").text

    assert "713 g/kWh, India 2023, life cycle" in plain
    assert "counted otherwise" not in plain
    assert "200 g/kWh, California 2023, operational" in page
    assert "counted otherwise (life cycle) than this one's (operational)" in page


def test_the_page_says_that_another_machines_time_was_not_measured(signed_in):
    server = a_profile(name="Server", cpu_tdp_w=200.0)
    run = a_done_run(profile=a_profile(name="My laptop"))

    page = signed_in.get(f"/runs/{run.pk}/?profile={server.pk}").text

    assert "The time is still the 1 ms measured for My laptop. On Server it would be" in page


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("zone=XYZ", "There is no such country or region."),
        ("year=1991", "There is no figure for India in 1991. The years of India: only 2023."),
        ("pue=0.1", "greater than or equal to 1"),
        ("profile=nonsense", "There is no such machine that you may see."),
        ("inferences_per_day=many", "Enter a number."),
    ],
)
def test_a_bad_value_on_the_page_is_said_beside_its_field_and_the_result_stands(
    signed_in, query, words
):
    response = signed_in.get(f"/runs/{a_done_run(mean_s=3600.0).pk}/?{query}")

    assert response.status_code == 200
    assert words in response.text
    assert "11.4 <span" in response.text.split('id="whatif-answer"')[1]


def test_a_visitor_asks_about_public_machines_only(client):
    a_profile(name="Private one")
    a_profile(name="Public one", visibility="public")
    run = a_done_run(a_ready_version(onnx_model=a_model(visibility="public")))

    page = client.get(f"/runs/{run.pk}/").text

    assert ">Public one</option>" in page
    assert "Private one</option>" not in page


def script_data(page, name):
    return json.loads(re.search(rf'<script id="{name}"[^>]*>(.*?)</script>', page).group(1))


def test_the_script_gets_the_factors_and_every_zones_years(signed_in):
    zone = france()
    CarbonIntensity.objects.create(zone=zone, year=2023, g_per_kwh=60.0, source="test table")
    run = a_done_run(mean_s=0.5)

    page = signed_in.get(f"/runs/{run.pk}/").text

    base, tables = script_data(page, "whatif-base"), script_data(page, "whatif-tables")
    assert (base["latency_s"], base["cpu_w"], base["g_per_kwh"]) == (0.5, 13.0, 713.0)
    assert tables["figures"]["FRA"] == [2025, [56.02, None, 60.0], 0]
    assert tables["names"]["FRA"] == "France"
    assert tables["profiles"][str(run.profile_id)]["cpu_w"] == 13.0


def test_the_tables_name_the_measure_of_each_year_where_they_differ():
    zone = a_zone("US-CA", "California", g_per_kwh=200.0, year=2023)
    CarbonIntensity.objects.create(
        zone=zone, year=2024, g_per_kwh=190.0, measure="operational", source="test table"
    )
    CarbonIntensity.objects.create(
        zone=zone, year=2023, g_per_kwh=150.0, measure="co2_only", source="test table"
    )

    assert whatif.tables([zone], [])["figures"]["US-CA"] == [2024, [190.0, 200.0], [1, 0]]
