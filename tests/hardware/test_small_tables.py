"""RAM models, PUE, embodied emissions and equivalences: what they say, and who reads them."""

import csv
import io

import pytest

from footprint.equivalents import EQUIVALENTS
from footprint.ram import RAM_MODELS, RULE_W_PER_GB
from hardware.models import (
    CarbonIntensity,
    EmbodiedFigure,
    Equivalence,
    Processor,
    PueFigure,
    RamModel,
)
from hardware.published import published_equivalents, published_ram_models
from hardware.reading import read_file
from hardware.reference import load_reference
from hardware.tables import TABLES
from hardware.vintages import preview
from tests.people import a_done_run, a_processor, a_profile, a_zone, admin

pytestmark = pytest.mark.django_db

SLUGS = ["zones", "processors", "ram-models", "pue", "embodied", "equivalences"]


# The other three have 12,000 rows: loaded only where a test speaks of them.
SMALL_TABLES = TABLES[3:]


@pytest.fixture
def loaded():
    load_reference(tables=SMALL_TABLES)


@pytest.fixture
def all_loaded():
    load_reference()


# --- the same figures in the tables and in the arithmetic ----------------------------------------


def test_the_table_of_ram_models_is_what_the_arithmetic_ships(loaded):
    from_table = published_ram_models()

    assert [(one.key, one.name, one.source) for one in from_table] == [
        (one.key, one.name, one.source) for one in RAM_MODELS
    ]
    for ram_gb in (0, 4, 8, 16, 64, 100, 512, 1024, 5000):
        assert [one.power_w(ram_gb) for one in from_table] == [
            one.power_w(ram_gb) for one in RAM_MODELS
        ]


@pytest.mark.parametrize(
    ("key", "w_per_gb"),
    [
        ("three-watts-per-8-gb", RULE_W_PER_GB),
        ("green-algorithms", 0.3725),
        ("cloud-carbon-footprint", 0.392),
        ("boavizta-2.4", 0.284),
    ],
)
def test_the_linear_models_have_their_published_figures(loaded, key, w_per_gb):
    assert RamModel.objects.get(key=key).w_per_gb == w_per_gb


def test_the_shipped_equivalents_are_those_of_the_table(loaded):
    assert published_equivalents(*(one.key for one in EQUIVALENTS)) == list(EQUIVALENTS)


def test_there_is_one_figure_for_each_thing_with_its_source(all_loaded):
    assert PueFigure.objects.get(provider="World average", region="").pue == 1.54
    assert PueFigure.objects.get(provider="Google Cloud", region="europe-west1").pue == 1.09
    assert EmbodiedFigure.objects.get(key="server-base").kg_co2e == 1000
    assert EmbodiedFigure.objects.get(key="dell-r740").kg_co2e == 1313.28
    for model in (RamModel, PueFigure, EmbodiedFigure, Equivalence, Processor, CarbonIntensity):
        assert not model.objects.filter(source="").exists()
        assert not model.objects.filter(vintage="").exists()


def test_an_edited_ram_model_enters_the_range_of_the_next_run(loaded):
    RamModel.objects.filter(key="boavizta-2.4").update(w_per_gb=100, name="RAM at 100 W/GB")

    models = {one["name"]: one for one in a_done_run().estimate.power_models}

    # 13 W of CPU and 8 GB.
    assert models["RAM at 100 W/GB"]["power_w"] == 813


def test_an_edited_equivalence_is_what_the_page_of_a_run_says(loaded, client):
    Equivalence.objects.filter(key="car_km").update(emission_g=1, singular="km by bicycle taxi")
    run = a_done_run()
    client.force_login(run.owner)

    assert "km by bicycle taxi" in client.get(f"/runs/{run.pk}/").text


def test_before_the_tables_are_loaded_a_run_is_compared_all_the_same(client):
    run = a_done_run()
    client.force_login(run.owner)

    assert "km by car" in client.get(f"/runs/{run.pk}/").text


# --- pages --------------------------------------------------------------------------------------


def test_every_table_has_a_page_with_sources_and_a_csv(all_loaded, client):
    for slug in SLUGS:
        page = client.get("/reference/", {"table": slug}).text

        assert ".csv" in page
        assert "Ember (2026)" in page
        assert slug == "zones" or "as shipped" in page


@pytest.mark.parametrize("slug", SLUGS)
def test_every_table_can_be_sorted_both_ways_by_every_heading(loaded, client, slug):
    a_zone()
    a_processor()
    page = client.get("/reference/", {"table": slug})
    names = [link.heading.field for link in page.context["headings"] if link.address]

    assert names
    for name in names:
        up = client.get("/reference/", {"table": slug, "sort": name})
        down = client.get("/reference/", {"table": slug, "sort": f"-{name}"})
        assert 'aria-sort="ascending"' in up.text
        assert 'aria-sort="descending"' in down.text


def test_a_sorted_table_is_in_order_with_the_unknown_last(loaded, client):
    page = client.get("/reference/", {"table": "embodied", "sort": "-kg_co2e"}).context["page"]

    figures = [row.kg_co2e for row in page]
    assert figures == sorted(figures, reverse=True)

    years = [
        row.year
        for row in client.get("/reference/", {"table": "embodied", "sort": "-year"}).context["page"]
    ]
    known = [year for year in years if year]
    assert years == sorted(known, reverse=True) + [None] * (len(years) - len(known))


