"""A measuring worker whose measurements take just so long: for the queue's own figures.

usage: python -m benches.stub_worker NUMBER SECONDS (see benches.compare_worker_counts)
"""

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "carbonsite.settings")

from carbonsite.celery import app
from runner import launch
from runner.job import Job
from runner.results import MeasurementResult
from runner.sample_models import mlp


def one_true_result() -> MeasurementResult:
    """Measure something small once, so that what is stored has the shape of real results."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mlp.onnx"
        path.write_bytes(mlp())
        found = launch.run(Job(kind="measure", onnx_path=str(path), measuring_s=0.05), Path(folder))
    assert isinstance(found, MeasurementResult), found  # noqa: S101
    return found


def main(number: str, seconds: str) -> None:
    """Take runs from the queue as a machine of its own, until told to end."""
    result = one_true_result()

    def stub(job, work_dir, *, on_tick=None, **_):
        end_s = time.monotonic() + float(seconds)
        while time.monotonic() < end_s:
            on_tick(None)
            time.sleep(0.05)
        return result

    launch.run = stub
    print("ready", flush=True)
    app.worker_main(
        [
            *("worker", "--queues=measure", f"--hostname=stub{number}@%h"),
            *("--pool=solo", "--without-gossip", "--without-mingle", "--loglevel=ERROR"),
        ]
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
