"""Versions laid side by side in a browser: picked, read, copied, and found again by address."""

import re

import pytest

from tests.journeys import steps

pytestmark = pytest.mark.browser


def state_accuracy(page, model_url, percent):
    page.goto(model_url)
    page.get_by_role("link", name=re.compile("^Edit")).first.click()
    page.get_by_label("Accuracy (%)").fill(percent)
    page.get_by_role("button", name="Save").click()
    page.get_by_text("has been saved").wait_for()


def a_measured_model(page, site, name, percent):
    model_url = steps.upload(page, site, steps.SQUEEZENET, name)
    page.get_by_role("link", name="Run it").first.wait_for()
    steps.run_quickly(page, model_url)
    state_accuracy(page, model_url, percent)


def test_two_models_are_picked_compared_copied_and_found_again(site, visitor):
    visitor.set_default_timeout(20_000)
    steps.sign_up(visitor, site, "compares")
    steps.describe_laptop(visitor, site)
    a_measured_model(visitor, site, "First net", "80")
    a_measured_model(visitor, site, "Second net", "90")

    visitor.goto(f"{site.url}/models/")
    visitor.get_by_role("link", name="Compare", exact=True).click()
    steps.assert_accessible(visitor)
    visitor.get_by_label("First net v1").check()
    visitor.get_by_label("Second net v1").check()
    visitor.get_by_role("button", name="Compare", exact=True).click()

    summary = visitor.locator("#summary").inner_text()
    assert re.search("Second net v1 is better on [^;]*accuracy", summary)
    assert visitor.locator("#row-accuracy_ratio .badge").inner_text() == "best"
    drawn = "() => window.Chart?.getChart('pareto-chart')?.data.datasets.length"
    visitor.wait_for_function(drawn)
    assert visitor.evaluate(drawn) == 3
    visitor.locator("#pareto").get_by_role("link", name="CO₂").click()
    visitor.wait_for_url(re.compile("cost=emission"))
    visitor.locator("summary", has_text="as Markdown").click()
    assert "| size on disk (lower is better) |" in visitor.locator("#markdown").inner_text()
    steps.assert_accessible(visitor)
    visitor.goto(visitor.locator("#permalink").input_value())
    assert visitor.locator("#summary").inner_text() == summary


def test_it_is_picked_and_read_without_javascript(site, visitor, new_context):
    steps.sign_up(visitor, site, "noscript")
    steps.upload(visitor, site, steps.SQUEEZENET, "Plain net")
    steps.upload(visitor, site, steps.SQUEEZENET, "Other net")
    page = new_context(
        java_script_enabled=False, storage_state=visitor.context.storage_state()
    ).new_page()

    page.goto(f"{site.url}/compare/")
    page.get_by_label("Model or label").fill("plain")
    page.get_by_label("Plain net v1").check()
    page.get_by_label("Model or label").fill("other")
    page.get_by_role("button", name="Search").click()
    page.get_by_label("Other net v1").check()
    page.get_by_role("button", name="Compare", exact=True).click()

    assert "Plain net v1" in page.locator("h1").inner_text()
    assert page.locator(".comparison tbody tr").count() == 7
