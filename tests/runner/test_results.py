import json
from dataclasses import asdict

import pytest

from runner.errors import Nonsense
from runner.messages import decode
from runner.meters.metered import Metered, MeterReport
from runner.results import Answer, Failure, InspectionResult, Timing, read_answer
from runner.shapes import InputHint, TensorDescription, tensors_from_plain

INSPECTION = InspectionResult(
    opset=17,
    opset_imports={"ai.onnx": 17},
    ir_version=8,
    producer="tests",
    inputs=(
        TensorDescription("x", "float32", ("n", None, 3)),
        TensorDescription(
            "tokens",
            "int64",
            ("n", "length"),
            InputHint(
                sizes=(None, 128),
                size_whys=("", "sequence length: 128"),
                low=0,
                high=9,
                kinds=("", "sequence"),
                length_of=("x", 1),
            ),
        ),
    ),
    outputs=(TensorDescription("y", "float32", None),),
    parameter_count=10,
    mac_count=None,
    flop_count=None,
    uncounted_operators=("LSTM",),
    node_count=1,
    operators={"LSTM": 1},
)


def answer_text(**changes):
    plain = {"schema": 1, "kind": "inspect", "ok": True, "failure": None}
    plain["result"] = asdict(INSPECTION)
    return json.dumps(plain | changes)


def test_an_answer_survives_the_way_back():
    text = Answer("inspect", True, INSPECTION, None).to_json()

    assert read_answer(text, kind="inspect") == INSPECTION


def test_a_failure_survives_the_way_back():
    text = Answer("measure", False, None, Failure("model_failed", "It failed.")).to_json()

    assert read_answer(text, kind="measure") == Failure("model_failed", "It failed.")


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": 9},
        {"kind": "measure"},
        {"ok": False},
        {"ok": 1},
        {"failure": {"code": "a", "message": "b"}},
        {"result": None},
        {"result": {}},
        {"result": asdict(INSPECTION) | {"parameter_count": -1}},
        {"result": asdict(INSPECTION) | {"parameter_count": 2**70}},
        {"result": asdict(INSPECTION) | {"parameter_count": 1.0}},
        {"result": asdict(INSPECTION) | {"producer": "x" * 5_000}},
        {"result": asdict(INSPECTION) | {"producer": "\ud800"}},
        {"result": asdict(INSPECTION) | {"extra": 1}},
        {"extra": 1},
    ],
)
def test_an_answer_that_does_not_hold_together_is_thrown_away(changes):
    with pytest.raises(Nonsense):
        read_answer(answer_text(**changes), kind="inspect")


@pytest.mark.parametrize(
    "hint",
    [
        {"sizes": [128]},
        {"sizes": [None, 128], "size_whys": ["", "a"], "kinds": ["sequence"]},
        {"sizes": [128], "size_whys": ["a"]},
        {"sizes": [None, -1], "size_whys": ["", ""]},
        {"sizes": [None, 2**40], "size_whys": ["", ""]},
        {"low": 1},
        {"low": 2, "high": 1},
        {"words": ["a\0"]},
        {"length_of": ["x"]},
    ],
)
def test_a_hint_that_does_not_hold_together_is_thrown_away(hint):
    plain = asdict(INSPECTION)
    plain["inputs"] = [{"name": "x", "dtype": "int64", "shape": ["n", "m"], "hint": hint}]

    with pytest.raises(Nonsense):
        read_answer(answer_text(result=plain), kind="inspect")


def test_a_description_stored_before_there_were_hints_is_read():
    (found,) = tensors_from_plain([{"name": "x", "dtype": "float32", "shape": ["n", None]}])

    assert found.hint is None


@pytest.mark.parametrize("failure", [("", "It failed."), ("x" * 41, "It failed."), ("crashed", "")])
def test_a_failure_that_no_run_could_keep_is_thrown_away(failure):
    plain = {"schema": 1, "kind": "measure", "ok": False, "result": None}
    plain["failure"] = dict(zip(("code", "message"), failure, strict=True))

    with pytest.raises(Nonsense):
        read_answer(json.dumps(plain), kind="measure")


def test_numbers_that_are_none_are_thrown_away():
    with pytest.raises(Nonsense):
        read_answer(answer_text().replace('"ir_version": 8', '"ir_version": NaN'), kind="inspect")


METER = {
    "name": "rapl-package",
    "covers": "cpu",
    "is_available": True,
    "reason": "",
    "power_w": 30.0,
    "idle_power_w": None,
    "energy_kwh_per_inference": 1e-9,
}


def test_what_a_meter_said_survives_the_way_back():
    metered = Metered((MeterReport(**METER),))

    assert decode(Metered, json.loads(json.dumps(asdict(metered)))) == metered


@pytest.mark.parametrize(
    "changes",
    [
        {"covers": "disk"},
        {"power_w": -1.0},
        {"idle_power_w": -1.0},
        {"power_w": None},
        {"energy_kwh_per_inference": None},
        {"is_available": False},
        {"is_available": False, "reason": "none here"},
        {"reason": "none here"},
        {"energy_j": 3.0},
    ],
)
def test_a_meter_that_does_not_hold_together_is_thrown_away(changes):
    with pytest.raises(Nonsense):
        decode(Metered, {"meters": [METER | changes]})


@pytest.mark.parametrize("best_s", [-3e-5, 0.0, 1e-300, 2.0, 1e300])
def test_a_sentinel_that_later_runs_could_not_work_with_is_thrown_away(best_s):
    with pytest.raises(Nonsense):
        decode(Timing, {"best_sentinel_s": best_s})
