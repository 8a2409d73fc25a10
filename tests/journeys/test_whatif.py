"""A result asked about: elsewhere, in every country, explained, and re-priced by the admin."""

import re

import pytest

from tests.journeys import steps
from tests.journeys.conftest import ADMIN, ADMIN_PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def a_run_of_ones_own(site, browser):
    """Somebody's finished run; their name, and the addresses of the run and its model."""
    page = browser.new_page()
    model_url, run_url = steps.first_run_of(page, site, "whatif", model_name="Elsewhere")
    steps.run_quickly(page, model_url)
    page.close()
    return run_url, model_url


@pytest.fixture
def owner(site, visitor, a_run_of_ones_own):
    steps.log_in(visitor, site, "whatif")
    return visitor


def answered_g(page):
    """The exact grams that the what-if shows, read as one does on hover."""
    title = page.locator('#whatif-answer [data-out="emission"] .figure-value').get_attribute(
        "title"
    )
    number, unit = title.split(" ")
    scale = {"picograms": 1e-12, "nanograms": 1e-9, "micrograms": 1e-6, "milligrams": 1e-3}
    return float(number.replace(",", "")) * scale.get(unit, 1.0)


def choose_zone(page, name):
    box = page.locator("#whatif-zone-search")
    box.fill(name)
    page.get_by_role("option", name=name, exact=True).click()


def test_another_country_changes_the_grams_at_once_and_stays_in_the_address(
    site, owner, a_run_of_ones_own
):
    run_url, _ = a_run_of_ones_own
    owner.goto(run_url)
    stored = steps.run_from_api(owner, site, run_url)

    choose_zone(owner, "France")

    owner.wait_for_url(re.compile(r"zone=FRA"))
    run_id = run_url.rstrip("/").rsplit("/", 1)[-1]
    asked = steps.from_api(owner, site, f"/runs/{run_id}/whatif/?zone=FRA")
    assert answered_g(owner) == pytest.approx(asked["emission_g"], rel=1e-12)
    assert asked["emission_g"] < stored["emission_g"]
    owner.locator("#whatif-inferences_per_day").fill("1000000")
    owner.get_by_role("rowheader", name="A year of 1 M a day").wait_for()
    steps.assert_accessible(owner)

    owner.reload()
    assert answered_g(owner) == pytest.approx(asked["emission_g"], rel=1e-12)
    assert owner.locator("#whatif-zone-search").input_value() == "France"
    assert steps.run_from_api(owner, site, run_url)["emission_g"] == stored["emission_g"]

    owner.get_by_role("link", name="As measured").click()
    assert answered_g(owner) == pytest.approx(stored["emission_g"], rel=1e-12)
    assert "zone=" not in owner.url


def test_a_region_that_is_counted_otherwise_says_so_at_once(owner, a_run_of_ones_own):
    owner.goto(a_run_of_ones_own[0])

    choose_zone(owner, "California (United States)")

    owner.get_by_text("California 2023, operational").wait_for()
    owner.get_by_text("counted otherwise (life cycle) than this one's (operational)").wait_for()
    owner.get_by_role("link", name="As measured").click()
    owner.locator("[data-out=measure]").wait_for(state="hidden")


def test_a_bad_year_is_said_beside_its_field(owner, a_run_of_ones_own):
    owner.goto(a_run_of_ones_own[0])

    owner.locator("#whatif-year").fill("1991")

    owner.get_by_text("The years of India: 2000 to").wait_for()
    owner.locator("#whatif-year").fill("2010")
    owner.get_by_text("India 2010").wait_for()


def test_the_what_if_works_without_a_script(site, browser, a_run_of_ones_own, owner):
    run_url, _ = a_run_of_ones_own
    context = browser.new_context(
        java_script_enabled=False, storage_state=owner.context.storage_state()
    )
    page = context.new_page()
    page.goto(run_url)

    page.locator("select#whatif-zone").select_option("FRA")
    page.get_by_role("button", name="Work it out").click()

    page.wait_for_url(re.compile(r"zone=FRA"))
    asked = steps.from_api(
        owner, site, f"/runs/{run_url.rstrip('/').rsplit('/', 1)[-1]}/whatif/?zone=FRA"
    )
    assert answered_g(page) == pytest.approx(asked["emission_g"], rel=1e-12)
    context.close()


