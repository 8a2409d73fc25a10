"""A run in every country, as JSON."""

import pytest

from hardware.models import CarbonIntensity, Zone
from tests.api.scripts import BASE, assert_problem, script_of
from tests.people import a_done_run, a_profile, a_queued_run, a_zone, owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    """An hour of the article's laptop in India, and some other places."""
    a_zone("WORLD", "World", g_per_kwh=458.0, year=2025)
    usa = a_zone("USA", "United States", g_per_kwh=380.0, year=2025)
    a_zone("AND", "Andorra", g_per_kwh=None)
    zone = a_zone("US-CA", "California", g_per_kwh=None, kind="subdivision", parent=usa)
    zone.intensities.create(year=2023, g_per_kwh=200.0, measure="operational", source="EPA")
    return a_done_run(mean_s=3600.0)


def asked(run, **question):
    return script_of(owner()).get(f"{BASE}/runs/{run.pk}/countries/", question)


def answer(run, **question):
    response = asked(run, **question)
    assert response.status_code == 200, response.content
    return response.json()


def test_the_places_stand_cleanest_first_with_mine_marked(run):
    found = answer(run)

    assert [(one["zone"], one["rank"]) for one in found["places"]] == [
        ("USA", 1),
        ("WORLD", None),
        ("IND", 2),
    ]
    assert [one["zone"] for one in found["places"] if one["is_mine"]] == ["IND"]
    assert found["places"][-1]["emission_g"] == run.estimate.emission_g
    assert found["energy_kwh"] == run.estimate.energy_kwh
    assert found["without_figure"] == ["AND"]
    assert (found["group"], found["year"], found["zone"]) == ("countries", None, "IND")
    assert found["groups"] == ["countries", "USA", "cloud", "all"]


def test_the_parts_of_a_country_name_their_measure(run):
    found = answer(run, group="USA")

    place = found["places"][0]
    assert (place["zone"], place["parent"], place["measure"]) == ("US-CA", "USA", "operational")
    assert place["emission_g"] == pytest.approx(0.016 * 200, rel=1e-12)


def test_one_year_and_one_place_over_the_years(run):
    CarbonIntensity.objects.create(zone_id="USA", year=2023, g_per_kwh=500.0, source="older")

    found = answer(run, year="2023", zone="USA")

    assert [(one["zone"], one["year"]) for one in found["places"]] == [("USA", 2023), ("IND", 2023)]
    years = [(one["year"], one["g_per_kwh"], one["source"]) for one in found["over_the_years"]]
    assert years == [(2023, 500.0, "older"), (2025, 380.0, "test table")]


def test_a_place_without_a_figure_is_marked_at_the_world(run):
    borrowed = a_done_run(profile=a_profile(zone=Zone.objects.get(pk="AND")))

    found = answer(borrowed)

    assert [one["zone"] for one in found["places"] if one["is_mine"]] == ["WORLD"]
    assert found["zone"] == "WORLD"


@pytest.mark.parametrize(("field", "value"), [("group", "moon"), ("year", "1850"), ("zone", "XXX")])
def test_what_cannot_be_ranked_is_refused_by_its_field(run, field, value):
    problem = assert_problem(asked(run, **{field: value}), 400)

    assert problem["errors"][0]["field"] == field


def test_a_run_without_a_result_has_no_ranking():
    assert assert_problem(asked(a_queued_run()), 409)["type"] == "no_result"
