"""The limits on versions are the installed runtime's own."""

import onnxruntime
import pytest

from runner.acceptance import MAX_IR_VERSION, MAX_ML_OPSET, MAX_OPSET
from runner.session import RUNTIME_ERRORS
from tests.runner.builders import relu


def loads(made):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    onnxruntime.InferenceSession(made.SerializeToString(), options)


def with_ml_opset(version):
    made = relu()
    made.opset_import.add(domain="ai.onnx.ml", version=version)
    return made


@pytest.mark.parametrize(
    "build, newest",
    [
        (lambda version: relu(opset=version), MAX_OPSET),
        (lambda version: relu(ir_version=version), MAX_IR_VERSION),
        (with_ml_opset, MAX_ML_OPSET),
    ],
    ids=["opset", "format", "ml opset"],
)
def test_the_runtime_takes_the_newest_version_allowed_and_none_beyond(build, newest):
    loads(build(newest))

    with pytest.raises(RUNTIME_ERRORS):
        loads(build(newest + 1))
