"""Which provider runs a model: lists as onnxruntime builds offer them stand in for GPUs."""

import pytest

from runner.providers import CPU, NOT_OFFERED, NOT_STARTED, choose, maps_gpu_memory

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
