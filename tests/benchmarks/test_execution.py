"""A claimed run is measured for real, once, and every way to end is recorded."""

import math
import os
import threading
import time
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.files.storage import Storage
from django.utils import timezone

from benchmarks import execution, tasks
from benchmarks.folders import work_folder
from benchmarks.heartbeat import Heartbeat
from benchmarks.input_fields import FROM_FILE, input_fields
from benchmarks.input_sets import receive_input_set
from benchmarks.models import Run
from benchmarks.outcomes import NOT_PROFILED
from benchmarks.received import received_from_bytes
from runner.known_best import KnownBest
from runner.onnx_file import inspect_bytes
from runner.results import Failure
from runner.sample_models import lenet5
from tests.arrays import an_image, an_npz
from tests.benchmarks.hostile import endless_loop
from tests.people import a_queued_run, a_ready_version
from tests.runner.test_feeding import takes_only
from tests.test_articles_hour import an_hour_measured

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_a_hurry")]


def a_lenet_run(**fields):
    return a_queued_run(a_ready_version(content=lenet5()), **fields)


def ended(run):
    return Run.objects.with_results().get(pk=run.pk)


def measured(run):
    """Measure it, and return what was measured."""
    execution.execute(run.pk)
    return ended(run).measurement


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


def test_the_sixth_run_knows_how_much_the_machine_changes_between_runs():
    known = KnownBest.of_this_machine(settings.DATA_DIR / "known_best.json")
    for best_s in (20e-6, 21e-6, 22e-6, 23e-6, 24e-6):
        known.remember(best_s)

    runs = [measured(a_lenet_run())]
    # A moment on a busy machine may be quiet in two rounds only, which allow no interval.
    while runs[-1].ci95_low_s is None and len(runs) < 10:
        runs.append(measured(a_lenet_run()))

    half_ratio = (runs[-1].ci95_high_s - runs[-1].ci95_low_s) / 2 / runs[-1].mean_s
    expected = 2.776 * math.log(23 / 21) / 1.349
    assert runs[0].timing["speed_spread"] == pytest.approx(expected, rel=1e-6)
    assert half_ratio > runs[-1].timing["speed_spread"]


def test_a_profile_with_a_gpu_has_the_model_run_on_it_or_says_why_not():
    run = a_lenet_run()
    gpu = {**run.assumptions["cpu"], "name": "Some GPU"}
    Run.objects.filter(pk=run.pk).update(assumptions={**run.assumptions, "gpu": gpu})

    execution.execute(run.pk)

    measurement = ended(run).measurement
    assert measurement.software["provider"] == "CPUExecutionProvider"
    assert any("offers none: measured on the CPU" in note for note in measurement.timing["notes"])


class FarStorage(Storage):
    """A storage whose files come only once their reader has shown that it still waits."""

    def _open(self, name, mode="rb"):
        asked_at = Run.objects.get().lease_expires_at
        wait_until(lambda: Run.objects.get().lease_expires_at > asked_at)
        raise FileNotFoundError(name)


def test_a_run_whose_file_takes_long_to_come_keeps_its_lease(settings, monkeypatch):
    run = a_lenet_run()
    backend = f"{__name__}.{FarStorage.__name__}"
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": backend}}
    monkeypatch.setattr(execution, "HEARTBEAT_S", 0.02)

    execution.execute(run.pk)

    assert ended(run).failure_code == "missing_file"


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


def test_bells_are_rung_again_while_a_run_is_measured_where_a_worker_is_free(rung):
    first, later = a_lenet_run(), a_lenet_run()
    Run.objects.update(rung_at=timezone.now() - timedelta(minutes=1))
    Run.objects.claim(first.pk, worker_name="busy")
    for name in ("busy", "free"):
        Heartbeat(name, ["measure"])._say()

    tasks.sweep()

    assert rung == [("measure_run", str(later.pk))]


