"""The child started by hand, as `python -m runner job.json result.json` on another machine."""

import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from runner import by_hand
from runner.errors import Nonsense
from runner.job import Job
from runner.results import Answer, Failure, MeasurementResult, read_answer
from runner.sample_models import lenet5
from runner.summary import summary
from tests.runner.builders import save
from tests.test_articles_hour import an_hour_measured

ROOT = Path(__file__).resolve().parents[2]
# What another machine does not have: asked for, each of these is an error.
MISSING = ("django", "celery", "rest_framework", "footprint", "benchmarks", "hardware")


@pytest.fixture
def folder(tmp_path):
    """A folder with a model and its job beside it, as a bundle is unpacked."""
    save(lenet5(), tmp_path)
    job = Job("measure", "model.onnx", effort="quick", measuring_s=0.2)
    (tmp_path / "job.json").write_text(job.to_json())
    return tmp_path


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """Another machine's folder: the runner, which its child finds there too, and no site."""
    root = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(ROOT / "runner", root / "runner")
    for name in MISSING:
        (root / f"{name}.py").write_text("raise ImportError('not on this machine')\n")
    return root


@pytest.fixture
def start(elsewhere, folder):
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}

    def start(*arguments, cwd=folder, **variables):
        return subprocess.run(
            [sys.executable, "-m", "runner", *(arguments or ("job.json", "result.json"))],
            cwd=cwd,
            env=environment | {"PYTHONPATH": str(elsewhere)} | variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return start


def test_it_needs_nothing_of_the_site(folder, start):
    done = start()

    result = read_answer((folder / "result.json").read_bytes(), kind="measure")
    assert done.returncode == 0, done.stderr
    assert isinstance(result, MeasurementResult)
    assert "per inference in the mean" in done.stdout
    assert done.stdout.strip().endswith("written to result.json")


def test_the_model_lies_beside_its_job_wherever_one_stands(folder, start, tmp_path_factory):
    there = tmp_path_factory.mktemp("there")

    done = start(str(folder / "job.json"), "result.json", cwd=there)

    assert done.returncode == 0, done.stderr
    assert json.loads((there / "result.json").read_text())["ok"] is True


def test_real_inputs_lie_beside_the_job_too(folder, start, tmp_path_factory):
    there = tmp_path_factory.mktemp("there")
    image = np.full((3, 1, 28, 28), 0.25, dtype=np.float32)
    np.savez(folder / "values.npz", image=image)
    job = Job("measure", "model.onnx", batch_size=3, measuring_s=0.2, values_path="values.npz")
    (folder / "job.json").write_text(job.to_json())

    done = start(str(folder / "job.json"), "result.json", cwd=there)

    assert done.returncode == 0, done.stderr
    result = read_answer((there / "result.json").read_bytes(), kind="measure")
    assert (result.inputs[0].low, result.inputs[0].high) == (0.25, 0.25)


def test_real_inputs_that_are_not_there_are_said(folder, start):
    job = Job("measure", "model.onnx", measuring_s=0.2, values_path="values.npz")
    (folder / "job.json").write_text(job.to_json())

    done = start()

    assert done.returncode == 1
    assert "values.npz" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_package_that_is_not_installed_is_named(folder, start):
    (folder / "onnx.py").write_text("raise ModuleNotFoundError(name='onnx')\n")
    shutil.copytree(ROOT / "runner", folder / "runner")

    done = start(PYTHONPATH=str(folder))

    assert done.returncode == 1
    assert "The Python package onnx is not installed on this machine." in done.stderr


def test_a_model_that_is_not_there_is_said_on_the_terminal(folder, start):
    (folder / "model.onnx").unlink()

    done = start()

    assert done.returncode == 1
    assert "cannot be opened" in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads((folder / "result.json").read_text())["failure"]["code"] == "missing_file"


def test_a_job_that_is_not_there_is_said_too(start):
    done = start("nothing.json", "result.json")

    assert done.returncode == 1
    assert "There is no file nothing.json." in done.stderr


def test_another_system_than_linux_is_said_to_be_one(folder, monkeypatch, capsys):
    monkeypatch.setattr(platform, "system", lambda: "Darwin")

    status = by_hand.do(folder / "job.json", folder / "result.json")

    assert status == 1
    assert "The engine measures on Linux, and this is Darwin." in capsys.readouterr().err


def test_too_few_words_give_the_usage(start):
    done = start("job.json")

    assert done.returncode == 2
    assert "usage: python -m runner JOB RESULT" in done.stderr


def test_a_whole_path_stays_as_it_is():
    job = Job("measure", "/models/a.onnx", values_path="/values/a.npz").beside(Path("/elsewhere"))

    assert (job.onnx_path, job.values_path) == ("/models/a.onnx", "/values/a.npz")


def test_the_summary_says_the_mean_its_interval_and_the_file():
    hour = an_hour_measured()
    times = ("mean_s", "median_s", "min_s", "max_s", "p90_s", "p95_s", "p99_s")
    latency = replace(
        hour.latency,
        **dict.fromkeys(times, 0.000241),
        ci95_low_s=0.000239,
        ci95_high_s=0.000243,
        is_noisy=False,
    )
    answer = Answer("measure", True, replace(hour, latency=latency), None)

    assert summary(answer, "result.json") == (
        "241 µs per inference in the mean (95 % interval 239 to 243 µs), written to result.json"
    )


def test_a_noisy_run_without_an_interval_claims_none():
    hour = an_hour_measured()
    latency = replace(hour.latency, ci95_low_s=None, ci95_high_s=None, is_noisy=True)

    said = summary(Answer("measure", True, replace(hour, latency=latency), None), "r.json")

    assert said == "3600 s per inference in the mean, on a noisy machine, written to r.json"


def test_a_failure_is_summed_up_by_its_sentence():
    failure = Failure("out_of_memory", "The model needs more memory.")

    said = summary(Answer("measure", False, None, failure), "r.json")

    assert said == "The model needs more memory. (out_of_memory, written to r.json)"


def test_a_job_with_a_word_too_many_is_no_job():
    with pytest.raises(Nonsense, match="pepper"):
        Job.from_json('{"kind": "measure", "onnx_path": "m.onnx", "pepper": 1}')
