"""The pages of a machine, as its owner, a teammate, a stranger and nobody see them."""

import pytest

from hardware.models import EmbodiedFigure, HardwareProfile, PueFigure
from tests.people import (
    a_done_run,
    a_processor,
    a_profile,
    a_zone,
    owner,
    stranger,
    teammate,
)

pytestmark = pytest.mark.django_db

PUBLIC = HardwareProfile.Visibility.PUBLIC


@pytest.fixture
def as_owner(client):
    client.force_login(owner())
    return client


def typed(**fields):
    """What the form sends for the article's laptop: 13 W typed over the table's M1, in India."""
    values = {
        "name": "Laptop",
        "zone": "IND",
        "pue": "1",
        "cpu_name": "Apple M1",
        "cpu_tdp_w": "13",
        "cpu_count": "1",
        "ram_gb": "8",
        "ram_power_w": "",
        "gpu_name": "",
        "gpu_tdp_w": "",
        "gpu_count": "1",
        "visibility": "private",
    }
    return values | fields


def errors_of(response):
    assert response.status_code == 200
    return {
        field: " ".join(messages) for field, messages in response.context["form"].errors.items()
    }


def test_the_articles_laptop_draws_16_watts(as_owner):
    a_zone()
    a_processor("M1", vendor="Apple", tdp_w=10.0)

    response = as_owner.post("/hardware/new/", typed())

    profile = HardwareProfile.objects.get()
    assert response.url == f"/hardware/{profile.pk}/"
    assert (profile.total_power_w, profile.cpu.name, profile.gpu_count) == (16, "M1", 0)
    assert profile.owner == owner()


def test_a_cpu_from_the_table_brings_its_own_power(as_owner):
    a_zone()
    a_processor("EPYC 7763", vendor="AMD", tdp_w=280.0)

    as_owner.post("/hardware/new/", typed(cpu_name="epyc 7763", cpu_tdp_w="", cpu_count="2"))

    assert HardwareProfile.objects.get().cpu_power_w == 560


def test_a_cpu_that_is_not_in_the_table_needs_its_tdp_and_names_close_ones(as_owner):
    a_zone()
    a_processor("EPYC 7763", vendor="AMD", tdp_w=280.0)

    response = as_owner.post("/hardware/new/", typed(cpu_name="EPYC 77", cpu_tdp_w=""))

    assert "“EPYC 77” is not in the table" in errors_of(response)["cpu_tdp_w"]
    assert "Close to it in the table: AMD EPYC 7763." in errors_of(response)["cpu_tdp_w"]
    assert not HardwareProfile.objects.exists()


def test_a_typed_cpu_keeps_its_name_and_its_tdp(as_owner):
    a_zone()

    as_owner.post("/hardware/new/", typed(cpu_name="Homemade", cpu_tdp_w="7.5"))

    profile = HardwareProfile.objects.get()
    assert (profile.cpu, profile.cpu_name, profile.cpu_power_w) == (None, "Homemade", 7.5)


def test_a_name_that_two_makers_share_asks_which(as_owner):
    a_zone()
    a_processor("A100", vendor="Intel")
    a_processor("A100", vendor="Zhaoxin")

    response = as_owner.post("/hardware/new/", typed(cpu_name="A100", cpu_tdp_w=""))

    assert "Intel A100 or Zhaoxin A100" in errors_of(response)["cpu_name"]


@pytest.mark.parametrize(
    ("fields", "at", "says"),
    [
        ({"cpu_tdp_w": "-5"}, "cpu_tdp_w", "You gave -5"),
        ({"cpu_tdp_w": "0", "ram_gb": "0"}, "cpu_tdp_w", "no power at all"),
        ({"cpu_tdp_w": "nan"}, "cpu_tdp_w", "Type a number"),
        ({"ram_gb": "-1"}, "ram_gb", "You gave -1"),
        ({"pue": "0.5"}, "pue", "ratio from 1"),
        ({"zone": ""}, "zone", "Choose the country"),
        ({"zone": "XXX"}, "zone", "from the list"),
        ({"name": " "}, "name", "Give the machine a name"),
        ({"name": "a\x00b"}, "name", "Null characters"),
        ({"gpu_name": "A100"}, "gpu_tdp_w", "not in the table"),
        ({"gpu_name": "A100", "gpu_tdp_w": "400", "gpu_count": "0"}, "gpu_count", "how many"),
    ],
)
def test_a_wrong_value_is_explained_beside_its_field_and_nothing_is_lost(
    as_owner, fields, at, says
):
    a_zone()

    response = as_owner.post("/hardware/new/", typed(**fields))

    assert says in errors_of(response)[at]
    assert 'value="Apple M1"' in response.text
    assert not HardwareProfile.objects.exists()


