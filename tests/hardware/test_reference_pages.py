"""The public tables of intensities and processors."""

import pytest

from accounts.ids import new_id
from hardware.models import CarbonIntensity
from tests.people import a_processor, a_zone, admin

pytestmark = pytest.mark.django_db


def test_a_country_shows_its_latest_figure_first_and_links_each_row(client):
    zone = a_zone(year=2023, g_per_kwh=713.36)
    newest = CarbonIntensity.objects.create(
        zone=zone, year=2025, g_per_kwh=670.13, source="a newer table"
    )

    page = client.get("/reference/zones/IND/").text

    assert page.index("670") < page.index("713.36")
    assert f'id="intensity-{newest.pk}"' in page
    assert "a newer table" in page
    assert '"g_per_kwh": 713.36' in page


def test_a_country_says_who_edited_a_row(client):
    row = a_zone().intensities.get()
    row.note_edit(admin())
    row.save()

    assert "by admin" in client.get("/reference/zones/IND/").text


def test_a_country_without_data_shows_the_worlds_figure_as_assumed(client):
    a_zone("WORLD", "World", g_per_kwh=458.29, year=2025)
    a_zone("AND", "Andorra", g_per_kwh=None)

    page = client.get("/reference/zones/AND/").text

    assert "Andorra has no figure" in page
    assert 'class="assumed"' in page


def test_a_country_lists_its_regions(client):
    country = a_zone("USA", "United States")
    a_zone("US-CA", "California", kind="subdivision", parent=country)

    assert "/reference/zones/US-CA/" in client.get("/reference/zones/USA/").text


def test_a_cloud_region_has_a_page_under_its_code(client):
    a_zone("gcp:europe-west1", "Belgium (Google Cloud europe-west1)", kind="cloud_region")

    assert client.get("/reference/zones/gcp:europe-west1/").status_code == 200


def test_a_processor_shows_its_power_and_its_source(client):
    row = a_processor("M1", vendor="Apple", tdp_w=10.0)

    page = client.get(f"/reference/processors/{row.pk}/").text

    assert page.index("Rated power") < page.index("test table")


@pytest.mark.parametrize(
    "address", ["zones/XXX/", "zones/a%00b/", "zones/%2e%2e/", f"processors/{new_id()}/"]
)
def test_what_is_not_in_the_tables_is_not_there(client, address):
    assert client.get(f"/reference/{address}").status_code == 404


def test_a_search_opens_the_table_that_has_matches(client):
    a_zone()
    a_processor("M1", vendor="Apple")

    page = client.get("/reference/", {"q": "apple m1"})

    assert page.context["table"].slug == "processors"
    assert "Apple M1" in page.text


def test_a_search_without_matches_says_what_to_try(client):
    assert "Nothing found" in client.get("/reference/", {"q": "zzz"}).text


@pytest.mark.parametrize("query", ["q=%F3", "page=abc", "page=999", "table=x", "q=%25&page=-1"])
def test_an_odd_search_is_answered(client, query):
    a_zone()

    assert client.get(f"/reference/?{query}").status_code == 200


def test_the_tables_credit_their_sources(client):
    page = client.get("/reference/").text

    assert "Ember (2026)" in page
    assert "CC BY 4.0" in page


def test_the_credit_names_every_vintage_in_use(client):
    zone = a_zone(g_per_kwh=None)
    for year in ("2026", "2027"):
        source = f"Ember ({year}), processed by Our World in Data"
        CarbonIntensity.objects.create(zone=zone, year=int(year), g_per_kwh=600, source=source)

    assert "Ember (2026, 2027), with major processing" in client.get("/reference/").text


@pytest.mark.parametrize("table", ["zones", "processors"])
def test_the_tables_ask_as_often_for_many_rows_as_for_one(client, django_assert_num_queries, table):
    for number in range(10):
        a_zone(f"X{number}", f"Xland {number}")
        a_processor(f"EPYC {number}")

    # Six counts for the tabs, one for the pages, the rows, the vintages of the credit.
    with django_assert_num_queries(9):
        client.get("/reference/", {"table": table})
