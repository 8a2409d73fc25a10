import os
import subprocess
import sys
import time
from pathlib import Path

from runner.sample_models import lenet5
from tests.runner.builders import endless_loop, save

ROOT = Path(__file__).parents[2]

# Starts a child that would never end, says its id and waits to be killed.
PARENT = """
import sys, time
from pathlib import Path
from runner.job import Job
from runner.launch import Child
child = Child.start(Job("measure", sys.argv[1]), Path(sys.argv[2]))
while child.progress() is None or child.progress().phase != "warming_up":
    assert not child.poll(), child.outcome()
    time.sleep(0.02)
print(child.pid, flush=True)
time.sleep(60)
"""


def test_a_child_dies_with_its_parent(tmp_path):
    path = save(endless_loop(), tmp_path)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(path), str(tmp_path)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    child_pid = int(parent.stdout.readline())

    parent.kill()
    parent.wait()

    deadline_s = time.monotonic() + 10
    while _is_running(child_pid):
        assert time.monotonic() < deadline_s, "the child outlived its parent"
        time.sleep(0.02)


def _is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_the_web_process_never_loads_a_runtime():
    code = (
        "import sys, runner.launch, runner.shapes\n"
        "print(sorted({'numpy', 'onnx', 'onnxruntime'} & sys.modules.keys()))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


# What onnxruntime's telemetry would leave: a file below the home folder, and a thread.
LOAD_AND_RUN = """
import os, sys
import numpy
before = len(os.listdir("/proc/self/task"))
from pathlib import Path
from runner.job import InputChoices
from runner.onnx_files import OnnxFiles
from runner.session import declared_inputs, load, prepare
from runner.inputs import make_values
from runner.shapes import plan_inputs
session = load(OnnxFiles(Path(sys.argv[1])), intra_op_threads=1)
planned = plan_inputs(declared_inputs(session, InputChoices()), InputChoices())
prepare(session, planned, make_values(planned, seed=0)).call()
print(before, len(os.listdir("/proc/self/task")))
"""


def test_onnxruntime_reports_to_nobody(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    path = save(lenet5(), tmp_path)
    # Without CI, and without the setting: runner itself has to make it.
    surroundings = {"PATH": os.environ["PATH"], "HOME": str(home)}

    done = subprocess.run(
        [sys.executable, "-c", LOAD_AND_RUN, str(path)],
        cwd=ROOT, env=surroundings, capture_output=True, text=True, check=True,
    )  # fmt: skip

    before, after = done.stdout.split()
    assert before == after
    assert list(home.rglob("*")) == []
