"""The admin in a real browser: every list and form opens, and nothing breaks the site's policy."""

import csv

import pytest

from tests.journeys import steps
from tests.journeys.conftest import ADMIN, ADMIN_PASSWORD

pytestmark = pytest.mark.browser

LISTS = (
    "hardware/zone",
    "hardware/carbonintensity",
    "hardware/processor",
    "hardware/hardwareprofile",
    "benchmarks/onnxmodel",
    "benchmarks/modelversion",
    "benchmarks/run",
    "accounts/user",
    "accounts/apitoken",
)


@pytest.fixture
def admin(site, visitor):
    """The administrator's browser; the visitor's fixture fails a test on any complaint of it."""
    steps.log_in(visitor, site, ADMIN, ADMIN_PASSWORD)
    return visitor


def test_every_list_and_form_of_the_admin_opens(site, admin):
    for path in LISTS:
        assert admin.goto(f"{site.url}/admin/{path}/").ok
        first = admin.locator("#result_list tbody :is(th, td) a").first
        if first.count():
            assert admin.goto(site.url + first.get_attribute("href")).ok
            admin.locator("#content h1").wait_for()


@pytest.mark.parametrize("table", ["carbonintensity", "processor"])
def test_a_reference_table_goes_out_and_comes_back(site, admin, tmp_path, table):
    admin.goto(f"{site.url}/admin/hardware/{table}/")
    with admin.expect_download() as download:
        admin.get_by_role("link", name="Export").click()
    exported = tmp_path / "exported.csv"
    download.value.save_as(exported)
    few = tmp_path / "few.csv"
    with exported.open(newline="") as every, few.open("w", newline="") as some:
        csv.writer(some).writerows(row for row, _ in zip(csv.reader(every), range(4), strict=False))

    admin.goto(f"{site.url}/admin/hardware/{table}/import/")
    admin.locator("input[type=file]").set_input_files(few)
    admin.get_by_role("button", name="Submit").click()
    admin.get_by_role("button", name="Confirm import").click()

    admin.get_by_text("0 new, 0 updated, 0 deleted and 3 skipped").wait_for()
