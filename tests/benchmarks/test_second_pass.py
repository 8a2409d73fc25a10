"""Once a run is measured it is looked into: whatever ends that, the result stands."""

import os
import signal
from tempfile import TemporaryDirectory

import pytest

from benchmarks import execution
from benchmarks.models import Run
from benchmarks.querysets import MAX_ATTEMPTS, RunQuerySet
from runner import job, launch
from runner.sample_models import lenet5
from tests.people import a_queued_run, a_ready_version

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_a_hurry")]


def a_lenet_run(**fields):
    return a_queued_run(a_ready_version(content=lenet5()), **fields)


def ended(run):
    return Run.objects.with_results().get(pk=run.pk)


def test_a_measured_run_is_looked_into():
    run = a_lenet_run()

    execution.execute(run.pk)

    measurement = ended(run).measurement
    assert measurement.profiling_note == ""
    assert measurement.composition["mac_count"] == 281_640
    assert measurement.composition["parameter_count"] == 44_426
    assert sum(one["time_ratio"] for one in measurement.composition["operators"]) == pytest.approx(
        1
    )


def test_a_second_pass_that_fails_costs_no_result_and_says_why(monkeypatch):
    monkeypatch.setattr(job, "PROFILING_WALL_S", 0.01)
    run = a_lenet_run()

    execution.execute(run.pk)

    run = ended(run)
    assert run.status == Run.Status.DONE
    assert run.estimate.emission_g > 0
    assert run.measurement.composition == {}
    assert "took longer than the 0.01 s" in run.measurement.profiling_note


def test_a_second_pass_that_cannot_be_started_costs_no_result(monkeypatch):
    class NoRoomLeft:
        def __init__(self, *, prefix, **more):
            self.is_second = prefix.endswith("-profile-")
            self.folder = TemporaryDirectory(prefix=prefix, **more)

        def __enter__(self):
            if self.is_second:
                raise OSError(28, "No space left on device")
            return self.folder.name

        def __exit__(self, *_):
            self.folder.cleanup()

    monkeypatch.setattr(execution.tempfile, "TemporaryDirectory", NoRoomLeft)
    run = a_lenet_run()

    execution.execute(run.pk)

    run = ended(run)
    assert run.status == Run.Status.DONE
    assert "No space left on device" in run.measurement.profiling_note


def test_a_second_pass_that_is_killed_costs_no_result(monkeypatch):
    start = launch.Child.start

    def start_and_kill(asked, work_dir):
        child = start(asked, work_dir)
        if asked.kind == "profile":
            os.kill(child.pid, signal.SIGKILL)
        return child

    monkeypatch.setattr(launch.Child, "start", start_and_kill)
    run = a_lenet_run()

    execution.execute(run.pk)

    run = ended(run)
    assert (run.status, run.attempts) == (Run.Status.DONE, 1)
    assert run.estimate.emission_g > 0
    assert "ran out of memory" in run.measurement.profiling_note


def test_a_run_that_lost_its_worker_twice_is_not_risked_for_a_look_into_it():
    run = a_lenet_run(attempts=MAX_ATTEMPTS - 1)

    execution.execute(run.pk)

    run = ended(run)
    assert (run.status, run.attempts) == (Run.Status.DONE, MAX_ATTEMPTS)
    assert run.estimate.emission_g > 0
    assert run.measurement.composition == {}
    assert "lost twice" in run.measurement.profiling_note


def test_a_worker_stopped_while_it_looks_into_a_run_keeps_the_result(monkeypatch):
    monkeypatch.setattr(execution._Ticker, "begin", lambda *_: execution.worker_is_stopping.set())
    run = a_lenet_run()

    execution.execute(run.pk)

    run = ended(run)
    assert run.status == Run.Status.DONE
    assert run.measurement.sample_count >= 5
    assert "asked to stop" in run.measurement.profiling_note


def test_a_run_cancelled_while_it_is_looked_into_is_cancelled(monkeypatch):
    run = a_lenet_run()
    monkeypatch.setattr(execution._Ticker, "begin", lambda *_: Run.objects.cancel(run.pk))

    execution.execute(run.pk)

    run = ended(run)
    assert run.status == Run.Status.CANCELLED
    assert not hasattr(run, "measurement")


def test_the_page_is_told_that_a_run_is_being_looked_into(monkeypatch, settings):
    # Long enough for its child to have counted aloud.
    settings.MEASURING_S = 1.5
    seen = []
    renew = RunQuerySet.renew

    def noting(self, pk, claim_token, **values):
        seen.append((values["phase"], values["sample_count"]))
        return renew(self, pk, claim_token, **values)

    monkeypatch.setattr(RunQuerySet, "renew", noting)
    monkeypatch.setattr(execution, "HEARTBEAT_S", 0.0)

    execution.execute(a_lenet_run().pk)

    phases = [phase for phase, _ in seen]
    assert phases[-1] == "profiling"
    assert phases.index("profiling") > phases.index("measuring")
    assert seen[-1][1] > 0
