"""A profile's PUE from the table, and what making the machine has emitted, through the API."""

import pytest

from hardware.models import EmbodiedFigure, PueFigure
from tests.api.scripts import script_of
from tests.people import a_zone, owner

pytestmark = pytest.mark.django_db

LAPTOP = {"name": "Laptop", "zone": "IND", "cpu_tdp_w": 13, "ram_gb": 8}


@pytest.fixture
def script():
    a_zone()
    return script_of(owner())


@pytest.fixture
def figure():
    return PueFigure.objects.create(provider="Google Cloud", year=2023, pue=1.1, source="its own")


def post(script, **fields):
    return script.post("/api/v1/profiles/", LAPTOP | fields, format="json")


def test_a_row_of_the_pue_table_brings_its_pue(script, figure):
    profile = post(script, pue_figure=str(figure.pk)).json()

    assert (profile["pue"], profile["pue_figure"]) == (1.1, str(figure.pk))


def test_a_row_and_another_pue_is_refused(script, figure):
    answer = post(script, pue_figure=str(figure.pk), pue=1.5)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "pue"


def test_a_pue_typed_later_lets_go_of_the_row(script, figure):
    profile = post(script, pue_figure=str(figure.pk)).json()

    changed = script.patch(f"/api/v1/profiles/{profile['id']}/", {"pue": 1.3}, format="json")

    assert (changed.json()["pue"], changed.json()["pue_figure"]) == (1.3, None)


def test_embodied_emission_and_lifetime_come_and_go_together(script):
    profile = post(script, embodied_kg_co2e=1000, lifetime_years=4).json()
    address = f"/api/v1/profiles/{profile['id']}/"

    half = script.patch(address, {"lifetime_years": None}, format="json")
    none = script.patch(address, {"lifetime_years": None, "embodied_kg_co2e": None}, format="json")

    assert (profile["embodied_kg_co2e"], profile["lifetime_years"]) == (1000, 4)
    assert half.status_code == 400
    assert half.json()["errors"][0]["field"] == "lifetime_years"
    assert none.json()["embodied_kg_co2e"] is None


@pytest.mark.parametrize("value", [-1, 1e12, "x", [], "1e999"])
def test_an_impossible_embodied_emission_is_refused(script, value):
    assert post(script, embodied_kg_co2e=value, lifetime_years=4).status_code == 400


def test_an_unknown_row_is_refused(script):
    assert post(script, pue_figure="00000000-0000-0000-0000-000000000000").status_code == 400


@pytest.fixture
def laptop_figure():
    return EmbodiedFigure.objects.create(
        key="laptop", name="Laptop", kind="machine", kg_co2e=175, lifetime_years=4, source="a study"
    )


def test_a_row_of_the_embodied_table_brings_its_figures_and_is_let_go_of(script, laptop_figure):
    profile = post(script, embodied_figure="laptop").json()
    address = f"/api/v1/profiles/{profile['id']}/"

    longer = script.patch(address, {"lifetime_years": 6}, format="json").json()
    typed = script.patch(address, {"embodied_kg_co2e": 150}, format="json").json()

    assert (profile["embodied_kg_co2e"], profile["lifetime_years"]) == (175, 4)
    assert (longer["embodied_figure"], longer["lifetime_years"]) == ("laptop", 6)
    assert (typed["embodied_figure"], typed["embodied_kg_co2e"]) == (None, 150)


def test_a_row_and_another_emission_is_refused_and_so_is_a_part(script, laptop_figure):
    EmbodiedFigure.objects.create(key="psu", name="PSU", kind="part", kg_co2e=24, source="a study")

    other = post(script, embodied_figure="laptop", embodied_kg_co2e=150)
    part = post(script, embodied_figure="psu", lifetime_years=4)

    assert other.json()["errors"][0]["field"] == "embodied_kg_co2e"
    assert part.json()["errors"][0]["field"] == "embodied_figure"
