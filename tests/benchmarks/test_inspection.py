"""An uploaded file is read in a child: ready with its facts, or rejected with a sentence."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import onnx
import pytest
from django.utils import timezone

from benchmarks import inspection, tasks
from benchmarks.models import ModelVersion
from carbonsite.process_tree import descendants
from runner import launch
from runner.results import Failure
from runner.sample_models import lenet5
from tests.people import a_ready_version

pytestmark = pytest.mark.django_db(transaction=True)
LIGHT_MODELS = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def inspected(content):
    version = a_ready_version(content=content, status="inspecting", inputs=[], operators={})
    inspection.inspect(version.pk)
    version.refresh_from_db()
    return version


def test_lenet_is_ready_with_the_articles_counts():
    version = inspected(lenet5())

    assert version.status == ModelVersion.Status.READY, version.rejection_reason
    assert (version.parameter_count, version.mac_count, version.flop_count) == (
        44_426,
        281_640,
        563_280,
    )


def test_a_model_that_only_its_count_crashes_on_is_ready_without_one(monkeypatch):
    really = launch.run

    def run(job, folder):
        return Failure("crashed", "SIGSEGV") if job.counts_macs else really(job, folder)

    monkeypatch.setattr(launch, "run", run)

    version = inspected(lenet5())

    assert version.status == ModelVersion.Status.READY, version.rejection_reason
    assert (version.parameter_count, version.mac_count) == (44_426, None)


def test_squeezenet_is_ready_with_its_inputs():
    version = inspected((LIGHT_MODELS / "light_squeezenet.onnx").read_bytes())

    assert version.status == ModelVersion.Status.READY, version.rejection_reason
    assert version.inputs[0]["shape"] == [1, 3, 224, 224]
    assert version.operators["Conv"] == 26


@pytest.mark.parametrize(
    "content, code",
    [
        (b"Dear Sir or Madam,\nthis is not a model.\n" * 50, "not_onnx"),
        (lenet5()[:20_000], "truncated"),
        (bytes(range(256)) * 40, None),
    ],
    ids=["text", "truncated", "noise"],
)
def test_what_is_no_model_is_rejected_with_one_sentence(content, code):
    version = inspected(content)

    assert version.status == ModelVersion.Status.REJECTED
    assert version.rejection_reason.endswith(".")
    assert code in (None, version.rejection_code)


def _kill_the_reader(deadline_s=20):
    end_s = time.monotonic() + deadline_s
    while not (readers := descendants(os.getpid())):
        assert time.monotonic() < end_s, "no child was started"
    os.kill(readers[0], signal.SIGKILL)


def test_a_reader_killed_from_outside_says_nothing_of_the_file():
    with ThreadPoolExecutor(1) as crowd:
        killing = crowd.submit(_kill_the_reader)
        version = inspected(lenet5())
        killing.result()
    assert (version.status, version.inspection_attempts) == ("inspecting", 1)

    inspection.inspect(version.pk)

    version.refresh_from_db()
    assert version.status == "ready"


def test_a_file_that_keeps_killing_its_reader_is_given_up():
    version = a_ready_version(status="inspecting", inspection_attempts=3)

    inspection.inspect(version.pk)

    version.refresh_from_db()
    assert (version.status, version.rejection_code) == ("rejected", "gave_up")


def test_an_inspection_delivered_twice_changes_nothing():
    version = inspected(lenet5())
    ModelVersion.objects.update(producer="as it was")

    inspection.inspect(version.pk)

    version.refresh_from_db()
    assert version.producer == "as it was"


def test_the_sweep_rings_again_for_a_version_nobody_read(rung):
    version = a_ready_version(status="inspecting")
    ModelVersion.objects.update(inspection_rung_at=timezone.now() - timedelta(minutes=5))

    tasks.sweep()
    tasks.sweep()

    assert rung == [("inspect_version", str(version.pk))]
