"""What a list does not show it does not read: what files are made of, and what runs were fed."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.people import a_done_run, a_model, a_queued_run, a_ready_version, a_sweep, admin, owner

pytestmark = pytest.mark.django_db

CONTENTS = ("operators", "uncounted_operators", "inputs", "outputs")
OF_RUNS = ("samples_s", "composition", "inputs_used", "outputs_seen")
WIDE = tuple(f'"benchmarks_modelversion"."{name}"' for name in CONTENTS) + tuple(
    f'"benchmarks_measurement"."{name}"' for name in OF_RUNS
)


@pytest.fixture
def two_versions():
    """A public model with two versions, each with a result, a run that waits, and a sweep."""
    onnx_model = a_model(visibility="public")
    versions = [a_ready_version(onnx_model=onnx_model, content=text) for text in (b"one", b"two")]
    for version in versions:
        a_done_run(version)
    a_queued_run(versions[-1])
    a_sweep(versions[-1], batch_sizes=(1, 2))
    return versions


def asked_by(client, address):
    """The questions put to the database for a page, which has to be there."""
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return [query["sql"] for query in queries]


def wide_columns_in(questions):
    return {name for name in WIDE for question in questions if name in question}


@pytest.mark.parametrize("address", ["/", "/models/", "/models/?show=public", "/runs/"])
def test_a_list_reads_nothing_of_what_files_are_made_of(client, two_versions, address):
    client.force_login(owner())

    assert wide_columns_in(asked_by(client, address)) == set()


@pytest.mark.parametrize("address", ["/", "/models/"])
def test_nor_do_the_public_lists(client, two_versions, address):
    assert wide_columns_in(asked_by(client, address)) == set()


@pytest.mark.parametrize("address", ["/api/v1/runs/", "/api/v1/sweeps/"])
def test_nor_do_the_lists_of_the_api(client, two_versions, address):
    assert wide_columns_in(asked_by(client, address)) == set()


@pytest.mark.parametrize("address", ["/admin/benchmarks/run/", "/admin/benchmarks/modelversion/"])
def test_nor_do_those_of_the_admin(client, two_versions, address):
    client.force_login(admin())

    assert wide_columns_in(asked_by(client, address)) == set()


def test_a_models_page_reads_what_one_file_is_made_of(client, two_versions):
    questions = asked_by(client, two_versions[0].onnx_model.get_absolute_url())

    (of_one,) = [one for one in questions if '"benchmarks_modelversion"."operators"' in one]
    assert 'WHERE "benchmarks_modelversion"."id" = ' in of_one
    others = [one for one in questions if one != of_one]
    assert wide_columns_in(others) == {'"benchmarks_modelversion"."uncounted_operators"'}


def test_the_page_shows_what_the_newest_file_is_made_of(client, two_versions):
    onnx_model = two_versions[0].onnx_model
    a_ready_version(
        onnx_model=onnx_model,
        operators={"Softmax": 7},
        inputs=[{"name": "pixels", "dtype": "uint8", "shape": [1, 3]}],
        outputs=[{"name": "chances", "dtype": "float32", "shape": [1, 10]}],
    )

    page = client.get(onnx_model.get_absolute_url()).text

    assert "What v3 is made of" in page
    for part in ("Softmax × 7", "pixels", "chances"):
        assert part in page


def test_a_comparison_and_its_picker_leave_the_tensors_alone(client, two_versions):
    query = "&".join(f"v={version.pk}" for version in two_versions)

    asked = asked_by(client, f"/compare/?{query}") + asked_by(client, "/compare/")

    names = {name for name in wide_columns_in(asked) if "modelversion" in name}
    assert names == {'"benchmarks_modelversion"."uncounted_operators"'}
