"""Which provider runs a model: lists as onnxruntime builds offer them stand in for GPUs."""

from dataclasses import replace

import pytest

from runner.job import Job
from runner.onnx_files import OnnxFiles
from runner.providers import CPU, NOT_OFFERED, NOT_STARTED, choose, maps_gpu_memory
from runner.sample_models import lenet5
from runner.session import load

CPU_BUILD = ["CPUExecutionProvider"]
CUDA_BUILD = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]


def test_a_gpu_is_used_where_it_is_asked_for_and_offered():
    provider = choose(wants_gpu=True, offered=CUDA_BUILD)

    assert provider.is_gpu
    assert [name for name, _ in provider.wanted] == [
        "CUDAExecutionProvider",
        "CPUExecutionProvider",
    ]
    assert provider.note == ""


def test_without_a_gpu_in_the_profile_none_is_used_even_where_there_is_one():
    provider = choose(wants_gpu=False, offered=CUDA_BUILD)

    assert provider == CPU
    assert provider.wanted == [("CPUExecutionProvider", {})]


def test_where_none_is_offered_the_cpu_stands_in_and_that_is_said():
    provider = choose(wants_gpu=True, offered=CPU_BUILD)

    assert not provider.is_gpu
    assert provider.note == NOT_OFFERED


@pytest.mark.parametrize(
    "by_session, name, note",
    [
        (["CUDAExecutionProvider", "CPUExecutionProvider"], "CUDAExecutionProvider", ""),
        (["CPUExecutionProvider"], "CPUExecutionProvider", NOT_STARTED),
    ],
)
def test_a_gpu_that_did_not_start_is_not_said_to_have_run_the_model(by_session, name, note):
    used = choose(wants_gpu=True, offered=CUDA_BUILD).as_used(by_session)

    assert (used.name, used.note) == (name, note)


@pytest.mark.parametrize("wants_gpu, has_driver", [(True, True), (True, False), (False, True)])
def test_gpu_memory_is_mapped_only_where_one_is_asked_for_and_there(
    tmp_path, wants_gpu, has_driver
):
    driver = tmp_path / "nvidiactl"
    if has_driver:
        driver.touch()

    assert maps_gpu_memory(wants_gpu=wants_gpu, driver=driver) is (wants_gpu and has_driver)


def test_a_provider_that_cannot_start_leaves_a_session_on_the_cpu(tmp_path):
    """This build has no CUDA, so that asking for it fails as a broken driver would."""
    path = tmp_path / "lenet5.onnx"
    path.write_bytes(lenet5())
    asked = choose(wants_gpu=True, offered=CUDA_BUILD)

    session = load(OnnxFiles(path), intra_op_threads=1, provider=asked)

    assert session.get_providers() == ["CPUExecutionProvider"]
    assert asked.as_used(session.get_providers()).note == NOT_STARTED


@pytest.mark.parametrize(
    "settings, may",
    [({}, True), ({"requires_sandbox": True}, False), ({"kind": "profile"}, False)],
)
def test_a_job_may_use_the_gpu_where_its_cage_may_stay_open(settings, may):
    job = Job("measure", "model.onnx", wants_gpu=True)

    assert replace(job, **settings).may_use_gpu is may
