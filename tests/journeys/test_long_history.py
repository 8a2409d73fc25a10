"""A model with thousands of runs: looked at from afar, and closer and closer."""

import re

import pytest

from tests.journeys import steps

pytestmark = pytest.mark.browser
RUN_COUNT = 3000
# One an hour, before the one that was measured; ever faster, with a bump now and then.
COPY = f"""
from datetime import timedelta
from benchmarks.models import Run
from tests.long_history import copies_of
run = Run.objects.get(pk="{{run_id}}")
copies_of(run, [
    (run.finished_at - timedelta(hours=n), run.latency_s * (1 + n / 20000 + n % 7 / 100))
    for n in range(1, {RUN_COUNT})
])
"""


@pytest.fixture(scope="module")
def model_url(site, browser):
    """Somebody's model, run once and then, as it were, every hour for four months."""
    page = browser.new_page()
    model_url, run_url = steps.first_run_of(page, site, "historian", model_name="Long")
    page.close()
    run_id = run_url.rstrip("/").rsplit("/", 1)[-1]
    site.manage("shell", "--command", COPY.format(run_id=run_id))
    return model_url


@pytest.fixture
def owner(site, visitor, model_url):
    steps.log_in(visitor, site, "historian")
    return visitor


def runs_in_table(page):
    caption = page.locator("#history-table caption").inner_text()
    return int(re.match(r"[\d,]+", caption)[0].replace(",", ""))


def test_the_chart_sums_up_what_it_cannot_draw_and_a_zoom_looks_closer(owner, model_url):
    owner.goto(model_url)
    key = owner.locator("#chart-key")
    key.get_by_text(f"{RUN_COUNT:,} runs in").wait_for()
    assert owner.get_by_text(f"({RUN_COUNT:,} runs)").count() == 1
    steps.assert_accessible(owner)

    chart = owner.locator("#history-chart")
    chart.focus()
    chart.press("End")
    assert "median of" in owner.locator("#chart-news").inner_text()
    chart.press("Enter")

    owner.wait_for_url(re.compile(r"from=\d+&to=\d+"))
    key.get_by_text("Each point is a run").wait_for()
    owner.get_by_text("Show the whole range").wait_for()
    assert 1 <= runs_in_table(owner) < 100
    steps.assert_accessible(owner)

    owner.get_by_role("button", name="Reset zoom").click()
    key.get_by_text(f"{RUN_COUNT:,} runs in").wait_for()
    owner.locator("#history-table caption").get_by_text(f"{RUN_COUNT:,} finished").wait_for()
    assert "from=" not in owner.url


def test_a_zoom_survives_reloading_and_a_shorter_range_has_shorter_buckets(owner, model_url):
    owner.goto(f"{model_url}?range=90")
    key = owner.locator("#chart-key")
    key.get_by_text("12 hours").wait_for()

    owner.get_by_role("link", name="30 days").click()

    key.get_by_text(re.compile(r"up to (3|6) hours")).wait_for()
    owner.get_by_role("link", name="7 days").click()
    key.get_by_text("Each point is a run").wait_for()
    chart = owner.locator("#history-chart")
    chart.focus()
    chart.press("+")
    owner.wait_for_url(re.compile(r"from="))
    few = runs_in_table(owner)
    owner.reload()
    owner.get_by_text("Show the whole range").wait_for()
    assert runs_in_table(owner) <= few


def test_a_what_if_moves_the_whole_history(owner, model_url):
    owner.goto(model_url)
    owner.locator("#chart-key").get_by_text("runs in").wait_for()

    box = owner.locator("#whatif-zone-search")
    box.fill("France")
    owner.get_by_role("option", name="France", exact=True).click()

    owner.get_by_text("worked out under the factors that are asked for").wait_for()
    assert "zone=FRA" in owner.url
    assert "zone=FRA" in owner.locator("#csv-link").get_attribute("href")
    steps.assert_accessible(owner)


def test_without_a_script_the_chart_is_a_table_that_leads_to_single_runs(
    site, browser, owner, model_url
):
    context = browser.new_context(
        java_script_enabled=False, storage_state=owner.context.storage_state()
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(model_url)

    page.get_by_role("link", name="The chart as a table").click()
    page.get_by_text(f"{RUN_COUNT:,} finished runs in").wait_for()
    page.locator("tbody a").first.click()

    page.get_by_text("Show the whole range").wait_for()
    assert 1 <= runs_in_table(page) < 100
    context.close()


def test_the_table_of_the_chart_is_accessible(owner, model_url):
    owner.goto(f"{model_url}history/")

    owner.get_by_text(f"{RUN_COUNT:,} finished runs in").wait_for()

    steps.assert_accessible(owner)
