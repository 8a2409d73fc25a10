"""ONNX's own test cases, one or a few for each operator: they run or are refused with reason."""

import json
import os
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path

import pytest
from onnx.backend.test.case.node import collect_testcases

pytestmark = [pytest.mark.slow, pytest.mark.one_back_end]

CHUNK = 300
ROOT = Path(__file__).resolve().parents[2]
# Types that no runtime feeds from Python, operators or types that this runtime has no kernel
# for, or one that lacks them when it is called, and operators of another domain.
TRUE_REASONS = {"unsupported_input", "load_failed", "not_implemented", "unknown_domain"}
# What onnxruntime 1.32 loads and then says that it lacks: a zero point for each channel.
LACKING = {"test_convinteger_with_padding"}
# It wants a mask as long as the keys, where ONNX since opset 24 takes a shorter one.
FAILED = {"test_attention_4d_diff_heads_mask4d_padded_kv"}
LEAST_RAN = 1_645


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """How each case ended: (name, code, message)."""
    folder = tmp_path_factory.mktemp("cases")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in collect_testcases(None):
            (folder / f"{case.name}.onnx").write_bytes(case.model.SerializeToString())
    names = sorted(str(path) for path in folder.iterdir())
    found = []
    for start in range(0, len(names), CHUNK):
        command = [sys.executable, "-m", "tests.runner.node_cases", *names[start : start + CHUNK]]
        environment = {**os.environ, "ORT_DISABLE_TELEMETRY": "1"}
        told = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
        )
        lines = [json.loads(line) for line in told.stdout.splitlines()]
        assert told.returncode == 0, f"{lines[-1:]}: {told.stderr[-2_000:]}"
        found += [(line["name"], line["code"], line["message"]) for line in lines if "code" in line]
    assert len(found) == len(names)
    return found


def ended(outcomes, wanted):
    """The names of the cases whose code is ``wanted``."""
    return {Path(name).stem for name, code, _ in outcomes if code == wanted}


def test_nearly_all_cases_run(outcomes):
    counts = Counter(code for _, code, _ in outcomes)

    assert counts["ran"] >= LEAST_RAN, counts


def test_those_that_load_and_fail_are_known(outcomes):
    assert ended(outcomes, "model_failed") == FAILED
    assert ended(outcomes, "not_implemented") == LACKING


def test_the_others_are_refused_for_a_reason_that_is_true(outcomes):
    others = {code for _, code, _ in outcomes} - {"ran", "model_failed"}

    assert others <= TRUE_REASONS


def test_a_failure_is_a_sentence_that_says_what_was_fed(outcomes):
    for name, code, message in outcomes:
        if code == "model_failed":
            assert "It was fed " in message, name
            assert message.endswith("."), name
            assert "Traceback" not in message, name
