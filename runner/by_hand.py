"""A job done without the site: the same caged child, its answer in a file."""

import sys
import tempfile
from pathlib import Path

from runner.errors import Nonsense
from runner.job import Job
from runner.launch import run
from runner.messages import to_json
from runner.reporting import write_whole
from runner.results import Answer, Failure, MeasurementResult, Progress


def do(job_path: Path, answer_path: Path) -> int:
    """Do the job of the one file, write the answer to the other; return the exit status.

    Says on stderr which layers of the cage this machine does not have.
    """
    try:
        job = Job.from_json(job_path.read_bytes())
    except Nonsense as error:
        failure = Failure(error.code, error.message)
        write_whole(answer_path, Answer("measure", False, None, failure).to_json())
        return 0

    def on_tick(progress: Progress | None) -> None:
        if job.progress_path is not None and progress is not None:
            write_whole(Path(job.progress_path), to_json(progress))

    with tempfile.TemporaryDirectory(prefix="runner-") as folder:
        outcome = run(job, Path(folder), on_tick=on_tick)
    if isinstance(outcome, Failure):
        answer = Answer(job.kind, False, None, outcome)
    else:
        answer = Answer(job.kind, True, outcome, None)
    write_whole(answer_path, answer.to_json())
    if isinstance(outcome, MeasurementResult):
        for one in outcome.sandbox.missing:
            print(f"note: the cage lacks {one.layer}: {one.reason}", file=sys.stderr)
    return 0
