"""A claimed run is measured for real, once, and every way to end is recorded."""

import os
import threading
import time
from dataclasses import replace
from datetime import timedelta
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from django.utils import timezone

from benchmarks import execution, tasks
from benchmarks.folders import work_folder
from benchmarks.input_fields import FROM_FILE
from benchmarks.input_sets import receive_input_set
from benchmarks.models import Run
from benchmarks.outcomes import NOT_PROFILED
from benchmarks.querysets import RunQuerySet
from benchmarks.received import received_from_bytes
from runner import job
from runner.sample_models import lenet5
from tests.arrays import an_image, an_npz
from tests.benchmarks.hostile import endless_loop
from tests.people import a_queued_run, a_ready_version
from tests.test_articles_hour import an_hour_measured

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def in_a_hurry(settings, tmp_path):
    settings.MEASURING_S = 0.3
    settings.DATA_DIR = tmp_path
    execution.worker_is_stopping.clear()
    yield
    execution.worker_is_stopping.clear()


def a_lenet_run(**fields):
    return a_queued_run(a_ready_version(content=lenet5()), **fields)


def ended(run):
    return Run.objects.with_results().get(pk=run.pk)


def wait_until(condition, *, deadline_s=20):
    end_s = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end_s, "it did not happen in time"
        time.sleep(0.02)


def test_a_run_is_measured_and_priced():
    run = a_lenet_run()

    execution.execute(run.pk)

    run = ended(run)
    assert run.status == Run.Status.DONE, run.failure_message
    assert run.measurement.sample_count >= 5
    assert run.measurement.software["onnxruntime"]
    assert [meter["covers"] for meter in run.measurement.metered["meters"]] == ["cpu", "ram", "gpu"]
    numbers = run.assumptions["numbers"]
    expected_g = (13 + 3) * run.measurement.mean_s / 3.6e6 * numbers["intensity_g_per_kwh"]
    assert run.estimate.emission_g == pytest.approx(expected_g, rel=1e-9)


def test_the_sweep_deletes_what_a_killed_worker_left(settings):
    left, in_use = work_folder() / "measure-left", work_folder() / "measure-in-use"
    for folder in (left, in_use):
        folder.mkdir()
        (folder / "job.json").write_text("{}")
    os.utime(left, (time.time() - 10_000,) * 2)

    tasks.sweep()

    assert list(work_folder().iterdir()) == [in_use]


def test_a_run_is_held_to_the_best_of_the_runs_before_it():
    first, second = a_lenet_run(), a_lenet_run()

    execution.execute(first.pk)
    execution.execute(second.pk)

    first, second = (ended(run).measurement.timing for run in (first, second))
    assert first["known_best_sentinel_s"] is None
    assert second["known_best_sentinel_s"] == first["best_sentinel_s"]


def test_a_profile_with_a_gpu_has_the_model_run_on_it_or_says_why_not():
    run = a_lenet_run()
    gpu = {**run.assumptions["cpu"], "name": "Some GPU"}
    Run.objects.filter(pk=run.pk).update(assumptions={**run.assumptions, "gpu": gpu})

    execution.execute(run.pk)

    measurement = ended(run).measurement
    assert measurement.software["provider"] == "CPUExecutionProvider"
    assert any("offers none: measured on the CPU" in note for note in measurement.timing["notes"])


def test_a_run_delivered_twice_is_measured_once():
    run = a_lenet_run()

    execution.execute(run.pk)
    first = ended(run).measurement.mean_s
    execution.execute(run.pk)

    assert ended(run).attempts == 1
    assert ended(run).measurement.mean_s == first


def test_latency_is_per_inference_and_not_per_batch():
    run = a_lenet_run(batch_size=4)

    execution.execute(run.pk)

    run = ended(run)
    assert run.status == Run.Status.DONE, run.failure_message
    assert run.measurement.inputs_used[0]["shape"][0] == 4


def test_a_file_that_is_no_model_fails_with_a_sentence():
    run = a_queued_run(a_ready_version(content=b"just text"))

    execution.execute(run.pk)

    run = ended(run)
    assert run.status == Run.Status.FAILED
    assert run.failure_code
    assert "Traceback" not in run.failure_message


def test_a_model_that_fails_while_running_says_what_to_do():
    run = a_lenet_run(input_choices={"shapes": {"input": [1, 1, 7, 7]}})

    execution.execute(run.pk)

    assert ended(run).status == Run.Status.FAILED
    assert len(ended(run).failure_message) > 20


def test_cancelling_a_run_ends_its_child_at_once():
    run = a_queued_run(a_ready_version(content=endless_loop()))
    cancel = threading.Timer(0.0, lambda: _cancel_when_measuring(run))
    cancel.start()
    began_s = time.monotonic()

    execution.execute(run.pk)

    cancel.join()
    assert ended(run).status == Run.Status.CANCELLED
    assert time.monotonic() - began_s < 15


