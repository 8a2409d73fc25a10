"""A profile is read line by line and believed in little: its names are a stranger's."""

import json

import pytest

from runner import profile_file
from runner.errors import MeasurementFailed
from runner.profile_file import read_profile


def node(name="conv", *, start_us=10, duration_us=5, **arguments):
    arguments = {
        "op_name": "Conv",
        "node_index": "0",
        "input_type_shape": [{"float": [1, 3]}],
        "output_type_shape": [{"float": [1, 4]}],
        "output_size": "16",
        "parameter_size": "8",
    } | arguments
    return {
        "cat": "Node",
        "dur": duration_us,
        "ts": start_us,
        "name": f"{name}_kernel_time",
        "args": arguments,
    }


RUN = {"cat": "Session", "dur": 9, "ts": 9, "name": "model_run", "args": {}}


@pytest.fixture
def reading(tmp_path):
    def read(*events, end="]\n", text=None):
        path = tmp_path / "profile.json"
        lines = ",\n".join(json.dumps(event) for event in events)
        path.write_text(text if text is not None else f"[\n{lines}\n{end}", encoding="utf-8")
        return read_profile(path)

    return read


def test_each_call_holds_its_nodes(reading):
    profile = reading(node("a"), RUN, node("b"), node("c"), RUN)

    assert [[call.name for call in calls] for calls in profile.calls] == [["a"], ["b", "c"]]
    assert not profile.is_cut
    call = profile.calls[0][0]
    assert (call.inputs, call.outputs, call.output_bytes) == (((1, 3),), ((1, 4),), 16)


def test_time_inside_a_loop_is_not_the_loops_own(reading):
    inner = [node("a", start_us=11, duration_us=4), node("b", start_us=16, duration_us=4)]
    condition = node("if", start_us=16, duration_us=5, op_name="If")
    loop = node("loop", start_us=10, duration_us=20, op_name="Loop")

    (calls,) = reading(node("before", start_us=2), *inner, condition, loop, RUN).calls

    assert [(call.name, call.own_us, call.depth) for call in calls] == [
        ("before", 5, 0),
        ("a", 4, 1),
        ("b", 4, 2),
        ("if", 1, 1),
        ("loop", 20 - 4 - 5, 0),
    ]


def test_a_profile_cut_off_in_the_middle_keeps_its_whole_calls(reading):
    profile = reading(node("a"), RUN, node("b"), end='{"cat" : "Node","na')

    assert [len(calls) for calls in profile.calls] == [1]
    assert profile.is_cut


def test_no_more_nodes_are_read_than_can_be_held(reading, monkeypatch):
    monkeypatch.setattr(profile_file, "MAX_NODE_CALLS", 3)

    profile = reading(node(), node(), RUN, *[node()] * 1_000, RUN)

    assert [len(calls) for calls in profile.calls] == [2]
    assert profile.is_cut


def test_a_line_without_end_is_not_read(reading):
    profile = reading(node(), RUN, node("x" * 2**21), RUN)

    assert (len(profile.calls), profile.is_cut) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        {"output_size": "9" * 5_000, "input_type_shape": "[]"},
        {"output_size": -3, "input_type_shape": [{"float": [-1]}, {"float": ["a"]}, 7, None]},
        {"output_size": True, "input_type_shape": [{"float": [10**30]}]},
        {"output_size": {}, "input_type_shape": {"float": [1] * 100}},
        {"output_size": "²", "input_type_shape": [{"a": [1], "b": [2]}]},
    ],
)
def test_figures_that_are_none_count_as_nothing(arguments, reading):
    ((call,),) = reading(node(**arguments), RUN).calls

    assert call.output_bytes == 0
    assert not any(call.inputs)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not a profile",
        "[\nnot json,\n]\n",
        "[\n" + "[" * 100_000 + "\n]\n",
        '[\n{"cat":"Node","name":"a_kernel_time","args":7}\n]\n',
        "\x00\x01",
    ],
)
def test_what_is_no_profile_is_refused_in_words(text, reading):
    with pytest.raises(MeasurementFailed, match="onnxruntime"):
        reading(text=text)


def test_a_missing_file_is_told_of(tmp_path):
    with pytest.raises(MeasurementFailed, match="wrote no profile"):
        read_profile(tmp_path / "none.json")
