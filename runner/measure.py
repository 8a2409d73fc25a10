"""One measurement from start to end: load, first call, warm-up, timed rounds, figures."""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnxruntime

from runner.inputs import make_values
from runner.job import Effort, Job
from runner.machine import describe_machine, describe_software, peak_memory_bytes
from runner.meters.metering import Metering, open_meters
from runner.reporting import Reporter
from runner.results import InputUsed, MeasurementResult
from runner.session import (
    PROVIDER,
    PROVIDER_OPTIONS,
    Inference,
    call_or_fail,
    declared_inputs,
    load,
    prepare,
)
from runner.shapes import PlannedInput, plan_inputs
from runner.timings import NS_PER_S, Timings, as_measured

WARM_UP_CALLS = 2
WARM_UP_S = 0.3
MIN_ROUNDS = 5
MIN_SAMPLES_WHEN_LATE = 2
ROUNDS_BY_EFFORT: dict[Effort, int] = {"quick": 5, "standard": 10, "careful": 15}
# A slow model's samples end here, so that what was measured is told before the parent kills.
USABLE_WALL_RATIO = 0.85


@dataclass(frozen=True, slots=True)
class _Pace:
    """How long to measure, in how many rounds, and when to be done whatever happens."""

    measuring_s: float
    round_count: int
    deadline_s: float


@dataclass(frozen=True, slots=True)
class _Measured:
    """The timed calls, with the wall and CPU time of the whole of them."""

    timings: Timings
    wall_s: float
    cpu_s: float


def measure(job: Job, reporter: Reporter) -> MeasurementResult:
    """Do the measurement that ``job`` describes.

    Raises InputProblem when its inputs cannot be fed as chosen, MeasurementFailed when the
    model cannot be loaded or run, MemoryError when it does not fit.
    """
    metering = Metering.begin(open_meters())
    started_s = time.monotonic()
    reporter.enter("loading")
    session = load(Path(job.onnx_path), intra_op_threads=job.intra_op_threads)
    load_s = time.monotonic() - started_s
    declared = declared_inputs(session, job.inputs)
    planned = plan_inputs(declared, job.inputs, batch_size=job.batch_size)
    reporter.enter("warming_up")
    inference = prepare(session, planned, make_values(planned, seed=job.seed))
    _warm_up(inference, planned)
    reporter.enter("measuring")
    pace = _pace(job, started_s)
    with metering.timed():
        measured = call_or_fail(lambda: _time_calls(inference, pace, reporter), planned)
    reporter.enter("finishing")
    result = _result(job, measured, inference, planned, load_s)
    return replace(result, metered=metering.metered(latency_s=result.latency.mean_s))


def _pace(job: Job, started_s: float) -> _Pace:
    return _Pace(
        measuring_s=job.wanted_measuring_s,
        round_count=ROUNDS_BY_EFFORT[job.effort],
        deadline_s=started_s + job.effective_limits.wall_s * USABLE_WALL_RATIO,
    )


def _warm_up(inference: Inference, planned: Sequence[PlannedInput]) -> None:
    until_s = time.monotonic() + WARM_UP_S
    calls = 0
    while calls < WARM_UP_CALLS or time.monotonic() < until_s:
        call_or_fail(inference.call, planned)
        calls += 1


def _time_calls(inference: Inference, pace: _Pace, reporter: Reporter) -> _Measured:
    timings = Timings()
    with _collector_off():
        wall_start_ns, cpu_start_ns = time.perf_counter_ns(), time.process_time_ns()
        end_ns = wall_start_ns + round(pace.measuring_s * NS_PER_S)
        round_ns = (end_ns - wall_start_ns) // pace.round_count
        while not _is_done(timings, pace, end_ns):
            until_ns = time.perf_counter_ns() + round_ns
            _time_round(inference.call, timings, min(until_ns, end_ns), reporter)
            timings.end_round()
        wall_s = (time.perf_counter_ns() - wall_start_ns) / NS_PER_S
        cpu_s = (time.process_time_ns() - cpu_start_ns) / NS_PER_S
    return _Measured(timings, wall_s, cpu_s)


def _is_done(timings: Timings, pace: _Pace, end_ns: int) -> bool:
    if time.monotonic() > pace.deadline_s:
        return timings.count >= MIN_SAMPLES_WHEN_LATE
    return timings.round_count >= MIN_ROUNDS and time.perf_counter_ns() >= end_ns


def _time_round(
    call: Callable[[], object], timings: Timings, until_ns: int, reporter: Reporter
) -> None:
    """Time calls until ``until_ns`` on the performance counter's clock, at least one."""
    clock_ns = time.perf_counter_ns
    while True:
        start_ns = clock_ns()
        call()
        end_ns = clock_ns()
        timings.add(end_ns - start_ns)
        reporter.counted(timings.count)
        if end_ns >= until_ns:
            return


@contextmanager
def _collector_off() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _result(
    job: Job,
    measured: _Measured,
    inference: Inference,
    planned: Sequence[PlannedInput],
    load_s: float,
) -> MeasurementResult:
    latency = measured.timings.latency(batch_size=job.batch_size)
    machine = describe_machine()
    busy_cores = measured.cpu_s / measured.wall_s
    return MeasurementResult(
        latency=latency,
        as_measured=as_measured(latency),
        samples_s=measured.timings.samples_s(batch_size=job.batch_size),
        throughput_per_s=1 / latency.mean_s,
        load_s=load_s,
        first_call_s=inference.first_call_s,
        peak_memory_bytes=peak_memory_bytes(),
        cpu_usage_ratio=min(1.0, busy_cores / job.intra_op_threads),
        machine_usage_ratio=min(1.0, busy_cores / machine.core_count),
        # By share of the calls' own time, so that what goes on between them is left out.
        cpu_time_per_inference_s=busy_cores * latency.mean_s,
        measuring_wall_s=measured.wall_s,
        uses_io_binding=inference.uses_io_binding,
        inputs=tuple(_used(item) for item in planned),
        outputs=inference.outputs,
        machine=machine,
        software=describe_software(
            onnxruntime=onnxruntime.__version__,
            numpy=np.__version__,
            provider=PROVIDER,
            provider_options=PROVIDER_OPTIONS,
        ),
    )


def _used(item: PlannedInput) -> InputUsed:
    return InputUsed(item.name, item.dtype, item.shape, item.why, item.low, item.high)
