"""A job done without the site: the same caged child, and its answer in a file."""

import platform
import sys
import tempfile
from pathlib import Path

from runner.errors import Nonsense
from runner.job import Job
from runner.launch import run
from runner.messages import to_json
from runner.reporting import write_whole
from runner.results import Answer, Failure, MeasurementResult, Progress
from runner.summary import summary

STOPPED_STATUS = 130


def do(job_path: Path, answer_path: Path) -> int:
    """Do the job of the one file, write the answer to the other; return 1 where it failed.

    The job's files are looked for beside it. Says on stderr which layers of the cage this
    machine does not have.
    """
    if platform.system() != "Linux":
        told = f"The engine measures on Linux, and this is {platform.system()}."
        print(f"{told} Use a Linux machine, virtual or not, or a container.", file=sys.stderr)
        return 1
    print(f"Working on {job_path}; this takes seconds to minutes …", file=sys.stderr)
    try:
        answer = _answer(job_path)
        write_whole(answer_path, answer.to_json())
    except KeyboardInterrupt:
        print("Stopped, nothing was written.", file=sys.stderr)
        return STOPPED_STATUS
    if isinstance(answer.result, MeasurementResult):
        for one in answer.result.sandbox.missing:
            print(f"note: the cage lacks {one.layer}: {one.reason}", file=sys.stderr)
    print(summary(answer, str(answer_path)), file=sys.stdout if answer.ok else sys.stderr)
    return 0 if answer.ok else 1


def _answer(job_path: Path) -> Answer:
    try:
        job = Job.from_json(job_path.read_bytes()).beside(job_path.parent)
    except FileNotFoundError:
        return Answer("measure", False, None, Failure("no_job", f"There is no file {job_path}."))
    except Nonsense as error:
        return Answer("measure", False, None, Failure(error.code, error.message))

    def on_tick(progress: Progress | None) -> None:
        if job.progress_path is not None and progress is not None:
            write_whole(Path(job.progress_path), to_json(progress))

    with tempfile.TemporaryDirectory(prefix="runner-") as folder:
        outcome = run(job, Path(folder), on_tick=on_tick)
    if isinstance(outcome, Failure):
        return Answer(job.kind, False, None, outcome)
    return Answer(job.kind, True, outcome, None)
