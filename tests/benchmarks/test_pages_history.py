"""A model's page: its newest grams, its history, its versions."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.people import (
    SOFTWARE,
    a_done_run,
    a_model,
    a_queued_run,
    a_ready_version,
    anonymous,
    stranger,
    teammate,
)

pytestmark = pytest.mark.django_db


def days_ago(days):
    return timezone.now() - timedelta(days=days)


def page_of(client, onnx_model, query=""):
    return client.get(f"/models/{onnx_model.pk}/{query}").text


def test_the_newest_grams_stand_on_top_with_their_change(signed_in):
    version = a_ready_version()
    a_done_run(version, mean_s=0.002, finished_at=days_ago(1))
    a_done_run(version, mean_s=0.001)

    page = page_of(signed_in, version.onnx_model)

    assert "3.17 <span" in page
    assert ">50 %</span> less</span>" in page.replace("\n", "")


def test_a_change_inside_the_noise_is_called_that(signed_in):
    version = a_ready_version()
    a_done_run(version, mean_s=0.001, finished_at=days_ago(1))
    a_done_run(version, mean_s=0.00101)

    assert "within the noise" in page_of(signed_in, version.onnx_model)


def test_a_model_without_a_run_says_what_comes_next(signed_in):
    page = page_of(signed_in, a_ready_version().onnx_model)

    assert "No result yet" in page
    assert "history-chart" not in page


def test_a_single_run_is_no_line_and_the_page_says_so(signed_in):
    page = page_of(signed_in, a_done_run().version.onnx_model)

    assert "One run so far" in page


def test_a_break_is_said_in_words(signed_in):
    version = a_ready_version()
    a_done_run(version, finished_at=days_ago(1))
    newer = {
        "software": {**SOFTWARE, "onnxruntime": "1.33.0"},
        "software_fingerprint": "software-2",
    }
    a_done_run(version, measurement=newer)

    page = page_of(signed_in, version.onnx_model)

    assert "The line breaks" in page
    assert "the runtime changed from onnxruntime 1.32.0 to 1.33.0" in page
    assert "Not comparable with the run before" in page


def test_a_range_limits_the_table_and_not_the_headline(signed_in):
    run = a_done_run(mean_s=0.001, finished_at=days_ago(60))
    onnx_model = run.version.onnx_model

    page = page_of(signed_in, onnx_model, "?range=7")

    assert "No finished run in this range" in page
    assert "3.17 <span" in page


@pytest.mark.parametrize("query", ["?range=abc", "?range=-1", "?metric=x&scale=y", "?page=9999"])
def test_a_strange_address_shows_the_usual_page(signed_in, query):
    onnx_model = a_done_run().version.onnx_model

    assert "History" in page_of(signed_in, onnx_model, query)


def test_the_table_alone_is_fetched_when_the_range_changes(signed_in):
    onnx_model = a_done_run().version.onnx_model

    page = signed_in.get(
        f"/models/{onnx_model.pk}/?range=30",
        headers={"HX-Request": "true", "HX-Target": "history-table"},
    ).text

    assert "<table>" in page
    assert "<html" not in page


def test_a_browser_keeps_the_table_alone_apart_from_the_page(signed_in):
    address = a_ready_version().onnx_model.get_absolute_url()

    answers = [signed_in.get(address, headers=one) for one in ({}, {"HX-Target": "history-table"})]

    assert all("HX-Target" in answer["Vary"] for answer in answers)


def test_a_failure_since_the_newest_result_is_shown_and_an_older_one_is_not(signed_in):
    version = a_ready_version()
    ended = {"status": "failed", "failure_code": "x", "finished_at": days_ago(2)}
    a_queued_run(version, failure_message="An old problem.", **ended)
    a_done_run(version, finished_at=days_ago(1))
    ended["finished_at"] = days_ago(0)
    a_queued_run(version, failure_message="A new problem.", **ended)

    page = page_of(signed_in, version.onnx_model)

    assert "A new problem." in page
    assert "An old problem." not in page


def test_the_structure_of_the_newest_ready_version_is_shown(signed_in):
    version = a_ready_version()
    a_ready_version(onnx_model=version.onnx_model, status="rejected", rejection_reason="No.")

    page = page_of(signed_in, version.onnx_model)

    assert "What v1 is made of" in page
    assert "batch × 1 × 28 × 28" in page
    assert "Conv × 2" in page
    assert "44.4 k" in page


def test_names_from_a_file_are_shown_as_text(signed_in):
    hostile = "<script>alert(1)</script>"
    version = a_ready_version(
        operators={hostile: 1},
        inputs=[{"name": hostile, "dtype": "float32", "shape": [hostile]}],
        label=hostile,
    )
    a_done_run(version)

    assert hostile not in page_of(signed_in, version.onnx_model)


def test_the_chart_s_data_hold_each_run(signed_in):
    version = a_ready_version()
    a_done_run(version, finished_at=days_ago(40))
    a_done_run(version, finished_at=days_ago(1))
    address = f"/models/{version.onnx_model.pk}/history.json"

    everything = signed_in.get(address).json()
    recent = signed_in.get(f"{address}?range=30").json()

    assert [len(series["points"]) for series in everything["series"]] == [2]
    assert [len(series["points"]) for series in recent["series"]] == [1]


def test_the_csv_is_a_download_with_the_model_s_name(signed_in):
    run = a_done_run()

    response = signed_in.get(f"/models/{run.version.onnx_model.pk}/history.csv")

    assert response.headers["Content-Disposition"] == 'attachment; filename="lenet-5-history.csv"'
    assert str(run.pk) in response.getvalue().decode()


@pytest.mark.parametrize("visitor", [teammate, stranger, anonymous])
@pytest.mark.parametrize("page", ["", "history.json", "history.csv"])
def test_a_private_model_is_absent_for_everybody_else(client, visitor, page):
    onnx_model = a_done_run().version.onnx_model
    if visitor is not anonymous:
        client.force_login(visitor())

    assert client.get(f"/models/{onnx_model.pk}/{page}").status_code == 404


@pytest.mark.parametrize("visitor", [teammate, anonymous])
def test_a_public_model_is_read_by_anybody(client, visitor):
    run = a_done_run(a_ready_version(onnx_model=a_model(visibility="public")))
    if visitor is not anonymous:
        client.force_login(visitor())

    page = page_of(client, run.version.onnx_model)

    assert "By owner" in page
    assert "Delete this model" not in page


def test_the_page_asks_the_same_number_of_questions_however_long_the_history(
    signed_in, django_assert_num_queries
):
    version = a_ready_version()
    a_done_run(version)
    a_done_run(version)
    # What circumstances there are; the newest run and the one before it; the page of the table;
    # the newest run itself and its estimates; zones, profiles, intensities of the what-if.
    with django_assert_num_queries(20):
        page_of(signed_in, version.onnx_model)
    for _ in range(6):
        a_done_run(a_ready_version(onnx_model=version.onnx_model))

    with django_assert_num_queries(20):
        page_of(signed_in, version.onnx_model)
