"""One measurement from start to end: load, first call, warm-up, timed rounds, figures."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnxruntime

from runner import cores
from runner.bursts import BurstLog, Gate, best_sentinel_ns
from runner.caveats import caveats
from runner.feeding import feed, inputs_of
from runner.item_sets import values_to_feed
from runner.job import Job
from runner.layers import Sandbox
from runner.machine import OwnMemory, describe_machine, describe_software
from runner.meters.metering import Metering, open_meters
from runner.providers import Provider, choose, kept_from_gpu
from runner.rehearsal import rehearse
from runner.reporting import Reporter
from runner.results import InputUsed, Machine, MeasurementResult, Timing
from runner.rounds import Pace, measure_rounds
from runner.session import Inference, call_or_fail, load, options_of
from runner.shapes import PlannedInput
from runner.timings import NS_PER_S, Timings

WARM_UP_CALLS = 2
WARM_UP_S = 0.3
_CAGED_GPU = "the cage keeps the process that measures from the GPU's driver"


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """All that is asked of the system, asked or opened before the cage is closed."""

    machine: Machine
    cores: tuple[int, ...]
    memory: OwnMemory
    metering: Metering
    sandbox: Sandbox
    asked: Provider


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A session, what loading it took, and the provider that it runs on."""

    around: _Surroundings
    session: onnxruntime.InferenceSession
    provider: Provider
    load_s: float
    memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class _Measured:
    """The timed bursts, and the wall time and memory of the whole of them."""

    log: BurstLog
    wall_s: float
    peak_memory_bytes: int | None


def _no_cage(_: Provider) -> Sandbox:
    return Sandbox()


def measure(
    job: Job,
    reporter: Reporter,
    *,
    close_cage: Callable[[Provider], Sandbox] = _no_cage,
    memory: OwnMemory | None = None,
) -> MeasurementResult:
    """Do the measurement that ``job`` describes.

    ``close_cage`` is called before anything of the model is read. ``memory`` was opened before
    the process gave up the right to.
    Raises InputProblem when its inputs cannot be fed as chosen, MeasurementFailed when the
    model cannot be loaded or run, MemoryError when it does not fit.
    """
    around = _look_around(job, close_cage, memory or OwnMemory())
    started_s = time.monotonic()
    reporter.enter("loading")
    loaded = _load(job, around)
    declared = inputs_of(loaded.session, job)
    real = values_to_feed(job, declared)
    reporter.enter("warming_up")
    fed = feed(loaded.session, declared, job, real)
    inference, planned = fed.inference, fed.planned
    call_s = _warm_up(inference, planned)
    reporter.enter("measuring")
    log, wall_s = call_or_fail(
        lambda: measure_rounds(
            inference.call,
            call_s=call_s,
            pace=Pace.of(job, started_s=started_s, gate=_gate(job, loaded.provider)),
            reporter=reporter,
            around_round=around.metering.timed,
        ),
        planned,
    )
    measured = _Measured(log, wall_s, around.memory.peak_bytes)
    reporter.enter("finishing")
    result = _result(job, loaded, inference, planned, measured)
    return replace(result, metered=around.metering.metered(latency_s=result.latency.mean_s))


def _look_around(
    job: Job, close_cage: Callable[[Provider], Sandbox], memory: OwnMemory
) -> _Surroundings:
    metering = Metering.begin(open_meters())
    machine = describe_machine()
    rehearse()
    # Before the session: its threads inherit the cores.
    pinned = cores.pin(job.intra_op_threads)
    asked = _provider_for(job)
    sandbox = close_cage(asked)
    if "seccomp" in sandbox.layers:
        metering.lose("gpu", _CAGED_GPU)
    return _Surroundings(machine, pinned, memory, metering, sandbox, asked)


def _provider_for(job: Job) -> Provider:
    asked = choose(wants_gpu=job.wants_gpu, offered=onnxruntime.get_available_providers())
    return kept_from_gpu() if asked.is_gpu and job.requires_sandbox else asked