def test_every_wrong_field_is_named_at_once(as_owner):
    a_zone()

    response = as_owner.post(
        "/hardware/new/", typed(cpu_tdp_w="abc", ram_gb="-1", zone="", pue="9")
    )

    assert set(errors_of(response)) == {"cpu_tdp_w", "ram_gb", "zone", "pue"}


def test_a_second_machine_of_the_same_name_is_refused(as_owner):
    a_profile(owner(), name="Laptop")

    response = as_owner.post("/hardware/new/", typed())

    assert "already have a machine" in errors_of(response)["name"]


def test_the_form_of_a_machine_holds_what_was_stored(as_owner):
    row = a_processor("M1", vendor="Apple")
    profile = a_profile(owner(), cpu=row, cpu_tdp_w=None)

    page = as_owner.get(f"/hardware/{profile.pk}/edit/").text

    assert 'value="Apple M1"' in page
    assert '<option value="IND" selected>India</option>' in page


def test_a_gpu_can_be_taken_away_again(as_owner):
    profile = a_profile(owner(), gpu_name="Homemade", gpu_tdp_w=100.0, gpu_count=2)

    as_owner.post(f"/hardware/{profile.pk}/edit/", typed(name=profile.name, gpu_count="2"))

    profile.refresh_from_db()
    assert (profile.gpu_count, profile.gpu_power_w) == (0, 0)


def test_the_page_of_a_machine_shows_watts_then_country_then_sources(as_owner):
    row = a_processor("M1", vendor="Apple", tdp_w=13.0)
    profile = a_profile(owner(), cpu=row, cpu_tdp_w=None)

    page = as_owner.get(f"/hardware/{profile.pk}/").text

    places = [page.index(text) for text in ("<h1>Laptop", "split-bar", "713 g/kWh", row.source)]
    assert places == sorted(places)
    assert f"/reference/processors/{row.pk}/" in page
    assert f"#intensity-{profile.zone.intensities.get().pk}" in page


def test_a_country_without_data_shows_the_worlds_figure_as_assumed(as_owner):
    a_zone("WORLD", "World", g_per_kwh=458.29, year=2025)
    profile = a_profile(owner(), zone=a_zone("AND", "Andorra", g_per_kwh=None))

    page = as_owner.get(f"/hardware/{profile.pk}/").text

    assert "Andorra has no figure: the world&#x27;s 458 g/kWh (2025, life cycle) is used." in page
    assert 'class="assumed"' in page


def test_a_machine_can_be_seen_before_the_tables_are_loaded(as_owner):
    profile = a_profile(owner(), zone=a_zone(g_per_kwh=None))

    response = as_owner.get(f"/hardware/{profile.pk}/")

    assert response.status_code == 200
    assert "load_reference" in response.text


def test_a_deleted_machine_leaves_its_runs_with_their_figures(as_owner):
    profile = a_profile(owner())
    run = a_done_run(profile=profile)
    emission_g = run.estimate.emission_g

    question = as_owner.get(f"/hardware/{profile.pk}/delete/")
    as_owner.post(f"/hardware/{profile.pk}/delete/")

    run.refresh_from_db()
    assert "keep their figures" in question.text
    assert (run.profile, run.profile_name) == (None, "Laptop")
    assert run.estimate.emission_g == emission_g


@pytest.mark.parametrize("cast", [teammate, stranger])
@pytest.mark.parametrize("page", ["", "edit/", "delete/"])
def test_anothers_private_machine_is_not_there(client, cast, page):
    profile = a_profile(owner())
    client.force_login(cast())

    assert client.get(f"/hardware/{profile.pk}/{page}").status_code == 404
    assert client.post(f"/hardware/{profile.pk}/{page}", typed()).status_code in (404, 405)
    assert HardwareProfile.objects.filter(pk=profile.pk, name="Laptop").exists()


@pytest.mark.parametrize("page", ["edit/", "delete/"])
def test_anothers_public_machine_can_be_read_but_not_changed(client, page):
    profile = a_profile(owner(), visibility=PUBLIC)
    client.force_login(teammate())

    assert client.get(f"/hardware/{profile.pk}/").status_code == 200
    assert client.post(f"/hardware/{profile.pk}/{page}", typed()).status_code == 404


