"""A new vintage through the browser: sent, previewed, loaded, shown; and an old run as it was."""

import csv

import pytest

from tests.journeys import steps
from tests.journeys.conftest import ADMIN, ADMIN_PASSWORD, ROOT

pytestmark = pytest.mark.browser

HEAD = ("zone", "year", "g_per_kwh", "measure", "source", "vintage")
NEW_SOURCE = "The journey's own table"


@pytest.fixture
def admin(site, visitor):
    """The administrator's browser; the visitor's fixture fails a test on any complaint of it."""
    steps.log_in(visitor, site, ADMIN, ADMIN_PASSWORD)
    return visitor


@pytest.fixture
def shipped_tables(site):
    """The shipped figures, before and after: other journeys edit them too, and count on them."""
    shipped = ROOT / "hardware" / "data" / "intensities.csv"
    site.manage("load_reference", str(shipped), "--apply", "--overwrite-edited")
    yield
    site.manage("load_reference", str(shipped), "--apply", "--overwrite-edited")


def a_file(folder, *lines):
    path = folder / "new.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([HEAD, *lines])
    return path


def send(page, site, path):
    page.goto(f"{site.url}/admin/hardware/carbonintensity/")
    page.get_by_role("link", name="Load a new vintage").click()
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Show what it would change").click()


def edit_by_hand(page, site, code, g_per_kwh):
    """Change a country's newest figure in the admin's list."""
    page.goto(f"{site.url}/admin/hardware/carbonintensity/?q={code}")
    page.locator("input[name=form-0-g_per_kwh]").fill(g_per_kwh)
    page.get_by_role("button", name="Save").click()
    page.get_by_text("1 carbon intensity was changed successfully").wait_for()


@pytest.mark.usefixtures("shipped_tables")
def test_a_new_vintage_is_previewed_loaded_and_shown_and_old_runs_stay(site, admin, tmp_path):
    steps.describe_laptop(admin, site)
    model_url = steps.upload(admin, site, steps.SQUEEZENET, "Before the new vintage")
    admin.get_by_role("link", name="Run it").first.wait_for()
    run_url = steps.run_quickly(admin, model_url)
    old = steps.run_from_api(admin, site, run_url)
    edit_by_hand(admin, site, "FRA", "40")
    year = old["intensity"]["year"]
    path = a_file(
        tmp_path,
        ("IND", year, "123.25", "life_cycle", NEW_SOURCE, "2027-04"),
        ("FRA", year, "39", "life_cycle", NEW_SOURCE, "2027-04"),
        ("FRA", 2024, "0", "life_cycle", NEW_SOURCE, "2027-04"),
    )

    send(admin, site, path)
    admin.locator("#plan").wait_for()
    said = admin.locator("#plan").inner_text()
    steps.assert_accessible(admin)
    admin.get_by_role("button", name="Load this file").click()
    admin.get_by_text("Loaded into carbon intensities").wait_for()

    assert "2 rows: 1 changed, median -81.6 %, 1 edited by hand and kept" in said
    assert "used a row that changes" in said
    admin.goto(f"{site.url}/reference/zones/IND/")
    admin.get_by_role("cell", name=NEW_SOURCE).wait_for()
    assert "123 g/kWh" in admin.locator(".figure").inner_text()
    steps.assert_accessible(admin)
    admin.goto(f"{site.url}/reference/zones/FRA/")
    assert "40" in admin.locator(".figure").inner_text()
    new = steps.run_from_api(admin, site, run_url)
    assert (new["emission_g"], new["intensity"]) == (old["emission_g"], old["intensity"])


def test_a_bad_file_shows_each_bad_cell_and_changes_nothing(site, admin, tmp_path):
    path = a_file(
        tmp_path,
        ("DEU", 2025, "1", "life_cycle", NEW_SOURCE, "v"),
        ("DEU", 2024, "27.29.5", "life_cycle", NEW_SOURCE, "v"),
    )

    send(admin, site, path)

    admin.get_by_role("cell", name="“27.29.5” is not a number.").wait_for()
    steps.assert_accessible(admin)
    assert admin.get_by_role("button", name="Load this file").count() == 0
    admin.goto(f"{site.url}/reference/zones/DEU/")
    assert admin.get_by_role("cell", name=NEW_SOURCE).count() == 0


def test_a_machine_takes_its_pue_and_its_making_from_the_tables(site, visitor):
    steps.sign_up(visitor, site, "picks-figures")
    steps.describe_laptop(visitor, site)
    visitor.get_by_role("link", name="Edit").click()

    visitor.locator("[name=pue_figure]").select_option(label="Google Cloud europe-west1")
    visitor.locator("summary", has_text="Making the machine").click()
    visitor.locator("[name=embodied_figure]").select_option(label="Laptop, professional")

    assert visitor.locator("[name=pue]").input_value() == "1.09"
    assert visitor.locator("[name=embodied_kg_co2e]").input_value() == "181"
    visitor.locator("[name=embodied_kg_co2e]").fill("190")
    assert visitor.locator("[name=embodied_figure]").input_value() == ""
    visitor.get_by_role("button", name="Save this machine").click()
    visitor.get_by_text("Google Cloud europe-west1, 2024").wait_for()
    visitor.get_by_text("190 kg of CO₂ equivalent to make it, over 4 years").wait_for()
