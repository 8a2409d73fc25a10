"""The site under load while it measures: readers, large uploads, memory, and the measured latency.

usage: python -m benches.load                  (make bench-load)
DATABASE_URL, REDIS_URL   servers to use; without them, a PostgreSQL and a Redis of the bench's own.
                          A database of its own is made there, and the Redis database is emptied.
BENCH_READERS=50 BENCH_THINK_S=10    people with a session, and how long each looks at a page
BENCH_UPLOADS=10 BENCH_UPLOAD_MB=50  uploads at once, again and again
BENCH_LINE_MB_PER_S=2.5              how fast the line of each who uploads is
BENCH_RUNS=2000 BENCH_MODELS=10      runs in the histories that are read
BENCH_PAIRS=8 BENCH_EFFORT=quick     runs taken with the load and without, in turn

Web server, workers and clock are started by docker-compose.yml's own commands. The measuring
worker has the last core for itself, the web server the first; everything else, the load itself
included, takes what lies between, and on two cores the web server's.
"""

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis

from benches.load_clients import Crowd, Door, upload_at_once
from benches.load_figures import (
    MB,
    Memory,
    latency_table,
    memory_table,
    ratio_of,
    request_table,
    verdicts,
)
from carbonsite.process_tree import descendants
from runner.sample_models import mlp
from tests.composed import NEW_TOKEN, Composed, multipart, production, wait_for
from tests.faults.servers import PostgreSQL, Redis

DATABASE = "carbonsite_bench_load"
READERS = int(os.environ.get("BENCH_READERS", "50"))
THINK_S = float(os.environ.get("BENCH_THINK_S", "10"))
UPLOADS = int(os.environ.get("BENCH_UPLOADS", "10"))
UPLOAD_BYTES = int(float(os.environ.get("BENCH_UPLOAD_MB", "50")) * MB)
LINE_BYTES_PER_S = float(os.environ.get("BENCH_LINE_MB_PER_S", "2.5")) * MB
MODELS = int(os.environ.get("BENCH_MODELS", "10"))
RUNS = int(os.environ.get("BENCH_RUNS", "2000"))
PAIRS = int(os.environ.get("BENCH_PAIRS", "8"))
EFFORT = os.environ.get("BENCH_EFFORT", "quick")
SMALL_UPLOAD_BYTES = MB
WITHIN_S = 600
# After a change of the load, until caches and queues have come to rest.
SETTLING_S = 3


def main() -> None:
    """Set the site up, load it, measure, and tell; the exit status says whether all was kept."""
    # Ended from outside, it still ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    cores = sorted(os.sched_getaffinity(0))
    web, worker, rest = cores[:1], cores[-1:], cores[1:-1] or cores[:1]
    os.sched_setaffinity(0, rest)
    with ExitStack() as stack:
        database_url, redis_url = stack.enter_context(servers())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        site = Composed(folder, production(folder, database_url=database_url, redis_url=redis_url))
        stack.callback(end, site)
        start(site, web=web, worker=worker)
        asked = f"reader_count={max(READERS, UPLOADS)}, model_count={MODELS}, run_count={RUNS}"
        said = site.manage("shell", "-c", f"from benches.load_seed import seed; seed({asked})")
        door = Door(site.port, json.loads(said.splitlines()[-1]), LINE_BYTES_PER_S)
        print(setting(web, worker, rest, door.seeded["run_count"]), flush=True)
        memory = [memory_of(site, door, size_bytes) for size_bytes in sizes()]
        crowd = Crowd(door, THINK_S, UPLOADS, UPLOAD_BYTES)
        alone_s, loaded_s = take_pairs(site, crowd)
    tell(crowd, memory, alone_s, loaded_s)


def sizes() -> tuple[int, ...]:
    """The sizes of uploads whose memory is compared, smallest first."""
    return (SMALL_UPLOAD_BYTES, UPLOAD_BYTES)


def setting(web: list[int], worker: list[int], rest: list[int], run_count: int) -> str:
    """Say under what circumstances the figures arise."""
    lines = [
        f"Web server on core {web[0]}, measuring worker on core {worker[0]}; databases, inspection "
        f"and the load generator on {', '.join(map(str, rest))}.",
        f"{READERS} readers, one visit every {THINK_S:g} s each; {run_count} runs in the "
        f"histories of {MODELS} models; {UPLOADS} uploads of {UPLOAD_BYTES / MB:.0f} MB at once, "
        f"again and again over lines of {LINE_BYTES_PER_S / MB:g} MB/s, while runs are measured.",
    ]
    if rest == web:
        lines.append(
            "The load generator and the databases share the web server's core: "
            "page times include waiting for them."
        )
    if web == worker:
        lines.append("There is but one core: nothing here tells the load's effect on a run.")
    return "\n".join(lines) + "\n"


@contextmanager
def servers() -> Iterator[tuple[str, str]]:
    """Give the addresses of an empty database and an empty Redis, for as long as it lasts."""
    if "DATABASE_URL" in os.environ and "REDIS_URL" in os.environ:
        server = urlsplit(os.environ["DATABASE_URL"])
        redis.Redis.from_url(os.environ["REDIS_URL"]).flushdb()
        with psycopg.connect(server._replace(path="/postgres").geturl(), autocommit=True) as hall:
            hall.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
            hall.execute(f"CREATE DATABASE {DATABASE}")
            try:
                yield server._replace(path=f"/{DATABASE}").geturl(), os.environ["REDIS_URL"]
            finally:
                hall.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        return
    database, broker = PostgreSQL(), Redis()
    try:
        database.create()
        broker.start()
        yield database.url, broker.url
    finally:
        broker.remove()
        database.remove()


