"""One other way of timing a model, in a process of its own: a plain loop, or MLPerf's LoadGen.

usage: python -m benches.loops plain|loadgen|inputs MODEL SECONDS CHOICES FOLDER
CHOICES is the JSON of a job's inputs; FOLDER is where logs, or the inputs' values, go.
"""

import json
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from runner.inputs import Values, make_values
from runner.job import InputChoices
from runner.session import declared_inputs
from runner.shapes import plan_inputs

WARM_UP_S = 0.3
SUMMARY_LINES = {"figure_s": "50.00 percentile latency (ns)", "mean_s": "Mean latency (ns)"}


def main(arguments: list[str]) -> None:
    """Time the model as asked and print the figures as JSON."""
    way, model_path, seconds, choices, folder = arguments
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model_path, options, providers=["CPUExecutionProvider"])
    chosen = InputChoices.from_plain(json.loads(choices))
    values = make_values(plan_inputs(declared_inputs(session, chosen), chosen), seed=0)
    if way == "inputs":
        write_inputs(session, values, Path(folder))
        return

    def call() -> object:
        return session.run(None, values)

    until_s = time.perf_counter() + WARM_UP_S
    call()
    while time.perf_counter() < until_s:
        call()
    figures = {"plain": time_plainly, "loadgen": time_by_loadgen}[way]
    print(json.dumps(figures(call, float(seconds), Path(folder))))


def time_plainly(call: Callable[[], object], seconds: float, _folder: Path) -> dict[str, float]:
    """Return what most people measure: the median of single calls in a loop."""
    calls_s = []
    until_s = time.perf_counter() + seconds
    while not calls_s or time.perf_counter() < until_s:
        start_s = time.perf_counter()
        call()
        calls_s.append(time.perf_counter() - start_s)
    fastest_s = float(np.percentile(calls_s, 10))
    return {
        "figure_s": statistics.median(calls_s),
        "mean_s": statistics.fmean(calls_s),
        "fastest_s": fastest_s,
    }


def time_by_loadgen(call: Callable[[], object], seconds: float, folder: Path) -> dict[str, float]:
    """Return what LoadGen's SingleStream scenario says in its summary."""
    import mlperf_loadgen as loadgen

    def issue(samples: list[object]) -> None:
        for sample in samples:
            call()
            loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(sample.id, 0, 0)])  # type: ignore[attr-defined]

    settings = loadgen.TestSettings()
    settings.scenario = loadgen.TestScenario.SingleStream
    settings.mode = loadgen.TestMode.PerformanceOnly
    settings.min_duration_ms = settings.max_duration_ms = round(seconds * 1000)
    settings.min_query_count = 1
    logs = loadgen.LogSettings()
    logs.log_output.outdir = str(folder)
    logs.log_output.copy_summary_to_stdout = False
    system = loadgen.ConstructSUT(issue, lambda: None)
    library = loadgen.ConstructQSL(1, 1, lambda samples: None, lambda samples: None)
    loadgen.StartTestWithLogSettings(system, library, settings, logs)
    summary = (folder / "mlperf_log_summary.txt").read_text()
    return {name: _nanoseconds(summary, label) / 1e9 for name, label in SUMMARY_LINES.items()}


def _nanoseconds(summary: str, label: str) -> int:
    found = re.search(re.escape(label) + r"\s*:\s*(\d+)", summary)
    if found is None:
        raise ValueError(f"LoadGen's summary has no {label!r}")
    return int(found[1])


def write_inputs(
    session: onnxruntime.InferenceSession, values: dict[str, Values], folder: Path
) -> None:
    """Write the values and the list of them that the C program reads."""
    lines = []
    for number, (name, array) in enumerate(values.items()):
        path = folder / f"input_{number}.bin"
        path.write_bytes(np.ascontiguousarray(array).tobytes())
        kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
        lines.append(" ".join(map(str, ["in", name, kind, array.ndim, *array.shape, path])))
    lines += [f"out {output.name}" for output in session.get_outputs()]
    (folder / "spec.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