def test_no_bell_is_rung_again_while_every_worker_measures(rung):
    first, later = a_lenet_run(), a_lenet_run()
    Run.objects.update(rung_at=timezone.now() - timedelta(minutes=1))
    claim_token = Run.objects.claim(first.pk, worker_name="busy")

    tasks.sweep()
    while_it_is_measured = list(rung)
    execution.outcomes.record_failure(first.pk, claim_token, code="crashed", message="It crashed.")
    tasks.sweep()

    assert while_it_is_measured == []
    assert rung == [("measure_run", str(later.pk))]


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

    execution._record(run, token, absurd, NOT_PROFILED)

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
    # Everybody who sees a public run reads it: the name is its owner's.
    assert "The real inputs for this run have been deleted" in run.failure_message


def test_a_bell_is_answered_by_measuring_whose_turn_it_is():
    later, first = (a_queued_run(a_ready_version(content=b"just text")) for _ in range(2))
    Run.objects.filter(pk=first.pk).update(turn_at=timezone.now() - timedelta(minutes=1))

    execution.execute(later.pk)

    assert (ended(first).status, ended(later).status) == ("failed", "queued")


def test_a_run_handed_back_is_rung_for_whoever_rang(rung):
    first = a_queued_run(a_ready_version(content=endless_loop()))
    later = a_lenet_run()
    threading.Timer(1.5, execution.worker_is_stopping.set).start()

    tasks.measure_run(later.pk)

    assert (ended(first).status, ended(first).attempts) == ("queued", 0)
    assert ended(later).status == "queued"
    assert rung == [("measure_run", str(later.pk))]


def test_a_run_that_is_tried_again_needs_one_bell_more(rung, monkeypatch):
    first, later = a_lenet_run(), a_lenet_run()
    killed = Failure("killed", "The measurement was stopped.")
    monkeypatch.setattr(execution.launch, "run", lambda *_, **__: killed)

    answers = [execution.execute(later.pk) for _ in range(3)]

    # The first is tried twice; then the later one for the first time.
    assert answers == [True, False, True]
    assert (ended(first).status, ended(later).status) == ("failed", "queued")


def test_a_bell_without_a_run_that_waits_asks_for_no_other():
    run = a_lenet_run()
    Run.objects.cancel(run.pk)

    assert execution.execute(run.pk) is False


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"x"), "damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:1000]), "damaged"),
        (lambda path: path.unlink(), "no longer stored"),
    ],
    ids=["a byte", "cut off", "gone"],
)
def test_a_file_that_the_disk_has_forgotten_is_not_measured(spoil, why):
    run = a_lenet_run()

    spoil(Path(run.version.file.path))
    execution.execute(run.pk)

    assert (ended(run).status, ended(run).failure_code) == ("failed", "missing_file")
    assert why in ended(run).failure_message


MOVED_BELLS = [-timedelta(minutes=5), timedelta(hours=1)]


@pytest.mark.parametrize("moved_by", MOVED_BELLS)
def test_the_sweep_rings_for_whatever_another_clock_says_of_the_last_bell(rung, moved_by):
    run = a_lenet_run()
    Run.objects.update(rung_at=timezone.now() + moved_by)

    tasks.sweep()
    tasks.sweep()

    assert rung == [("measure_run", str(run.pk))]


def test_a_lease_longer_than_any_is_one_from_before_the_clock_was_put_back(rung):
    run = a_lenet_run()
    Run.objects.claim(run.pk, worker_name="gone")
    Run.objects.update(lease_expires_at=timezone.now() + timedelta(hours=1))

    tasks.sweep()

    assert ended(run).status == Run.Status.QUEUED
    assert ("measure_run", str(run.pk)) in rung


def test_a_living_lease_is_left_alone():
    run = a_lenet_run()
    Run.objects.claim(run.pk, worker_name="here")

    tasks.sweep()

    assert ended(run).status == Run.Status.MEASURING


def test_the_form_shows_the_size_that_a_run_has_found_to_fit():
    content = takes_only(512).SerializeToString()
    inputs = [asdict(one) for one in inspect_bytes(content).inputs]
    version = a_ready_version(content=content, inputs=inputs)
    before = input_fields(version.inputs).planned["sound"].shape

    execution.execute(a_queued_run(version).pk)

    run = Run.objects.with_results().get()
    version.refresh_from_db()
    assert run.status == Run.Status.DONE, run.failure_message
    assert before == (1, 16_000)
    assert input_fields(version.inputs).planned["sound"].shape == (1, 512)
    assert run.measurement.inputs_used[0]["shape"] == [1, 512]
