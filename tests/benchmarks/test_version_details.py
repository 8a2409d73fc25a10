"""What an owner says of a version after the upload, by page and by API."""

import pytest

from benchmarks.models import ModelVersion
from tests.api.scripts import assert_problem, script_of
from tests.people import a_ready_version, owner, stranger

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return a_ready_version(accuracy_ratio=0.29, training_time_s=7200.0, label="fp32")


def stored(version):
    return ModelVersion.objects.values_list("label", "accuracy_ratio", "training_time_s").get(
        pk=version.pk
    )


def test_the_form_shows_what_is_stored_and_stores_what_is_typed(signed_in, version):
    address = f"/versions/{version.pk}/edit/"

    page = signed_in.get(address).text
    answer = signed_in.post(
        address, {"label": "int8", "accuracy_percent": "91.5", "training_time_h": "1.5"}
    )

    assert 'value="29"' in page
    assert 'value="2.0"' in page
    assert answer.url == f"/models/{version.onnx_model_id}/#versions"
    assert stored(version) == ("int8", 0.915, 5400.0)


def test_a_field_left_empty_is_not_known(signed_in, version):
    signed_in.post(f"/versions/{version.pk}/edit/", {"label": ""})

    assert stored(version) == ("", None, None)


@pytest.mark.parametrize(
    "typed",
    [{"accuracy_percent": "101"}, {"training_time_h": "-1"}, {"training_time_h": "nan"}],
)
def test_a_figure_out_of_range_is_refused_beside_its_field(signed_in, version, typed):
    page = signed_in.post(f"/versions/{version.pk}/edit/", {"label": "x", **typed}).text

    assert "errorlist" in page
    assert stored(version) == ("fp32", 0.29, 7200.0)


def test_a_stranger_does_not_find_the_form(client, version):
    client.force_login(stranger())

    assert client.get(f"/versions/{version.pk}/edit/").status_code == 404


def test_the_api_sets_what_is_sent_and_leaves_the_rest(version):
    script = script_of(owner())

    answer = script.patch(
        f"/api/v1/versions/{version.pk}/", {"accuracy_ratio": None}, format="json"
    )

    assert answer.status_code == 200
    assert answer.json()["accuracy_ratio"] is None
    assert stored(version) == ("fp32", None, 7200.0)


@pytest.mark.parametrize("ratio", [-0.1, 1.1, "NaN", "much"])
def test_the_api_refuses_an_accuracy_that_is_none(version, ratio):
    answer = script_of(owner()).patch(
        f"/api/v1/versions/{version.pk}/", {"accuracy_ratio": ratio}, format="json"
    )

    assert_problem(answer, 400)
    assert stored(version)[1] == 0.29