def _cancel_when_measuring(run):
    from django.db import connection

    wait_until(lambda: Run.objects.filter(pk=run.pk, status="measuring").exists())
    Run.objects.cancel(run.pk)
    connection.close()


def test_a_worker_told_to_stop_hands_its_run_back():
    run = a_queued_run(a_ready_version(content=endless_loop()))
    threading.Timer(1.5, execution.worker_is_stopping.set).start()

    execution.execute(run.pk)

    run = ended(run)
    assert (run.status, run.attempts) == ("queued", 0)


def test_a_stopping_worker_takes_no_new_run():
    run = a_lenet_run()
    execution.worker_is_stopping.set()

    execution.execute(run.pk)

    assert ended(run).status == Run.Status.QUEUED


def test_the_sweep_rings_again_for_a_run_nobody_heard_of(rung):
    run = a_lenet_run()
    long_ago = timezone.now() - timedelta(minutes=5)
    Run.objects.update(queued_at=long_ago, rung_at=long_ago)

    tasks.sweep()
    tasks.sweep()

    assert rung == [("measure_run", str(run.pk))]


def test_the_sweep_queues_again_what_lost_its_worker(rung):
    run = a_lenet_run()
    Run.objects.claim(run.pk, worker_name="gone")
    Run.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))

    tasks.sweep()

    assert ended(run).status == Run.Status.QUEUED
    assert ("measure_run", str(run.pk)) in rung


def test_a_run_that_loses_its_worker_three_times_fails_with_a_reason():
    run = a_lenet_run()
    for _ in range(3):
        Run.objects.claim(run.pk, worker_name="gone")
        Run.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        tasks.sweep()

    assert (ended(run).status, ended(run).failure_code) == ("failed", "lost")


def test_figures_that_cannot_be_end_the_run_with_a_sentence():
    run = a_lenet_run()
    token = Run.objects.claim(run.pk, worker_name="here")
    absurd = replace(an_hour_measured(), peak_memory_bytes=2**70)

    execution._record(run.pk, token, absurd, NOT_PROFILED)

    assert (ended(run).status, ended(run).failure_code) == ("failed", "nonsense_result")


def test_a_result_under_a_lost_claim_is_not_stored():
    run = a_lenet_run()
    token = Run.objects.claim(run.pk, worker_name="slow")
    Run.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    tasks.sweep()

    stored = execution.outcomes.record_failure(run.pk, token, code="x", message="y")

    assert not stored
    assert ended(run).status == Run.Status.QUEUED


def test_a_run_is_fed_real_inputs_as_they_are_and_no_labels():
    image = {"name": "image", "dtype": "float32", "shape": ["batch", 1, 28, 28]}
    version = a_ready_version(content=lenet5(), inputs=[image])
    content = an_npz(image=an_image(3, value=0.25), labels=np.array([1, 2, 3]))
    input_set = receive_input_set(version.onnx_model, [received_from_bytes(content, "test.npz")])
    run = a_queued_run(
        version,
        batch_size=3,
        input_set=input_set,
        values_name=input_set.name,
        values_sha256=input_set.sha256,
    )

    execution.execute(run.pk)

    run = ended(run)
    assert run.status == Run.Status.DONE, run.failure_message
    (fed,) = run.measurement.inputs_used
    assert (fed["shape"], fed["low"], fed["high"]) == ([3, 1, 28, 28], 0.25, 0.25)
    assert set(fed["why"]) == {FROM_FILE}


def test_a_run_whose_real_inputs_were_deleted_meanwhile_says_so():
    run = a_lenet_run(values_name="photos", values_sha256="ab" * 32)

    execution.execute(run.pk)

    run = ended(run)
    assert (run.status, run.failure_code) == (Run.Status.FAILED, "bad_input")
    assert "The inputs “photos” that this run was to be fed have been deleted" in (
        run.failure_message
    )


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


def test_a_worker_stopped_while_it_looks_into_a_run_keeps_the_result(monkeypatch):
    monkeypatch.setattr(
        execution._Ticker, "begin_profiling", lambda _: execution.worker_is_stopping.set()
    )
    run = a_lenet_run()

    execution.execute(run.pk)

    run = ended(run)
    assert run.status == Run.Status.DONE
    assert run.measurement.sample_count >= 5
    assert "asked to stop" in run.measurement.profiling_note


def test_a_run_cancelled_while_it_is_looked_into_is_cancelled(monkeypatch):
    run = a_lenet_run()
    monkeypatch.setattr(execution._Ticker, "begin_profiling", lambda _: Run.objects.cancel(run.pk))

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
