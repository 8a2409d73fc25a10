"""The child's side: put on the cage, do the one job, give the answer, end.

Nothing of the stranger's file is looked at before the cage is closed, and nothing is opened
after.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from runner.channel import PARENT_PID_VARIABLE, Speaker
from runner.endings import OUT_OF_MEMORY, means_out_of_memory
from runner.errors import MeasurementFailed, RunnerError
from runner.given_files import NO_FILE, give
from runner.job import Job, Kind
from runner.layers import Sandbox
from runner.limits import (
    MAX_OPEN_FILES,
    PROFILE_NAME,
    Bounds,
    MemoryRule,
    written_limit_bytes,
)
from runner.machine import OwnMemory
from runner.providers import CPU, Provider, maps_gpu_memory
from runner.reporting import Reporter
from runner.results import Answer, Failure, Result
from runner.sandbox import Cage

MAX_MESSAGE_LENGTH = 2_000
# What a machine needs beside Python; only a job done by hand meets one that lacks them.
NEEDED_PACKAGES = ("numpy", "onnx", "onnxruntime")
_NO_LANDLOCK = (
    "Looking into a run writes a file, which the cage allows only where the machine has Landlock "
    "(see “The cage” in docs/operations.md)."
)


@dataclass(frozen=True, slots=True)
class Means:
    """What the child has to do its job with; ``files`` are the descriptors of the job's."""

    cage: Cage
    reporter: Reporter
    memory: OwnMemory
    files: Sequence[int]


def serve(job_path: Path, channel: int, files: Sequence[int]) -> NoReturn:
    """Do the job of ``job_path`` on its open ``files``; all numbers are descriptors."""
    parent_pid = os.environ.get(PARENT_PID_VARIABLE)
    # Once the process is not dumpable its files belong to root.
    memory = OwnMemory()
    cage = Cage.begin(int(parent_pid) if parent_pid else None)
    speaker = Speaker(channel)
    answer = _answer(job_path, Means(cage, Reporter(speaker.tell), memory, files))
    try:
        speaker.answer(answer.to_json())
    except ValueError as error:
        speaker.answer(Answer(answer.kind, False, None, _unforeseen(error)).to_json())
    # At once: what libraries do when Python ends is nobody's concern any more.
    os._exit(0)


def _answer(job_path: Path, means: Means) -> Answer:
    kind: Kind = "measure"
    try:
        job = Job.from_json(job_path.read_bytes())
        kind = job.kind
        return Answer(kind, True, _do(job, means), None)
    except RunnerError as error:
        failure = Failure(error.code, _readable(error.message))
    except MemoryError:
        failure = OUT_OF_MEMORY
    # The child's outermost line: whatever else happened is told to the parent, not lost.
    except Exception as error:  # noqa: BLE001
        failure = _unforeseen(error)
    return Answer(kind, False, None, failure)


def _do(job: Job, means: Means) -> Result:
    means.reporter.enter("starting")
    give(dict(zip(job.files, means.files, strict=True)))
    _limit(job, means)
    # Imported after the limits, so that loading these libraries counts against them too, and
    # before the cage is closed, because they are files.
    if job.kind == "inspect":
        from runner.onnx_file import inspect_file

        means.reporter.enter("inspecting")
        _close(means.cage, job)
        return inspect_file(job.onnx_files, max_opset=job.max_opset, counts_macs=job.counts_macs)
    if job.kind == "evaluate":
        from runner.evaluation import evaluate

        return evaluate(job, means.reporter, close_cage=lambda: _close(means.cage, job))
    if job.kind == "profile":
        from runner.profiling import profile

        # In the child's own work folder. The parent takes it away: nothing here can any more.
        path = Path.cwd() / PROFILE_NAME
        path.touch()
        return profile(
            job,
            means.reporter,
            path=path,
            close_cage=lambda: _close_but(means.cage, job, path),
        )
    from runner.measure import measure

    return measure(
        job,
        means.reporter,
        close_cage=lambda provider: _close(means.cage, job, provider),
        memory=means.memory,
    )


def _limit(job: Job, means: Means) -> None:
    file_bytes = sum(os.fstat(one).st_size for one in means.files if one != NO_FILE)
    bounds = Bounds(
        MemoryRule().limit_bytes(job, file_bytes=file_bytes),
        job.effective_limits.cpu_s,
        written_limit_bytes(job),
        # Each is inherited, held while the session has it mapped, and once more while hints are
        # read beside the session.
        open_files=MAX_OPEN_FILES + 3 * len(means.files),
        maps_gpu=maps_gpu_memory(wants_gpu=job.may_use_gpu),
    )
    means.cage.limit(bounds, thread_count=job.intra_op_threads)


def _close(
    cage: Cage, job: Job, provider: Provider = CPU, *, may_write: Path | None = None
) -> Sandbox:
    """Close the cage; refuse to go on where the job wants a better one."""
    thread_count = 1 if job.kind == "inspect" else job.intra_op_threads
    cage.close(thread_count=thread_count, uses_gpu=provider.is_gpu, may_write=may_write)
    sandbox = cage.report()
    if job.requires_sandbox and not sandbox.is_enough:
        raise MeasurementFailed("no_sandbox", _why_not(sandbox))
    return sandbox


def _close_but(cage: Cage, job: Job, file: Path) -> None:
    """Close the cage but for ``file``, which can be written."""
    layers = _close(cage, job, may_write=file).layers
    if "seccomp" in layers and "landlock" not in layers:
        raise MeasurementFailed("no_profile", _NO_LANDLOCK)


def _why_not(sandbox: Sandbox) -> str:
    lacking = "; ".join(f"{one.layer}: {one.reason}" for one in sandbox.missing)
    return (
        "This machine cannot keep a stranger's model away from everything else, so it measures "
        f"none ({lacking}). Whoever runs the site finds what to do under “The cage” in "
        "docs/operations.md."
    )


def _readable(message: str) -> str:
    """``message``, which may quote the model, as one text that the parent accepts."""
    return "".join(
        character if character.isprintable() else " " for character in message[:MAX_MESSAGE_LENGTH]
    )


def _unforeseen(error: Exception) -> Failure:
    if means_out_of_memory(str(error)):
        return OUT_OF_MEMORY
    if isinstance(error, ModuleNotFoundError) and error.name in NEEDED_PACKAGES:
        return Failure(
            "missing_package",
            f"The Python package {error.name} is not installed on this machine. Install what "
            "requirements.txt names, then run it again.",
        )
    return Failure(
        "internal_error",
        f"Something went wrong inside carbonsite ({type(error).__name__}). Run it again; if it "
        "happens twice, please report it together with the model.",
    )
