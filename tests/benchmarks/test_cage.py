"""A machine that cannot keep strangers' models in measures none of them, and says so."""

import json
import logging
from types import SimpleNamespace

import pytest

from benchmarks import cage, execution, tasks
from benchmarks.models import Run
from carbonsite import health
from runner.endings import FORBIDDEN_CALL
from runner.job import Job
from runner.layers import ALL_LAYERS, MissingLayer, Sandbox
from runner.results import Failure
from runner.sample_models import lenet5
from runner.self_test import CageCheck
from tests.people import a_done_run, a_queued_run, a_ready_version, owner

pytestmark = pytest.mark.django_db(transaction=True)

SHUT = CageCheck(Sandbox(ALL_LAYERS))
NO_LANDLOCK = MissingLayer("landlock", "the kernel has no Landlock")
HALF = CageCheck(Sandbox(tuple(one for one in ALL_LAYERS if one != "landlock"), (NO_LANDLOCK,)))
OPEN = CageCheck(Sandbox(("limits",)), escapes=("exec",))


@pytest.fixture
def stands(monkeypatch, settings, tmp_path):
    """Say how this machine's cage stands, and whether the site insists on it."""
    settings.DATA_DIR = tmp_path
    settings.MEASURING_S = 0.2
    cage._announce_hourly.cache_clear()

    def standing(found, *, required):
        settings.REQUIRE_SANDBOX = required
        monkeypatch.setattr(cage, "standing", lambda: found)

    return standing


def a_lenet_run():
    return a_queued_run(a_ready_version(content=lenet5()))


def status_of(run):
    return Run.objects.get(pk=run.pk).status


def readiness(rf):
    """Return what /readyz says of the cage."""
    response = health.readyz(rf.get("/readyz"))
    state = json.loads(response.content)["parts"]["sandbox"]
    assert state == "ok" or response.status_code == 503
    return state


def test_a_worker_with_an_open_cage_takes_no_runs_and_says_why(stands, caplog, rf):
    stands(OPEN, required=True)
    run = a_lenet_run()

    with caplog.at_level(logging.ERROR):
        execution.execute(run.pk)
        execution.execute(run.pk)

    assert status_of(run) == Run.Status.QUEUED
    [line] = [record.getMessage() for record in caplog.records]
    assert "takes no runs" in line
    assert "“exec” succeeded" in line
    assert readiness(rf) == "incomplete"


def test_a_worker_whose_cage_is_shut_says_nothing_and_is_ready(stands, caplog, rf):
    stands(SHUT, required=True)

    cage.announce()

    assert caplog.records == []
    assert readiness(rf) == "ok"


def test_one_layer_less_is_a_warning_and_no_reason_to_stop(stands, caplog, rf):
    stands(HALF, required=True)

    cage.announce()

    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "landlock is not active: the kernel has no Landlock." in record.getMessage()
    assert not cage.is_refusing()
    assert readiness(rf) == "ok"


def test_in_development_a_machine_without_a_cage_measures_all_the_same(stands, caplog, rf):
    stands(OPEN, required=False)
    run = a_lenet_run()

    cage.announce()
    execution.execute(run.pk)

    assert status_of(run) == Run.Status.DONE
    assert caplog.records[0].levelno == logging.WARNING
    assert readiness(rf) == "ok"


def test_only_the_worker_that_measures_tries_its_cage(monkeypatch):
    tried = []
    monkeypatch.setattr(cage, "announce", lambda: tried.append(1))

    for queues in ({"default": 1}, {"measure": 1}):
        amqp = SimpleNamespace(queues=SimpleNamespace(consume_from=queues))
        tasks.try_the_cage(SimpleNamespace(app=SimpleNamespace(amqp=amqp)))

    assert tried == [1]


def test_a_run_keeps_the_cage_that_it_was_measured_in(stands):
    stands(SHUT, required=True)
    run = a_lenet_run()

    execution.execute(run.pk)

    stored = Run.objects.get(pk=run.pk).measurement.sandbox
    assert "seccomp" in stored["layers"]
    assert "parent_death_signal" in stored["layers"]


