"""The child: `python -m runner JOB RESULT` does one job and writes one answer.

The limits come first, before any file of a stranger's is opened and before onnx or
onnxruntime are loaded, so that these count against them too.
"""

import os
import sys
from pathlib import Path

from runner import limits
from runner.endings import OUT_OF_MEMORY, means_out_of_memory
from runner.errors import RunnerError
from runner.job import Job, Kind
from runner.launch import PARENT_PID_VARIABLE
from runner.providers import maps_gpu_memory
from runner.reporting import Reporter, write_whole
from runner.results import Answer, Failure, Result
from runner.summary import summary

USAGE = "usage: python -m runner JOB RESULT"
MAX_MESSAGE_LENGTH = 2_000


def main(arguments: list[str]) -> int:
    """Do the job in one file, write the answer to the other; return the exit status."""
    if len(arguments) != 2:
        print(USAGE, file=sys.stderr)
        return 2
    parent_pid = os.environ.get(PARENT_PID_VARIABLE)
    if parent_pid is not None:
        limits.die_with(int(parent_pid))
    limits.gain_no_rights()
    limits.be_first_to_go()
    job_path, answer_path = map(Path, arguments)
    if parent_pid is None:
        return _by_hand(job_path, answer_path)
    write_whole(answer_path, _answer(job_path).to_json())
    return 0


def _by_hand(job_path: Path, answer_path: Path) -> int:
    """Do the same for somebody at a terminal, who is told about it; 1 when it failed."""
    for library in ("OPENBLAS", "OMP"):
        # As runner.launch does: numpy's threads would count as the model's.
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    print(f"Working on {job_path}; this takes seconds to minutes …", file=sys.stderr)
    try:
        answer = _answer(job_path)
        write_whole(answer_path, answer.to_json())
    except KeyboardInterrupt:
        print("Stopped, nothing was written.", file=sys.stderr)
        return 130
    print(summary(answer, str(answer_path)), file=sys.stdout if answer.ok else sys.stderr)
    return 0 if answer.ok else 1


def _answer(job_path: Path) -> Answer:
    kind: Kind = "measure"
    try:
        job = Job.from_json(job_path.read_bytes()).beside(job_path.parent)
        kind = job.kind
        return Answer(kind, True, _do(job), None)
    except RunnerError as error:
        failure = Failure(error.code, _readable(error.message))
    except FileNotFoundError as error:
        failure = Failure("no_job", f"There is no file {error.filename}.")
    except MemoryError:
        failure = OUT_OF_MEMORY
    # The child's outermost line: whatever else happened is told to the parent, not lost.
    except Exception as error:  # noqa: BLE001
        failure = _unforeseen(error)
    return Answer(kind, False, None, failure)


def _do(job: Job) -> Result:
    reporter = Reporter(job.progress_path)
    reporter.enter("starting")
    path = Path(job.onnx_path)
    file_bytes = path.stat().st_size if path.is_file() else 0
    limits.limit_resources(
        memory_bytes=limits.memory_limit_bytes(job, file_bytes=file_bytes),
        cpu_s=job.effective_limits.cpu_s,
        maps_gpu=maps_gpu_memory(wants_gpu=job.wants_gpu),
    )
    # Imported after the limits, so that loading these libraries counts against them too.
    if job.kind == "inspect":
        from runner.onnx_file import inspect_file

        reporter.enter("inspecting")
        return inspect_file(path, max_opset=job.max_opset)
    from runner.measure import measure

    return measure(job, reporter)


def _readable(message: str) -> str:
    """``message``, which may quote the model, as one text that the parent accepts."""
    return "".join(
        character if character.isprintable() else " " for character in message[:MAX_MESSAGE_LENGTH]
    )


def _unforeseen(error: Exception) -> Failure:
    if means_out_of_memory(str(error)):
        return OUT_OF_MEMORY
    return Failure(
        "internal_error",
        f"Something went wrong inside carbonsite ({type(error).__name__}). Run it again; if it "
        "happens twice, please report it together with the model.",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