@pytest.mark.parametrize(
    "query", ["sort=owner__password", "sort=-", "table=pue&sort=-x", "sort=--"]
)
def test_an_odd_order_is_no_order(loaded, client, query):
    assert client.get(f"/reference/?{query}").status_code == 200


def test_an_empty_table_says_who_has_to_fill_it(client):
    assert "manage.py load_reference" in client.get("/reference/", {"table": "pue"}).text


def test_a_row_says_who_edited_it(loaded, client):
    row = PueFigure.objects.get(provider="World average", region="")
    row.note_edit(admin())
    row.save()

    assert "by admin" in client.get("/reference/", {"table": "pue", "q": "world"}).text


def test_a_search_goes_through_every_table(loaded, client):
    a_zone("gcp:x", "Belgium (Google Cloud)", kind="cloud_region")

    page = client.get("/reference/", {"q": "google"})

    counts = {tab.slug: count for tab, count in page.context["tabs"]}
    assert counts == {**dict.fromkeys(SLUGS, 0), "zones": 1, "pue": 14}


# --- CSV ----------------------------------------------------------------------------------------


def test_a_downloaded_table_can_be_loaded_again_and_changes_nothing(all_loaded, client):
    for table in TABLES:
        answer = client.get(f"/reference/{table.slug}.csv")

        found = read_file(b"".join(answer.streaming_content))
        plan = preview(found)

        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert found.table is table
        assert plan.is_idle
        assert plan.line_count == table.model.objects.count()


def test_the_countries_csv_names_its_licence_and_each_line_its_source(all_loaded, client):
    answer = client.get("/reference/intensities.csv")
    lines = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))

    assert "creativecommons.org/licenses/by/4.0" in answer["Link"]
    assert all(line["source"] for line in lines)


def test_a_formula_is_defused_in_a_download(client):
    a_processor("=cmd|' /C calc'!A0", vendor="@x")

    text = b"".join(client.get("/reference/processors.csv").streaming_content).decode()

    assert "cpu,'@x,'=cmd|' /C calc'!A0,13," in text


def test_there_is_no_csv_of_other_tables(client):
    assert client.get("/reference/users.csv").status_code == 404


# --- API ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "count", "first"),
    [
        ("ram-models?kind=tiered", 2, {"key": "codecarbon-3-arm", "w_per_module": 1.5}),
        ("pue?provider=World average", 1, {"pue": 1.54, "year": 2025}),
        ("embodied?kind=machine&ordering=-kg_co2e", 10, {"key": "dell-r740", "per": "piece"}),
        ("equivalences?search=european car", 1, {"key": "car_km", "emission_g": 175.0}),
    ],
)
def test_the_api_lists_the_tables_with_their_sources(loaded, client, name, count, first):
    path, _, query = name.partition("?")

    answer = client.get(f"/api/v1/{path}/?{query}").json()

    row = answer["results"][0]
    assert answer["count"] == count
    assert {key: row[key] for key in first} == first
    assert row["source"]
    assert row["vintage"] == "2026"


def test_an_unknown_filter_value_is_refused(loaded, client):
    assert client.get("/api/v1/embodied/?kind=spaceship").status_code == 400


# --- zones --------------------------------------------------------------------------------------


def test_every_figure_of_a_region_shows_its_measure(client):
    zone = a_zone("US-CA", "California", kind="subdivision", g_per_kwh=None)
    CarbonIntensity.objects.create(
        zone=zone, year=2023, g_per_kwh=200, measure="operational", source="EPA eGRID 2023"
    )

    for address in ("/reference/", "/reference/zones/US-CA/"):
        assert "operational" in client.get(address).text.lower()


def test_a_figure_of_co2_alone_is_written_as_the_pages_write_it(client):
    canada = a_zone("CAN", "Canada", g_per_kwh=180.0)
    zone = a_zone("CA-QC", "Quebec", kind="subdivision", parent=canada, g_per_kwh=None)
    zone.intensities.create(year=2023, g_per_kwh=2, measure="co2_only", source="mixes of 2023")
    run = a_done_run(profile=a_profile(zone=zone))
    client.force_login(run.owner)

    for address in (
        *("/reference/", "/reference/zones/CA-QC/", "/hardware/"),
        *(run.get_absolute_url(), f"/runs/{run.pk}/countries/?group=all"),
        f"/runs/{run.pk}/?zone=CA-QC",
    ):
        page = client.get(address).text
        assert "CO₂ only, fossil combustion" in page, address
        assert "co₂ only" not in page
        assert "co2 only" not in page.lower()
    assert client.get("/api/v1/zones/CA-QC/").json()["intensities"][0]["measure"] == "co2_only"


def test_the_countries_have_every_year_that_was_published(all_loaded):
    years = set(
        CarbonIntensity.objects.filter(zone__kind="country", measure="life_cycle").values_list(
            "year", flat=True
        )
    )

    assert years == set(range(2000, 2026))
    assert CarbonIntensity.objects.filter(zone="IND").count() == 26
    assert CarbonIntensity.objects.filter(zone="WORLD").count() == 26