def test_nobody_sees_public_machines_and_is_sent_to_log_in_for_the_rest(client):
    private = a_profile(owner())
    public = a_profile(owner(), name="Server", visibility=PUBLIC)

    assert client.get(f"/hardware/{private.pk}/").status_code == 404
    assert client.get(f"/hardware/{public.pk}/").status_code == 200
    for page in ("new/", f"{public.pk}/edit/", f"{public.pk}/delete/"):
        assert client.get(f"/hardware/{page}").url.startswith("/accounts/login/")


def test_the_list_holds_mine_first_then_the_public_ones(as_owner):
    a_profile(teammate(), name="A public one", visibility=PUBLIC)
    a_profile(teammate(), name="A private one")
    a_profile(owner(), name="Mine")

    cards = as_owner.get("/hardware/").context["cards"]

    assert [card["profile"].name for card in cards] == ["Mine", "A public one"]


def test_an_empty_list_says_what_to_do_next(as_owner):
    assert "No machine yet" in as_owner.get("/hardware/").text


def test_the_list_asks_as_often_for_ten_machines_as_for_one(client, django_assert_num_queries):
    for number in range(10):
        zone = a_zone(f"X{number}", f"Xland {number}")
        a_profile(owner(), name=f"Machine {number}", zone=zone, visibility=PUBLIC)

    # Count, machines, zones with their latest, the latest rows; nobody's session costs none.
    with django_assert_num_queries(4):
        client.get("/hardware/")


@pytest.mark.parametrize(
    "way_back, is_taken",
    [
        ("/models/", True),
        ("https://elsewhere.example/", False),
        ("//elsewhere.example/", False),
    ],
)
def test_whoever_came_from_a_run_goes_back_to_it_but_never_elsewhere(as_owner, way_back, is_taken):
    a_zone()
    a_processor("M1", vendor="Apple", tdp_w=10.0)

    response = as_owner.post(f"/hardware/new/?next={way_back}", typed())

    assert (response.url == way_back) == is_taken


# --- figures picked from the tables ------------------------------------------------------------


def a_pue_figure(**fields):
    values = {"provider": "Google Cloud", "region": "europe-west1", "year": 2024, "pue": 1.09}
    return PueFigure.objects.create(**values | {"source": "its own statement"} | fields)


def a_laptop_figure():
    return EmbodiedFigure.objects.create(
        key="laptop", name="Laptop", kind="machine", kg_co2e=175, lifetime_years=4, source="a study"
    )


def test_a_picked_pue_keeps_its_source(as_owner):
    a_zone()
    row = a_pue_figure()

    as_owner.post("/hardware/new/", typed(pue="1.09", pue_figure=str(row.pk)))

    profile = HardwareProfile.objects.get()
    page = as_owner.get(f"/hardware/{profile.pk}/").text
    assert (profile.pue, profile.pue_figure) == (1.09, row)
    assert "Google Cloud europe-west1, 2024" in page
    assert "its own statement" in page


def test_a_picked_pue_alone_is_enough(as_owner):
    a_zone()
    row = a_pue_figure()

    as_owner.post("/hardware/new/", typed(pue="1", pue_figure=str(row.pk)))

    assert HardwareProfile.objects.get().pue == 1.09


def test_a_typed_pue_is_still_allowed_and_called_typed(as_owner):
    a_zone()

    as_owner.post("/hardware/new/", typed(pue="1.3", pue_figure=""))

    profile = HardwareProfile.objects.get()
    assert (profile.pue, profile.pue_figure) == (1.3, None)
    assert ">typed<" in as_owner.get(f"/hardware/{profile.pk}/").text


def test_a_pue_that_is_neither_the_typed_nor_the_picked_is_asked_about(as_owner):
    a_zone()

    response = as_owner.post("/hardware/new/", typed(pue="1.3", pue_figure=str(a_pue_figure().pk)))

    assert "is 1.09, and you gave 1.3" in errors_of(response)["pue"]


