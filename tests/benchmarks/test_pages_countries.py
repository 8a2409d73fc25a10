"""A run in every country: the ranking, its filters, the years, the file."""

import csv
import io
import re

import pytest

from hardware.models import CarbonIntensity, Zone
from tests.people import a_done_run, a_profile, a_queued_run, a_zone, stranger

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    """An hour of the article's laptop in India, and four other places to compare with."""
    a_zone("WORLD", "World", g_per_kwh=458.0, year=2025)
    a_zone("FRA", "France", g_per_kwh=50.0, year=2025)
    a_zone("CIV", "Côte d'Ivoire", g_per_kwh=400.0, year=2025)
    a_zone("AND", "Andorra", g_per_kwh=None)
    usa = a_zone("USA", "United States", g_per_kwh=380.0, year=2025)
    a_zone("US-CA", "California", g_per_kwh=200.0, year=2023, kind="subdivision", parent=usa)
    a_zone("gcp:europe-west1", "Belgium", g_per_kwh=100.0, year=2024, kind="cloud_region")
    return a_done_run(mean_s=3600.0)


def page_of(client, run, query=""):
    return client.get(f"/runs/{run.pk}/countries/{query}").text


def ranked(page):
    return re.findall(r'title="Over the years">([^<]+)<', page)


def test_countries_stand_lowest_to_highest_with_mine_marked(signed_in, run):
    page = page_of(signed_in, run)

    assert ranked(page) == ["France", "United States", "Côte d&#x27;Ivoire", "World", "India"]
    assert '<a href="#mine">Place 4 of 4</a>, from the cleanest' in page
    mine = page.split('id="mine"')[1].split("</tr>")[0]
    assert "India" in mine
    assert "11.4 g" in mine
    assert "this run" in mine


def test_the_grams_are_the_runs_energy_times_each_intensity(signed_in, run):
    rows = list(csv.DictReader(io.StringIO(signed_in.get(f"/runs/{run.pk}/countries.csv").text)))

    assert [row["zone"] for row in rows] == ["FRA", "USA", "CIV", "WORLD", "IND"]
    for row in rows:
        assert float(row["emission_g"]) == pytest.approx(
            float(row["energy_kwh"]) * float(row["intensity_g_per_kwh"]), rel=1e-12
        )
    assert float(rows[-1]["emission_g"]) == run.estimate.emission_g
    assert [row["is_the_runs_own"] for row in rows] == ["no"] * 4 + ["yes"]


def test_a_search_finds_by_name_without_accents_and_keeps_the_ranks(signed_in, run):
    page = page_of(signed_in, run, "?q=cote")

    assert ranked(page) == ["Côte d&#x27;Ivoire"]
    assert "1 of 5 places" in page
    assert '<td class="number">3</td>' in page


def test_a_search_that_finds_nothing_says_what_to_do(signed_in, run):
    assert "No place is called that" in page_of(signed_in, run, "?q=Atlantis")


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("USA", ["California", "World", "India"]),
        ("cloud", ["Belgium", "World", "India"]),
        (
            "all",
            [
                "France",
                "Belgium",
                "California",
                "United States",
                "Côte d&#x27;Ivoire",
                "World",
                "India",
            ],
        ),
        ("nonsense", ["France", "United States", "Côte d&#x27;Ivoire", "World", "India"]),
    ],
)
def test_regions_are_ranked_by_themselves_with_mine_and_the_world_beside(
    signed_in, run, group, names
):
    assert ranked(page_of(signed_in, run, f"?group={group}")) == names


def test_a_year_ranks_that_year_only(signed_in, run):
    CarbonIntensity.objects.create(
        zone=Zone.objects.get(pk="FRA"), year=2023, g_per_kwh=900.0, source="test table"
    )

    page = page_of(signed_in, run, "?year=2023")

    assert ranked(page) == ["India", "France"]


def test_a_place_without_a_figure_is_named_and_not_ranked(signed_in, run):
    page = page_of(signed_in, run)

    assert "1 without a figure of their own" in page
    assert "Andorra" in page
    assert "Andorra" not in ranked(page)


def test_one_country_over_the_years_has_a_chart_and_its_table(signed_in, run):
    CarbonIntensity.objects.create(
        zone=Zone.objects.get(pk="FRA"), year=2020, g_per_kwh=100.0, source="older table"
    )

    page = page_of(signed_in, run, "?zone=FRA")

    years = page.split('id="years"')[1]
    assert "In France over the years" in years
    assert "years-chart" in years
    assert re.search(r">2020<.*1\.6 g.*>2025<.*800 mg", years, re.DOTALL)
    assert "older table" in years


def test_without_a_zone_asked_for_the_years_are_those_of_the_runs_own(signed_in, run):
    assert "In India over the years" in page_of(signed_in, run)
    assert "In India over the years" in page_of(signed_in, run, "?zone=XYZ")


def test_the_credit_stands_where_the_figures_stand(signed_in, run):
    assert "Our World in Data" in page_of(signed_in, run)


def test_a_run_of_a_place_without_a_figure_is_marked_at_the_world_that_stands_in_for_it(
    signed_in, run
):
    borrowed = a_done_run(profile=a_profile(zone=Zone.objects.get(pk="AND")), mean_s=3600.0)

    page = page_of(signed_in, borrowed)

    assert "the world's electricity of 2025, which stands in for Andorra" in page
    mine = page.split('id="mine"')[1].split("</tr>")[0]
    assert "World" in mine
    assert "7.33 g" in mine
    assert "In World over the years" in page


def test_where_the_runs_place_has_no_figure_for_the_year_it_is_said(signed_in, run):
    page = page_of(signed_in, run, "?year=2025")

    assert "India has no figure for 2025, so it is not in the ranking." in page
    assert "rests on India 2023" in page


def test_a_narrow_screen_shows_each_places_measure_too(signed_in, run):
    page = page_of(signed_in, run, "?group=all")

    assert page.count('narrow-only">Life cycle<') == 7


def test_only_who_may_see_the_run_sees_its_ranking(client, run):
    client.force_login(stranger())

    assert client.get(f"/runs/{run.pk}/countries/").status_code == 404
    assert client.get(f"/runs/{run.pk}/countries.csv").status_code == 404


def test_a_run_without_a_result_has_no_ranking(signed_in):
    assert signed_in.get(f"/runs/{a_queued_run().pk}/countries/").status_code == 404


def test_the_ranking_asks_as_often_for_many_countries_as_for_few(
    signed_in, run, django_assert_num_queries
):
    # Session, user, run, estimates, zones, intensities.
    with django_assert_num_queries(6):
        page_of(signed_in, run)