def _load(job: Job, around: _Surroundings) -> _Loaded:
    before_bytes = around.memory.resident_bytes
    start_s = time.perf_counter()
    session = load(
        job.onnx_files,
        intra_op_threads=job.intra_op_threads,
        cores=around.cores,
        provider=around.asked,
        on_parsed=around.memory.forget_peak,
    )
    load_s = time.perf_counter() - start_s
    if len(around.cores) == job.intra_op_threads:
        cores.stay_on_first(around.cores)
    after_bytes = around.memory.resident_bytes
    is_known = before_bytes is not None and after_bytes is not None
    memory_bytes = max(0, (after_bytes or 0) - (before_bytes or 0)) if is_known else None
    provider = around.asked.as_used(session.get_providers())
    return _Loaded(around, session, provider, load_s, memory_bytes)


def _gate(job: Job, provider: Provider) -> Gate:
    known_s = job.best_sentinel_s
    return Gate(
        waits=job.intra_op_threads > 1 or provider.is_gpu,
        known_best_ns=None if known_s is None else round(known_s * NS_PER_S),
    )


def _warm_up(inference: Inference, planned: Sequence[PlannedInput]) -> float:
    """Call until the model is warm; return about how long a call then takes, in seconds."""
    start_s = time.perf_counter()
    call_count, spent_s = 0, 0.0
    while call_count < WARM_UP_CALLS or spent_s < WARM_UP_S:
        call_or_fail(inference.call, planned)
        call_count += 1
        spent_s = time.perf_counter() - start_s
    return spent_s / call_count


def _result(
    job: Job,
    loaded: _Loaded,
    inference: Inference,
    planned: Sequence[PlannedInput],
    measured: _Measured,
) -> MeasurementResult:
    around = loaded.around
    # The sentinel is a loop on the CPU: of a GPU's speed it says nothing.
    speed_spread = None if loaded.provider.is_gpu else job.speed_spread
    timings = Timings.of(measured.log, batch_size=job.batch_size, speed_spread=speed_spread)
    busy_cores = timings.cpu_ratio
    return MeasurementResult(
        latency=timings.latency(),
        as_measured=timings.as_measured(),
        samples_s=timings.samples_s(),
        throughput_per_s=1 / timings.mean_s,
        load_s=loaded.load_s,
        first_call_s=inference.first_call_s,
        peak_memory_bytes=measured.peak_memory_bytes,
        cpu_usage_ratio=min(1.0, busy_cores / job.intra_op_threads),
        machine_usage_ratio=min(1.0, busy_cores / around.machine.core_count),
        # By share of the calls' own time, so that what goes on between them is left out.
        cpu_time_per_inference_s=busy_cores * timings.mean_s,
        measuring_wall_s=measured.wall_s,
        uses_io_binding=inference.uses_io_binding,
        inputs=tuple(_used(item) for item in planned),
        outputs=inference.outputs,
        machine=around.machine,
        software=describe_software(
            onnxruntime=onnxruntime.__version__,
            numpy=np.__version__,
            provider=loaded.provider.name,
            provider_options=loaded.provider.options,
            session_options=options_of(loaded.session),
        ),
        session_memory_bytes=loaded.memory_bytes,
        timing=_timing(job, loaded, measured.log, timings),
        sandbox=around.sandbox,
    )


def _timing(job: Job, loaded: _Loaded, log: BurstLog, timings: Timings) -> Timing:
    pinned = loaded.around.cores
    notes = caveats(job, timings, log=log, provider=loaded.provider, cores=pinned)
    return Timing(
        calls_per_sample=log.calls_per_sample,
        burst_count=len(log.bursts),
        quiet_burst_count=len(timings.quiet),
        round_count=timings.believed_round_count,
        best_sentinel_s=best_sentinel_ns(log.bursts) / NS_PER_S,
        cores=pinned,
        notes=tuple(notes),
        known_best_sentinel_s=job.best_sentinel_s,
        speed_spread=timings.speed_spread,
    )


def _used(item: PlannedInput) -> InputUsed:
    return InputUsed(
        item.name, item.dtype, item.shape, item.why, item.low, item.high, item.range_why
    )