@contextmanager
def on_cores(cores: Sequence[int]) -> Iterator[None]:
    """Have whatever is started meanwhile keep to these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def start(site: Composed, *, web: Sequence[int], worker: Sequence[int]) -> None:
    """Start the site's parts, each where it belongs, with an owner who may ask for runs."""
    if site.start("prepare").wait(WITHIN_S) != 0:
        raise SystemExit((site.folder / "prepare.log").read_text())
    for name in ("worker-default", "beat"):
        site.start(name)
    with on_cores(web):
        site.start("web")
    with on_cores(worker):
        site.start("worker-measure")
    wait_for(site.is_ready, "the site", WITHIN_S)
    site.token = site.manage("shell", "-c", NEW_TOKEN).splitlines()[-1]


def end(site: Composed) -> None:
    """End all its parts."""
    for name in list(site.parts):
        site.end(name)


def web_processes(site: Composed) -> list[int]:
    """The web server's process and those that it has started."""
    web = site.parts["web"].pid
    return [web, *descendants(web)]


def status_bytes(pid: int, name: str) -> int:
    """A figure from what the kernel says of a process: VmRSS, or its peak VmHWM."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"{pid} has no {name}")


def memory_of(site: Composed, door: Door, size_bytes: int) -> Memory:
    """Upload as many models of that size at once, and see what the web processes hold."""
    # The threads and buffers of the first time are nobody's size.
    refuse(upload_at_once(door, UPLOADS, SMALL_UPLOAD_BYTES))
    pids = web_processes(site)
    for pid in pids:
        # Linux, proc(5): has the peak begin again at what it holds now.
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    before_bytes = sum(status_bytes(pid, "VmRSS") for pid in pids)
    refuse(upload_at_once(door, UPLOADS, size_bytes))
    peak_bytes = sum(status_bytes(pid, "VmHWM") for pid in pids)
    after_bytes = sum(status_bytes(pid, "VmRSS") for pid in pids)
    return Memory(UPLOADS, size_bytes, before_bytes, peak_bytes, after_bytes)


def refuse(answers) -> None:
    """End the bench when an upload before it failed."""
    for answer in answers:
        if answer.fault:
            raise SystemExit(f"{answer.page}: {answer.fault}")


def take_pairs(site: Composed, crowd: Crowd) -> tuple[list[float], list[float]]:
    """Measure a model alone and under load by turns; return the runs' means, in seconds."""
    version = site.call("POST", "models/", multipart(mlp(), name="measured"))["latest_version"]
    wait_for(
        lambda: site.call("GET", f"versions/{version['id']}/")["status"] == "ready",
        "the model",
        WITHIN_S,
    )
    profile = site.call("GET", "profiles/")["results"][0]
    asked = {"version": version["id"], "profile": profile["id"], "effort": EFFORT}
    means_s: dict[bool, list[float]] = {False: [], True: []}
    # The first run of a worker loads what the others find loaded.
    mean_s(site, asked)
    for pair in range(PAIRS):
        for is_loaded in (False, True) if pair % 2 else (True, False):
            means_s[is_loaded].append(
                under(crowd, site, asked) if is_loaded else alone(site, asked)
            )
    return means_s[False], means_s[True]


def alone(site: Composed, asked: dict) -> float:
    """Measure once, with nobody there."""
    wait_until_idle(site)
    return mean_s(site, asked)


def under(crowd: Crowd, site: Composed, asked: dict) -> float:
    """Measure once, with everybody there."""
    with crowd:
        time.sleep(SETTLING_S)
        return mean_s(site, asked)


def wait_until_idle(site: Composed) -> None:
    """Wait until all that was uploaded has been looked at."""

    def has_read_all() -> bool:
        with psycopg.connect(site.environment["DATABASE_URL"]) as line:
            query = "SELECT count(*) FROM benchmarks_modelversion WHERE status = 'inspecting'"
            return line.execute(query).fetchone() == (0,)

    wait_for(has_read_all, "the inspection", WITHIN_S)
    time.sleep(SETTLING_S)


def mean_s(site: Composed, asked: dict) -> float:
    """Ask for a run, wait for it, and return the mean latency that it shows."""
    run_id = site.call("POST", "runs/", asked)["id"]
    deadline_s = time.monotonic() + WITHIN_S
    while (run := site.call("GET", f"runs/{run_id}/"))["status"] in {"queued", "measuring"}:
        if time.monotonic() > deadline_s:
            raise SystemExit(f"run {run_id} is still {run['status']}")
        time.sleep(1)
    if run["status"] != "done":
        raise SystemExit(f"run {run_id} {run['status']}: {run['failure']}")
    return run["latency"]["mean_s"]


def tell(crowd: Crowd, memory: list[Memory], alone_s: list[float], loaded_s: list[float]) -> None:
    """Print the tables and whether all was kept, and end with the status that says so."""
    for table in (
        request_table(crowd.answers),
        memory_table(memory),
        latency_table(alone_s, loaded_s),
    ):
        print(table, end="\n\n")
    kept = verdicts(crowd.answers, memory, ratio_of(alone_s, loaded_s))
    for is_kept, sentence in kept:
        print(f"{'kept  ' if is_kept else 'MISSED'} {sentence}")
    for answer in [one for one in crowd.answers if one.fault][:5]:
        print(f"       {answer.page}: {answer.fault}")
    sys.exit(0 if all(is_kept for is_kept, _ in kept) else 1)


if __name__ == "__main__":
    main()
