"""The first page: for a visitor, and for somebody with models, runs or nothing yet."""

import pytest

from benchmarks.models import Run
from tests.people import (
    a_done_run,
    a_model,
    a_profile,
    a_queued_run,
    a_ready_version,
    owner,
    stranger,
)

pytestmark = pytest.mark.django_db


def test_a_visitor_sees_a_real_public_result(client):
    a_done_run(a_ready_version(onnx_model=a_model(visibility="public")), mean_s=0.001)

    page = client.get("/").text

    assert "LeNet-5" in page
    assert "3.17 <span" in page
    assert "Upload a model" in page


def test_a_visitor_never_sees_a_private_result(client):
    a_done_run()

    page = client.get("/").text

    assert "LeNet-5" not in page
    assert "No public result yet" in page


def test_somebody_new_is_asked_for_a_machine_first(client):
    client.force_login(owner())

    assert "describe a machine" in client.get("/").text


def test_whoever_describes_their_first_machine_comes_back_for_the_next_step(client):
    client.force_login(owner())

    assert 'href="/hardware/new/?next=/"' in client.get("/").text


def test_with_a_machine_the_next_step_is_a_model_or_the_sample(client):
    a_profile()
    client.force_login(owner())

    page = client.get("/").text

    assert "Upload a model" in page
    assert "Try the sample model" in page


def test_with_a_ready_model_the_next_step_is_a_run(client):
    a_profile()
    version = a_ready_version()
    client.force_login(owner())

    assert f"/models/{version.onnx_model.pk}/run/?version={version.pk}" in client.get("/").text


def test_a_rejected_file_says_why_and_asks_for_another(client):
    a_profile()
    reason = "This is a text file, not an ONNX model."
    a_ready_version(status="rejected", rejection_reason=reason)
    client.force_login(owner())

    page = client.get("/").text

    assert reason in page
    assert "Upload a corrected file" in page


def test_a_card_shows_the_grams_and_the_change_since_the_last(client):
    version = a_ready_version()
    a_done_run(version, mean_s=0.002)
    a_done_run(version, mean_s=0.001)
    client.force_login(owner())

    page = client.get("/").text

    assert ">50 %</span> less" in page
    assert "<polyline" in page


def test_runs_of_others_are_not_on_my_page(client):
    a_done_run()
    client.force_login(stranger())

    assert "LeNet-5" not in client.get("/").text


def test_the_queue_says_how_many_are_mine(client):
    a_queued_run()
    client.force_login(owner())

    assert "0 being measured, 1 waiting, 1 of 1 is yours" in client.get("/").text


def test_the_page_asks_the_same_number_of_questions_however_many_runs(
    client, django_assert_num_queries
):
    version = a_ready_version()
    a_done_run(version)
    client.force_login(owner())
    with django_assert_num_queries(11):
        client.get("/")
    for _ in range(8):
        a_done_run(version)

    with django_assert_num_queries(11):
        client.get("/")


def test_the_list_of_runs_is_ones_own(client):
    a_done_run()
    client.force_login(stranger())

    page = client.get("/runs/").text

    assert "No runs yet" in page


def test_the_list_of_runs_shows_every_ending(client, django_assert_num_queries):
    version = a_ready_version()
    a_done_run(version, mean_s=0.001)
    Run.objects.cancel(a_queued_run(version).pk)
    client.force_login(owner())

    with django_assert_num_queries(6):
        page = client.get("/runs/").text

    assert "Cancelled" in page
    assert "3.17 µg" in page


def test_the_list_of_runs_asks_a_visitor_to_log_in(client):
    assert client.get("/runs/").headers["Location"].startswith("/accounts/login/")