def test_every_country_is_ranked_with_mine_marked(owner, a_run_of_ones_own):
    owner.goto(a_run_of_ones_own[0])
    owner.get_by_role("link", name="Every country, ranked").click()

    assert "India" in owner.locator("#mine").inner_text()
    steps.assert_accessible(owner)
    owner.get_by_label("Search").fill("cote")
    owner.get_by_text(re.compile(r"^1 of \d+ places")).wait_for()
    owner.get_by_label("Search").fill("france")
    owner.get_by_role("link", name="France").first.click()
    owner.get_by_role("heading", name="In France over the years").wait_for()
    owner.locator("#years-chart").wait_for()
    with owner.expect_download() as download:
        owner.get_by_role("link", name="Download as CSV").click()
    assert download.value.suggested_filename == "run-by-country.csv"


def test_a_change_is_explained_between_two_clicked_points(owner, a_run_of_ones_own):
    _, model_url = a_run_of_ones_own
    owner.goto(model_url)
    owner.get_by_role("heading", name="Why did it move?").wait_for()
    steps.assert_accessible(owner)

    owner.get_by_role("button", name="Explain a change").click()
    chart = owner.locator("#history-chart")
    chart.focus()
    for key in ("Home", "Enter", "End", "Enter"):
        chart.press(key)

    owner.wait_for_url(re.compile(r"before=.*after=.*#why"))
    owner.get_by_role("rowheader", name="Total").wait_for()


def test_the_factors_of_a_history_are_in_its_address(owner, a_run_of_ones_own):
    owner.goto(a_run_of_ones_own[1])

    owner.get_by_role("link", name="All at today's").click()
    owner.wait_for_url(re.compile(r"factors=today"))
    owner.get_by_role("link", name="Energy", exact=True).click()

    owner.wait_for_url(re.compile(r"metric=energy"))
    assert "factors=today" in owner.url


def preview_new_prices(page, site, run_id):
    page.goto(f"{site.url}/admin/benchmarks/run/?q={run_id}")
    page.locator("input.action-select").first.check()
    page.locator("select[name=action]").select_option("reprice_action")
    page.get_by_role("button", name="Go").click()
    page.get_by_text("1 of 1 run would change").wait_for()


def test_the_admin_re_prices_after_a_preview(site, visitor, new_context, a_run_of_ones_own):
    run_url, _ = a_run_of_ones_own
    run_id = run_url.rstrip("/").rsplit("/", 1)[-1]
    steps.log_in(visitor, site, ADMIN, ADMIN_PASSWORD)
    before_g = steps.run_from_api(visitor, site, run_url)["emission_g"]
    visitor.goto(f"{site.url}/admin/hardware/carbonintensity/?q=India&zone__kind__exact=country")
    visitor.locator("#id_form-0-g_per_kwh").fill("500")
    visitor.get_by_role("button", name="Save").click()

    preview_new_prices(visitor, site, run_id)
    for view in steps.VIEWS:
        context = new_context(**view, storage_state=visitor.context.storage_state())
        page = context.new_page()
        preview_new_prices(page, site, run_id)
        steps.assert_axe_finds_nothing(page)
    visitor.get_by_label("Why").fill("A trial")
    visitor.get_by_role("button", name="Re-price 1 run").click()

    visitor.get_by_text("1 run re-priced; the old figures stay").wait_for()
    visitor.goto(run_url)
    visitor.get_by_role("heading", name="Estimates of this measurement").wait_for()
    visitor.get_by_text("A trial, by admin").wait_for()
    found = steps.run_from_api(visitor, site, run_url)
    assert found["intensity"]["g_per_kwh"] == 500
    assert found["emission_g"] != before_g
    assert [one["emission_g"] for one in found["estimates"]][-1] == before_g
