"""`python -m tests.runner.node_cases FILE...`: inspect, load and feed each; say how it went.

One line of JSON a model, ahead of it a line that it begins: a crash names its model.
"""

import json
import sys
from pathlib import Path

from runner.errors import RunnerError
from runner.feeding import feed, inputs_of
from runner.job import Job
from runner.onnx_file import inspect_file
from runner.onnx_files import OnnxFiles
from runner.session import load


def outcome(path):
    """The code of the refusal, or ``ran``."""
    try:
        inspect_file(OnnxFiles(path))
        session = load(OnnxFiles(path), intra_op_threads=1)
        job = Job("measure", str(path))
        feed(session, inputs_of(session, job), job)
    except RunnerError as error:
        return error.code, error.message
    return "ran", ""


def main(names):
    """Go through the files of these names."""
    for name in names:
        print(json.dumps({"begins": name}), flush=True)
        code, message = outcome(Path(name))
        print(json.dumps({"name": name, "code": code, "message": message}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
