"""What a search finds first."""

import pytest

from hardware.models import Processor, Zone
from tests.people import a_processor, a_zone

pytestmark = pytest.mark.django_db


@pytest.fixture
def processors():
    for vendor, name in [
        ("AMD", "Sempron M120"),
        ("Ampere", "Altra Max M128-30"),
        ("Apple", "M1 Max"),
        ("Apple", "M1"),
        ("AMD", "EPYC 7763"),
        ("AMD", "EPYC 9754"),
        ("Intel", "Core i7-9750H"),
    ]:
        a_processor(name, vendor=vendor, tdp_w=10.0)
    a_processor("A100 PCIe 40 GB", vendor="NVIDIA", kind="gpu", tdp_w=250.0)


def found(text):
    return [str(row) for row in Processor.objects.search(text)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("M1", "Apple M1"),
        ("m1", "Apple M1"),
        ("apple m1", "Apple M1"),
        ("m1 m", "Apple M1 Max"),
        ("epyc 7", "AMD EPYC 7763"),
        ("9750h", "Intel Core i7-9750H"),
        ("i7 9750", "Intel Core i7-9750H"),
    ],
)
def test_the_best_match_comes_first(processors, text, first):
    assert found(text)[0] == first


def test_exact_comes_before_prefix_before_the_rest(processors):
    # Nothing says how names that only hold the text are ordered among themselves but length.
    assert found("m1") == [
        "Apple M1",
        "Apple M1 Max",
        "AMD Sempron M120",
        "Ampere Altra Max M128-30",
    ]


def test_every_word_has_to_match(processors):
    assert found("apple epyc") == []


@pytest.mark.parametrize("text", ["\x00", "%", "_", "'", "x" * 10_000, "a " * 5_000])
def test_odd_text_finds_nothing_or_something_but_never_fails(processors, text):
    list(Processor.objects.search(text))
    list(Zone.objects.search(text))


def test_the_form_gets_cpus_or_gpus_with_their_power(client, processors):
    answer = client.get("/hardware/processors/", {"kind": "gpu", "q": "a100"}).json()

    assert [row["label"] for row in answer["results"]] == ["NVIDIA A100 PCIe 40 GB"]
    assert answer["results"][0]["tdp_w"] == 250


def test_the_form_gets_no_more_than_twenty(client):
    for number in range(30):
        a_processor(f"EPYC {7000 + number}", vendor="AMD")

    answer = client.get("/hardware/processors/", {"kind": "cpu", "q": "epyc"}).json()

    assert len(answer["results"]) == 20


def test_a_country_comes_before_its_parts_and_before_longer_names():
    india = a_zone("IND", "India")
    a_zone("US-IN", "Indiana", kind=Zone.Kind.SUBDIVISION)
    a_zone("gcp:asia-south1", "Mumbai (Google Cloud asia-south1)", kind="cloud_region")
    Zone.objects.filter(code="gcp:asia-south1").update(parent=india)

    names = [zone.name for zone in Zone.objects.search("india")]

    assert names == ["India", "Indiana", "Mumbai (Google Cloud asia-south1)"]


def test_a_country_is_found_by_its_code_and_with_its_accents():
    a_zone("CIV", "Cote d'Ivoire")

    assert Zone.objects.search("civ").get().pk == "CIV"
    assert Zone.objects.search("Côte").get().pk == "CIV"


def test_a_country_without_a_figure_says_whose_is_used(client):
    a_zone("WORLD", "World", g_per_kwh=458.29, year=2025)
    a_zone("AND", "Andorra", g_per_kwh=None)

    answer = client.get("/hardware/zones/", {"q": "andorra"}).json()

    assert answer["results"][0]["sentence"] == (
        "Andorra has no figure: the world's 458 g/kWh (2025, life cycle) is used."
    )


def test_a_zone_search_asks_the_database_three_times(client, django_assert_num_queries):
    for number in range(15):
        a_zone(f"X{number}", f"Xland {number}")

    with django_assert_num_queries(3):
        client.get("/hardware/zones/", {"q": "xland"})


def test_a_suggested_country_shows_its_figure_with_its_measure(client):
    zone = a_zone("US-CA", "California", g_per_kwh=None, kind="subdivision")
    zone.intensities.create(year=2023, g_per_kwh=200, measure="operational", source="EPA")

    answer = client.get("/hardware/zones/", {"q": "california"}).json()

    assert answer["results"][0]["detail"] == "200 g/kWh, operational"
