"""How many runs a minute 1, 2, 4 and 8 measuring machines get through, with stubbed measurements.

usage: DATABASE_URL=postgres://... REDIS_URL=redis://... python -m benches.compare_worker_counts
BENCH_S        seconds that a stubbed measurement takes (0.5)
BENCH_RUNS     runs per machine (20)

Each worker has a data folder of its own, and so counts as a machine. The measurement is the only
stub: messages, claims, leases, results and estimates are real. The database named is replaced by
one of the bench's own on the same server; the Redis database named is emptied.
"""

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis

WORKER_COUNTS = (1, 2, 4, 8)
DATABASE = "carbonsite_bench_workers"
WITHIN_S = 300


def main() -> None:
    """Print a row per number of workers."""
    seconds = float(os.environ.get("BENCH_S", "0.5"))
    runs_each = int(os.environ.get("BENCH_RUNS", "20"))
    print(f"Measurements stubbed at {seconds:g} s, {runs_each} runs per worker")
    print("| workers | runs | s | runs/min | against one worker | measured twice |")
    print("|---|---|---|---|---|---|")
    alone = None
    for count in WORKER_COUNTS:
        with own_database(), tempfile.TemporaryDirectory() as folder:
            duration_s, twice = drain(count, runs_each * count, seconds, Path(folder))
        rate = 60 * runs_each * count / duration_s
        alone = alone or rate
        row = (count, runs_each * count, f"{duration_s:.1f}", f"{rate:.0f}", f"{rate / alone:.2f}")
        print("|", " | ".join(map(str, (*row, twice))), "|", flush=True)


@contextmanager
def own_database():
    """Point the environment at an empty database, for as long as the context lasts."""
    server = urlsplit(os.environ["DATABASE_URL"])
    redis.Redis.from_url(os.environ["REDIS_URL"]).flushdb()
    with psycopg.connect(server._replace(path="/postgres").geturl(), autocommit=True) as door:
        door.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        door.execute(f"CREATE DATABASE {DATABASE}")
        os.environ["DATABASE_URL"] = server._replace(path=f"/{DATABASE}").geturl()
        try:
            yield
        finally:
            os.environ["DATABASE_URL"] = server.geturl()
            door.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def drain(worker_count: int, run_count: int, seconds: float, folder: Path) -> tuple[float, int]:
    """Return how long so many workers took for so many runs, and how many ran more than once."""
    os.environ["CARBONSITE_DATA"] = str(folder / "site")
    manage("migrate", "--verbosity=0")
    workers = [start(number, seconds, folder) for number in range(worker_count)]
    try:
        for worker in workers:
            worker.stdout.readline()
        # The workers subscribe while the runs are being queued.
        said = manage("shell", "-v0", "-c", QUEUE_AND_WAIT.format(count=run_count, s=WITHIN_S))
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait()
    duration_s, twice = said.split()
    return float(duration_s), int(twice)


def start(number: int, seconds: float, folder: Path) -> "subprocess.Popen[str]":
    """Start one worker with a data folder of its own."""
    environment = {**os.environ, "CARBONSITE_DATA": str(folder / f"machine-{number}")}
    command = [sys.executable, "-m", "benches.stub_worker", str(number), str(seconds)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def manage(*arguments: str) -> str:
    """Return what a management command prints."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], check=True, stdout=subprocess.PIPE, text=True
    ).stdout


QUEUE_AND_WAIT = """
import time
from benchmarks.models import Run, Worker
from benchmarks.tasks import measure_run, ring
from tests.people import a_profile, a_queued_run, a_ready_version, owner
version, profile = a_ready_version(owner()), a_profile(owner())
runs = [a_queued_run(version, profile) for _ in range({count})]
began_s = time.monotonic()
for run in runs:
    ring(measure_run, run.pk)
while Run.objects.done().count() < {count}:
    assert time.monotonic() - began_s < {s}, "the queue did not drain"
    time.sleep(0.05)
print(time.monotonic() - began_s, Run.objects.exclude(attempts=1).count())
"""


if __name__ == "__main__":
    main()
