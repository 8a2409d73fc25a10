"""Sweeps through the API: asked for, read, called off."""

import os

import pytest

from benchmarks.models import Run, Sweep
from tests.api.scripts import BASE, assert_problem, script_of
from tests.people import (
    a_done_run,
    a_profile,
    a_queued_run,
    a_ready_version,
    a_sweep,
    an_input_set,
    owner,
    stranger,
)

pytestmark = pytest.mark.django_db


def post(body=None, **headers):
    asked = {"version": str(a_ready_version().pk), "profile": str(a_profile().pk)} | (body or {})
    return script_of(owner()).post(f"{BASE}/sweeps/", asked, format="json", **headers)


def test_a_sweep_is_queued_and_its_runs_are_ordinary_ones():
    answer = post({"batch_sizes": [4, 1], "effort": "quick"})

    sweep = answer.json()
    runs = script_of(owner()).get(f"{BASE}/runs/?sweep={sweep['id']}").json()["results"]
    assert answer.status_code == 201
    assert [run["batch_size"] for run in sweep["runs"]] == [1, 4]
    assert {run["id"] for run in runs} == {run["id"] for run in sweep["runs"]}
    assert {run["sweep"] for run in runs} == {sweep["id"]}
    assert sweep["knee"] is None


def test_the_root_leads_to_the_sweeps():
    script = script_of(owner())

    address = script.get(f"{BASE}/").json()["sweeps"]

    assert script.get(address).json()["results"] == []


def test_the_knee_is_answered_with_what_it_saves():
    sweep = a_sweep()
    for batch_size, mean_s in ((1, 0.010), (16, 0.0061), (64, 0.006)):
        a_done_run(sweep.version, sweep.profile, mean_s=mean_s, sweep=sweep, batch_size=batch_size)

    answer = script_of(owner()).get(f"{BASE}/sweeps/{sweep.pk}/").json()

    assert answer["knee"]["batch_size"] == 16
    assert answer["knee"]["saved_ratio"] == pytest.approx(0.39)
    assert answer["knee"]["baseline"]["batch_size"] == 1
    assert [run["change_ratio"] for run in answer["runs"]] == [
        None,
        pytest.approx(-0.39),
        pytest.approx(-0.4),
    ]
    assert "39 % less" in answer["conclusion"]


def test_the_same_key_gives_the_same_sweep_back():
    key = {"HTTP_IDEMPOTENCY_KEY": "one"}
    body = {
        "version": str(a_ready_version().pk),
        "profile": str(a_profile().pk),
        "batch_sizes": [1, 2],
    }

    first, second = post(body, **key), post(body, **key)

    assert first.json()["id"] == second.json()["id"]
    assert (Sweep.objects.count(), Run.objects.count()) == (1, 2)


@pytest.mark.parametrize(
    "body, field",
    [
        ({"batch_sizes": [1]}, "batch_sizes"),
        ({"batch_sizes": []}, "batch_sizes"),
        ({"batch_sizes": [1, 4097]}, "batch_sizes"),
        ({"batch_sizes": list(range(1, 40))}, "batch_sizes"),
        ({"batch_sizes": "1,2"}, "batch_sizes"),
        ({"batch_sizes": [1, 2], "intra_op_threads": [1000]}, "intra_op_threads"),
        ({"batch_sizes": [1, 2], "inputs": {"dims": {"x": 3}}}, "inputs.dims.x"),
    ],
)
def test_what_cannot_be_is_refused_by_field(body, field):
    problem = assert_problem(post(body), 400)

    assert problem["errors"][0]["field"].startswith(field)
    assert not Sweep.objects.exists()


def test_a_sweep_is_cancelled_once_and_a_finished_one_not_at_all():
    sweep = a_sweep(batch_sizes=[1, 2])
    over = a_sweep()
    a_done_run(over.version, over.profile, sweep=over)
    script = script_of(owner())

    first, second = (script.post(f"{BASE}/sweeps/{sweep.pk}/cancel/") for _ in range(2))
    refused = script.post(f"{BASE}/sweeps/{over.pk}/cancel/")

    assert {run["status"] for run in first.json()["runs"]} == {"cancelled"}
    assert (first.status_code, second.status_code) == (200, 200)
    assert assert_problem(refused, 409)["type"] == "sweep_is_over"


def test_the_list_takes_as_many_queries_for_many_as_for_one(django_assert_max_num_queries):
    for _ in range(4):
        a_sweep(batch_sizes=[1, 2])
    script = script_of(owner())

    with django_assert_max_num_queries(6):
        answer = script.get(f"{BASE}/sweeps/").json()

    assert [sweep["run_count"] for sweep in answer["results"]] == [2] * 4
    assert answer["results"][0]["open_count"] == 2


def test_a_list_of_one_models_sweeps():
    sweep = a_sweep(batch_sizes=[1, 2])
    a_sweep(a_ready_version())
    a_queued_run()

    found = script_of(owner()).get(f"{BASE}/sweeps/?model={sweep.version.onnx_model_id}").json()

    assert [one["id"] for one in found["results"]] == [str(sweep.pk)]


def test_real_inputs_set_the_batch_size_that_nobody_named(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    version = a_ready_version()
    tensor = {"name": "input", "dtype": "float32", "shape": [3, 1, 28, 28]}
    photos = an_input_set(version.onnx_model, tensors=[tensor])
    body = {"version": str(version.pk), "values": str(photos.pk), "intra_op_threads": [1, 2]}

    sweep = post(body).json()

    assert {run["batch_size"] for run in sweep["runs"]} == {3}
    assert sweep["settings"] == {
        "batch_sizes": [3],
        "intra_op_threads": [1, 2],
        "effort": "standard",
        "inputs": {},
        "values": str(photos.pk),
        "values_name": "photos",
        "values_sha256": photos.sha256,
    }


def test_somebody_elses_real_inputs_are_not_fed():
    theirs = an_input_set(a_ready_version(stranger()).onnx_model)

    problem = assert_problem(post({"values": str(theirs.pk), "batch_sizes": [1, 2]}), 400)

    assert problem["errors"][0]["field"] == "values"