def test_a_row_that_has_changed_since_changes_no_machine_and_blocks_no_edit(as_owner):
    row = a_pue_figure()
    profile = a_profile(owner(), pue=1.09, pue_figure=row)
    PueFigure.objects.update(pue=1.2)

    as_owner.post(
        f"/hardware/{profile.pk}/edit/",
        typed(name="Renamed", cpu_name="Any", pue="1.09", pue_figure=str(row.pk)),
    )

    profile.refresh_from_db()
    assert (profile.name, profile.pue) == ("Renamed", 1.09)
    assert "where the figure is 1.2 now" in as_owner.get(f"/hardware/{profile.pk}/").text


def test_what_making_the_machine_emitted_is_typed_or_picked(as_owner):
    a_zone()
    row = a_laptop_figure()

    as_owner.post("/hardware/new/", typed(embodied_kg_co2e="150", lifetime_years="5"))
    as_owner.post("/hardware/new/", typed(name="Second", embodied_figure=row.pk))

    first, second = HardwareProfile.objects.order_by("name")
    assert (first.embodied_kg_co2e, first.lifetime_years) == (150, 5)
    assert (second.embodied_kg_co2e, second.lifetime_years) == (175, 4)
    page = as_owner.get(f"/hardware/{second.pk}/").text
    assert "175 kg of CO₂ equivalent to make it, over 4 years" in page
    assert f'#row-{row.pk}">Laptop</a>: a study' in page
    assert (first.embodied_figure, second.embodied_figure) == (None, row)
    assert ">typed<" in as_owner.get(f"/hardware/{first.pk}/").text.split("to make it")[1]


def test_ones_own_lifetime_leaves_the_picked_machine_picked(as_owner):
    a_zone()
    row = a_laptop_figure()

    as_owner.post("/hardware/new/", typed(embodied_figure=row.pk, lifetime_years="6"))

    profile = HardwareProfile.objects.get()
    assert (profile.embodied_figure, profile.embodied_kg_co2e) == (row, 175)
    assert profile.lifetime_years == 6


def test_a_making_that_is_neither_the_typed_nor_the_picked_is_asked_about(as_owner):
    a_zone()
    row = a_laptop_figure()

    response = as_owner.post(
        "/hardware/new/",
        typed(embodied_figure=row.pk, embodied_kg_co2e="150", lifetime_years="4"),
    )

    assert "is 175 kg, and you gave 150" in errors_of(response)["embodied_kg_co2e"]


def test_a_making_that_has_changed_since_blocks_no_edit(as_owner):
    row = a_laptop_figure()
    profile = a_profile(embodied_kg_co2e=175, lifetime_years=4, embodied_figure=row)
    EmbodiedFigure.objects.update(kg_co2e=200)

    as_owner.post(
        f"/hardware/{profile.pk}/edit/",
        typed(
            name="Renamed",
            cpu_name="Any",
            embodied_figure=row.pk,
            embodied_kg_co2e="175",
            lifetime_years="4",
        ),
    )

    profile.refresh_from_db()
    assert (profile.name, profile.embodied_kg_co2e) == ("Renamed", 175)
    assert "where the figure is 200 kg now" in as_owner.get(f"/hardware/{profile.pk}/").text


@pytest.mark.parametrize(
    ("fields", "at", "says"),
    [
        ({"embodied_kg_co2e": "150"}, "lifetime_years", "for how many years"),
        ({"lifetime_years": "4"}, "embodied_kg_co2e", "how many kilograms"),
        ({"embodied_kg_co2e": "-1", "lifetime_years": "4"}, "embodied_kg_co2e", "You gave -1"),
        ({"embodied_kg_co2e": "1", "lifetime_years": "0"}, "lifetime_years", "You gave 0"),
        ({"embodied_figure": "spaceship"}, "embodied_figure", "from the list"),
        ({"pue_figure": "0" * 32}, "pue_figure", "from the list"),
    ],
)
def test_a_wrong_figure_of_making_it_is_explained(as_owner, fields, at, says):
    a_zone()

    response = as_owner.post("/hardware/new/", typed(**fields))

    assert says in errors_of(response)[at]


def test_what_few_machines_state_is_folded_away_until_it_is_stated(as_owner):
    a_zone()
    profile = a_profile(owner(), embodied_kg_co2e=150, lifetime_years=5)

    new = as_owner.get("/hardware/new/").text
    stated = as_owner.get(f"/hardware/{profile.pk}/edit/").text
    refused = as_owner.post("/hardware/new/", typed(lifetime_years="4")).text

    fold = "<details{}>\n      <summary>Making the machine"
    assert fold.format("") in new
    assert fold.format(" open") in stated
    assert fold.format(" open") in refused
