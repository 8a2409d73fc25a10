"""The main job: upload a model, get its grams, and trust the history."""

import re

import pytest

from tests.journeys import steps
from tests.journeys.conftest import ADMIN, ADMIN_PASSWORD

pytestmark = pytest.mark.browser


def test_a_newcomer_gets_the_grams_of_a_model(site, visitor, new_context):
    page = visitor
    steps.sign_up(page, site, "newcomer")
    steps.describe_laptop(page, site)
    model_url = steps.upload(page, site, steps.SQUEEZENET)
    page.get_by_role("link", name="Run it").first.wait_for()
    run_url = steps.run_quickly(page, model_url)

    run = steps.run_from_api(page, site, run_url)
    shown = page.locator(".figure").first.inner_text()
    assert "g" in shown
    assert run["status"] == "done"
    assert run["intensity"]["zone"] == "IND"
    total_w = sum(run["power"][key] for key in ("cpu_w", "ram_w", "gpu_w"))
    product = (
        run["intensity"]["g_per_kwh"] * run["pue"] * total_w * run["latency"]["mean_s"] / 3.6e6
    )
    assert run["emission_g"] == pytest.approx(product, rel=1e-9)
    assert total_w == 16

    edit_india_in_admin(new_context, site, g_per_kwh="100")
    page.goto(run_url)
    assert steps.run_from_api(page, site, run_url)["emission_g"] == run["emission_g"]
    page.get_by_role("button", name="Run again").click()
    page.wait_for_url(lambda url: "/runs/" in url and url != run_url)
    again = steps.run_from_api(page, site, steps.wait_for_result(page))
    assert again["intensity"]["g_per_kwh"] == 100
    assert again["id"] != run["id"]

    page.goto(model_url)
    page.locator("canvas").first.wait_for()
    assert page.locator("table").get_by_role("link").count() >= 2


def edit_india_in_admin(new_context, site, *, g_per_kwh):
    page = new_context().new_page()
    page.goto(f"{site.url}/admin/hardware/carbonintensity/?q=IND")
    page.wait_for_url(re.compile("login"))
    page.locator("input[name=login]").fill(ADMIN)
    page.locator("input[name=password]").fill(ADMIN_PASSWORD)
    page.locator("main").get_by_role("button", name="Log in", exact=True).click()
    page.goto(f"{site.url}/admin/hardware/carbonintensity/?q=India&year=2025")
    row = page.locator("#result_list tbody tr").filter(has_text="India").first
    row.locator("input[name$=g_per_kwh]").fill(g_per_kwh)
    page.get_by_role("button", name="Save").click()
    page.locator(".messagelist .success").wait_for()
