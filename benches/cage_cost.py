"""What the cage costs: its layers one by one at the start, and a model's latency with and without.

`python -m benches.cage_cost`; the pairs alternate, so that a neighbour disturbs both alike.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import onnx

from runner import launch
from runner.job import Job
from runner.results import Latency, MeasurementResult
from runner.sample_models import lenet5

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
PAIRS = 9
STARTS = 31
MEASURING_S = 1.0

STEPS = """
import time
from runner.limits import Bounds
from runner.sandbox import Cage
times = [time.perf_counter()]
cage = Cage.begin(None)
times.append(time.perf_counter())
cage.limit(Bounds(2**30, 60), thread_count=1)
times.append(time.perf_counter())
cage.close(thread_count=1)
times.append(time.perf_counter())
print(*(later - earlier for earlier, later in zip(times, times[1:])))
"""
# The same child without any layer but its parent's death.
OPEN = """
import sys
from runner import __main__, layers, sandbox
sandbox.Cage.limit = sandbox.Cage.close = lambda *_, **more: None
sandbox.Cage._put_on = sandbox.Cage._leave_network = lambda *_: None
sys.exit(__main__.main(sys.argv[1:]))
"""


def main() -> None:
    """Print both costs."""
    _print_start()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lenet5.onnx"
        path.write_bytes(lenet5())
        for model in (path, LIGHT / "light_squeezenet.onnx"):
            _print_latency(model, Path(folder))


def _print_start() -> None:
    command = [sys.executable, "-c", STEPS]
    runs = [
        [float(one) for one in subprocess.check_output(command, env=os.environ).split()]
        for _ in range(STARTS)
    ]
    names = ("rights and namespaces", "limits", "Landlock and seccomp")
    columns = [*zip(*runs, strict=True), [sum(run) for run in runs]]
    for name, found_s in zip((*names, "together"), columns, strict=True):
        middle_ms, fastest_ms = statistics.median(found_s) * 1e3, min(found_s) * 1e3
        print(f"{name:<24} {middle_ms:.2f} ms (fastest {fastest_ms:.2f} ms)")


def _print_latency(model: Path, folder: Path) -> None:
    ratios: dict[str, list[float]] = {"median_s": [], "min_s": []}
    for index in range(PAIRS):
        order = (True, False) if index % 2 else (False, True)
        latencies = {is_caged: _latency(model, folder, is_caged=is_caged) for is_caged in order}
        for name, found in ratios.items():
            found.append(getattr(latencies[True], name) / getattr(latencies[False], name))
    for name, found in ratios.items():
        spread = f"{PAIRS} pairs, {min(found):.3f} to {max(found):.3f}"
        middle = statistics.median(found)
        print(f"{model.stem:<18} {name:<9} caged / open: {middle:.4f} ({spread})")


def _latency(model: Path, folder: Path, *, is_caged: bool) -> Latency:
    usual = launch.python_command
    if not is_caged:
        launch.python_command = lambda: [sys.executable, "-c", OPEN]
    try:
        job = Job("measure", str(model), effort="quick", measuring_s=MEASURING_S)
        result = launch.run(job, folder)
    finally:
        launch.python_command = usual
    if not isinstance(result, MeasurementResult):
        raise SystemExit(f"{model}: {result}")
    if bool(result.sandbox.layers) != is_caged:
        raise SystemExit(f"{result.sandbox} is not what was wanted")
    return result.latency


if __name__ == "__main__":
    main()
