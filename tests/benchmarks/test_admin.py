"""Models, versions and runs in the admin: found, read, and never altered."""

import pytest
from django.urls import reverse

from tests.people import a_done_run, a_queued_run, a_ready_version, admin, owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client):
    client.force_login(admin())
    return client


@pytest.mark.parametrize("name", ["onnxmodel", "modelversion", "run"])
def test_every_list_opens_and_is_searchable(office, name):
    a_done_run()

    page = office.get(reverse(f"admin:benchmarks_{name}_changelist"), {"q": "LeNet"})

    assert page.status_code == 200
    assert "LeNet-5" in page.text


def test_the_list_of_runs_shows_readable_numbers(office):
    a_done_run(mean_s=0.001)

    page = office.get(reverse("admin:benchmarks_run_changelist")).text

    assert "3.17 µg" in page
    assert "1 ms" in page


def test_the_list_of_runs_asks_the_same_number_of_questions_however_long(
    office, django_assert_max_num_queries
):
    version = a_ready_version()
    a_done_run(version)
    with django_assert_max_num_queries(14):
        office.get(reverse("admin:benchmarks_run_changelist"))
    for _ in range(5):
        a_done_run(version)

    with django_assert_max_num_queries(14):
        office.get(reverse("admin:benchmarks_run_changelist"))


def test_a_result_is_read_only(office):
    run = a_done_run()
    address = reverse("admin:benchmarks_run_change", args=[run.pk])

    page = office.get(address)

    assert page.status_code == 200
    assert 'name="_save"' not in page.text
    assert office.post(address, {"batch_size": 9}).status_code == 403


def test_a_run_without_result_opens_too(office):
    run = a_queued_run()

    page = office.get(reverse("admin:benchmarks_run_change", args=[run.pk]))

    assert page.status_code == 200


def test_a_model_shows_its_versions_and_is_not_deleted_here(office):
    version = a_ready_version()
    address = reverse("admin:benchmarks_onnxmodel_change", args=[version.onnx_model.pk])

    page = office.get(address)

    assert "44426" in page.text.replace(",", "")
    deletion = reverse("admin:benchmarks_onnxmodel_delete", args=[version.onnx_model.pk])
    assert office.post(deletion, {"post": "yes"}).status_code == 403


def test_the_admin_is_closed_to_others(client):
    client.force_login(owner())

    assert client.get(reverse("admin:benchmarks_run_changelist")).status_code in {302, 403}
