"""A stranger's model: however it ends, it ends on time, with a code and a sentence, and alone."""

import os
import time

import pytest

from runner.job import Job, Limits
from runner.launch import Child, run
from runner.results import Failure, MeasurementResult
from tests.runner import hostile_models
from tests.runner.builders import endless_loop, save

SOON = Limits(wall_s=2.0, cpu_s=30.0)
# Long enough on a busy machine for what ends by itself, with little memory to fill.
AT_LEISURE = Limits(wall_s=30.0, cpu_s=60.0, memory_bytes=600 * 2**20)
PATIENCE_S = 1.0

ENDINGS = {
    "endless loop": (endless_loop, "out_of_time"),
    "growing loop": (hostile_models.growing_loop, "out_of_memory"),
    "loop that collects": (hostile_models.collecting_loop, "out_of_memory"),
    "string doubling": (hostile_models.doubling_strings, "out_of_memory"),
    "four terabytes": (hostile_models.huge_constant, "out_of_memory"),
    "huge product while loading": (hostile_models.huge_product_while_loading, "out_of_time"),
    "function bomb": (hostile_models.function_bomb, "out_of_time"),
    "trap while loading": (hostile_models.trap_while_loading, "crashed"),
    "index out of bounds": (hostile_models.index_out_of_bounds, "model_failed"),
}
REFUSALS = {
    "function bomb": (hostile_models.function_bomb, "too_many_nodes"),
    "thirteen ifs": (lambda: hostile_models.nested_ifs(13), "nested_too_deep"),
    "thirty ifs": (lambda: hostile_models.nested_ifs(30), "nested_too_deep"),
}


@pytest.fixture
def do(tmp_path, monkeypatch):
    """Do one kind of job with a model, and see that it ended on time and left nobody."""
    started = []
    start = Child.start
    monkeypatch.setattr(Child, "start", lambda *args: started.append(start(*args)) or started[-1])

    def doing(kind, made, limits=AT_LEISURE):
        job = Job(kind, str(save(made, tmp_path)), effort="quick", measuring_s=0.2, limits=limits)
        start_s = time.monotonic()
        outcome = run(job, tmp_path)
        assert time.monotonic() - start_s < limits.wall_s + PATIENCE_S
        with pytest.raises(ProcessLookupError):
            os.killpg(started[-1].pid, 0)
        return outcome

    return doing


@pytest.mark.parametrize("name", ENDINGS)
def test_a_hostile_model_ends_on_time_with_a_sentence(name, do):
    build, code = ENDINGS[name]

    outcome = do("measure", build(), SOON if code == "out_of_time" else AT_LEISURE)

    assert isinstance(outcome, Failure)
    assert outcome.code == code
    assert outcome.message.endswith(".")


@pytest.mark.parametrize("name", REFUSALS)
def test_a_bomb_is_refused_before_it_is_measured(name, do):
    build, code = REFUSALS[name]

    assert do("inspect", build()).code == code


def test_what_the_inspection_lets_through_is_inspected_in_no_time(do):
    for build, _ in ENDINGS.values():
        if build is not hostile_models.function_bomb:
            outcome = do("inspect", build(), Limits(wall_s=30.0, cpu_s=2.0))
            assert not isinstance(outcome, Failure)


def test_cpu_time_that_is_used_up_is_told_from_time_that_is_up(do):
    outcome = do("measure", endless_loop(), Limits(wall_s=20.0, cpu_s=1.0))

    assert outcome.code == "out_of_cpu"


@pytest.mark.parametrize(
    "build",
    [hostile_models.not_a_number_weights, lambda: hostile_models.nested_ifs(12)],
    ids=["NaN weights", "twelve ifs"],
)
def test_what_only_looks_hostile_is_measured(build, do):
    assert isinstance(do("measure", build()), MeasurementResult)
