"""How a session is set up, and what its first call is."""

from types import SimpleNamespace

import pytest
from onnx import TensorProto, helper

from runner import session
from runner.inputs import make_values
from runner.job import InputChoices
from runner.onnx_files import OnnxFiles
from runner.session import declared_inputs, load, options_of, prepare
from runner.shapes import plan_inputs
from tests.runner.builders import model, relu, save, value


@pytest.mark.parametrize("thread_count", [1, 2])
def test_a_session_tells_how_it_runs(tmp_path, thread_count):
    loaded = load(OnnxFiles(save(relu(), tmp_path)), intra_op_threads=thread_count)

    assert options_of(loaded) == {
        "allow_spinning": "0",
        "execution_mode": "ORT_SEQUENTIAL",
        "graph_optimization_level": "ORT_ENABLE_ALL",
        "inter_op_num_threads": "1",
        "intra_op_num_threads": str(thread_count),
    }


def test_the_first_call_is_the_first_one_that_went_through_whatever_way_is_gone_after_it(
    tmp_path, monkeypatch
):
    """Binding takes a wrong rank for one call, so that `run`'s first call is the second one."""
    node = helper.make_node("Reshape", ["x", "size"], ["y"])
    inputs = [value("x", ["n", 1]), value("size", ["rank"], TensorProto.INT64)]
    path = save(model([node], inputs, [value("y", ["n", 1])]), tmp_path)
    choices = InputChoices(dims={"rank": 3}, ranges={"size": (1, 1)})
    loaded = load(OnnxFiles(path), intra_op_threads=1)
    planned = plan_inputs(declared_inputs(loaded, choices), choices)
    # The first call takes 7 s by this clock, the next one 1 s.
    clock = iter([0, 7_000_000_000, 20_000_000_000, 21_000_000_000])
    monkeypatch.setattr(session, "time", SimpleNamespace(perf_counter_ns=lambda: next(clock)))

    inference = prepare(loaded, planned, make_values(planned, seed=0))

    assert inference.uses_io_binding is False
    assert inference.first_call_s == 7