def test_memory_follows_the_sites_rule(settings, tmp_path):
    settings.CHILD_BASE_MEMORY_BYTES = 1_000
    settings.CHILD_MEMORY_PER_FILE_BYTE = 2.5
    settings.CHILD_MEMORY_PER_THREAD_BYTES = 10
    settings.REQUIRE_SANDBOX = True
    path = tmp_path / "model.onnx"
    path.write_bytes(b"x" * 100)

    job = cage.as_the_site_wants(Job("measure", str(path), intra_op_threads=2))

    assert job.limits.memory_bytes == 1_000 + 250 + 20
    assert job.limits.wall_s == Job("measure", str(path)).effective_limits.wall_s
    assert job.requires_sandbox


def test_a_model_with_decision_trees_gets_more_memory_for_its_file(settings, tmp_path):
    settings.CHILD_MEMORY_PER_FILE_BYTE = 4
    settings.CHILD_MEMORY_PER_FOREST_BYTE = 12
    path = tmp_path / "model.onnx"
    path.write_bytes(b"x" * 100)
    job = Job("measure", str(path))
    forest = {"ai.onnx.ml.TreeEnsembleRegressor": 1, "Cast": 2}

    def more_than_plain(operators):
        plain = cage.as_the_site_wants(job).limits.memory_bytes
        return cage.as_the_site_wants(job, operators).limits.memory_bytes - plain

    assert more_than_plain({"Conv": 1}) == 0
    assert more_than_plain(forest) == 800
    # Raised for every model, it is not less for these.
    settings.CHILD_MEMORY_PER_FILE_BYTE = 20
    assert more_than_plain(forest) == 0


def test_a_run_of_a_forest_is_given_memory_for_one(stands, monkeypatch):
    stands(SHUT, required=True)
    jobs = []
    ending = Failure("model_failed", "It failed.")
    monkeypatch.setattr(execution.launch, "run", lambda job, *_, **more: jobs.append(job) or ending)
    trees = {"ai.onnx.ml.TreeEnsembleClassifier": 1}

    for operators in ({"Conv": 2}, trees):
        version = a_ready_version(content=lenet5(), operators=operators)
        execution.execute(a_queued_run(version).pk)

    assert jobs[0].limits.memory_bytes < jobs[1].limits.memory_bytes


def test_the_runs_page_names_the_layers(client):
    client.force_login(owner())
    sandbox = {"layers": list(HALF.sandbox.layers), "missing": [
        {"layer": "landlock", "reason": "the kernel has no Landlock"}
    ]}  # fmt: skip
    run = a_done_run(measurement={"sandbox": sandbox})

    page = client.get(run.get_absolute_url()).content.decode()

    assert "Measured in an incomplete cage." in page
    assert "Missing: files out of reach (Landlock). Why: the kernel has no Landlock." in page
    assert "few system calls (seccomp)" in page


@pytest.mark.parametrize("code", ["killed", "no_result"])
def test_a_child_killed_from_outside_is_tried_once_more_and_no_oftener(code, stands, monkeypatch):
    stands(SHUT, required=True)
    tries = []
    ending = Failure(code, "It was killed.")
    monkeypatch.setattr(execution.launch, "run", lambda *_, **more: tries.append(1) or ending)
    run = a_lenet_run()

    execution.execute(run.pk)
    assert status_of(run) == Run.Status.QUEUED
    execution.execute(run.pk)

    assert status_of(run) == Run.Status.FAILED
    assert Run.objects.get(pk=run.pk).failure_code == code
    assert len(tries) == 2


def test_a_forbidden_call_is_the_models_own_fault_and_not_tried_again(stands, monkeypatch):
    stands(SHUT, required=True)
    monkeypatch.setattr(execution.launch, "run", lambda *_, **more: FORBIDDEN_CALL)
    run = a_lenet_run()

    execution.execute(run.pk)

    assert Run.objects.get(pk=run.pk).failure_code == "forbidden_call"
