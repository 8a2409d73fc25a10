"""Where a run's time goes beside measuring, by the site's own way of doing it; `make bench-start`.

usage: python -m benches.start
BENCH_ROUNDS   runs of LeNet-5 (10), after one that nobody counts

Each run is executed as a worker does it, on SQLite in a data folder of its own, while a thread
looks every millisecond at what the children have written.
"""

import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from runner.errors import Nonsense
from runner.machine import describe_machine
from runner.results import Progress

MEASURING_S = 1.0
LOOK_EVERY_S = 0.001
FIRST_SAMPLE_AIM_S, ADDED_AIM_S = 0.6, 0.5

Spans = dict[str, float]


@dataclass(slots=True)
class Watch:
    """When each child, by its folder in the order of their start, first said each thing."""

    work: Path
    heard_s: dict[Path, dict[str, float]] = field(default_factory=dict)

    def look(self) -> None:
        """Note what is new in the children's folders."""
        for folder in self.work.glob("measure-*"):
            heard_s = self.heard_s.setdefault(folder, {"folder": time.monotonic()})
            for event in self._events(folder):
                heard_s.setdefault(event, time.monotonic())

    @staticmethod
    def _events(folder: Path) -> Iterator[str]:
        with suppress(OSError, Nonsense):
            yield Progress.from_json((folder / "progress.json").read_bytes()).phase
        if (folder / "result.json").exists():
            yield "result"


def main() -> int:
    """Execute the runs and print where their time went."""
    data = tempfile.mkdtemp(prefix="bench-start-")
    try:
        os.environ.update(CARBONSITE_DATA=data, DJANGO_SETTINGS_MODULE="carbonsite.settings")
        os.environ.pop("DATABASE_URL", None)
        _report(list(_runs(Path(data), int(os.environ.get("BENCH_ROUNDS") or 10))))
    finally:
        shutil.rmtree(data, ignore_errors=True)
    return 0


def _runs(data: Path, count: int) -> Iterator[Spans]:
    import django

    django.setup()
    # Only now: these need the site's settings, which need the data folder above.
    from django.conf import settings
    from django.core.management import call_command

    from benchmarks import execution
    from benchmarks.models import Run
    from runner.sample_models import lenet5
    from tests.people import a_queued_run, a_ready_version

    call_command("migrate", verbosity=0)
    settings.MEASURING_S = MEASURING_S
    version = a_ready_version(content=lenet5())
    for number in range(count + 1):
        run = a_queued_run(version)
        watch = Watch(data / "work")
        with _watching(watch):
            start_s = time.monotonic()
            execution.execute(run.pk)
            end_s = time.monotonic()
        run = Run.objects.with_results().get(pk=run.pk)
        if run.status != Run.Status.DONE:
            sys.exit(f"The run failed: {run.failure_message}")
        # The first compiles what was never imported before.
        if number:
            yield _spans(watch, run.measurement, start_s, end_s)


@contextmanager
def _watching(watch: Watch) -> Iterator[None]:
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(LOOK_EVERY_S):
            watch.look()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _spans(watch: Watch, measurement, start_s: float, end_s: float) -> Spans:
    """How long each step took: they follow each other from the claim to the stored result."""
    first, *more = sorted(watch.heard_s.values(), key=lambda heard_s: heard_s["folder"])
    # What follows the measurement's child, such as a profiled run, is no cost of the engine's.
    later_s = end_s - more[0]["folder"] if more else 0.0
    measured_s = measurement.load_s + measurement.measuring_wall_s
    warm_up_s = first["measuring"] - first["warming_up"]
    return {
        "claim to the child's start": first["folder"] - start_s,
        "to the child's first word": first["starting"] - first["folder"],
        "libraries, meters, and the machine's description": (first["loading"] - first["starting"]),
        "loading the model": first["warming_up"] - first["loading"],
        "inputs, first call and warm-up": warm_up_s,
        "measuring": first["finishing"] - first["measuring"],
        "figures": first["result"] - first["finishing"],
        "the child's end, storing": end_s - first["result"] - later_s,
        "a second child (no cost of the engine's)": later_s,
        "CLAIM TO FIRST SAMPLE": first["measuring"] - start_s,
        "ADDED to load, warm-up and measuring": (
            end_s - start_s - later_s - measured_s - warm_up_s
        ),
    }


def _report(runs: list[Spans]) -> None:
    machine = describe_machine()
    print(
        f"{machine.cpu}, {machine.core_count} cores, load {os.getloadavg()[0]:.1f}; LeNet-5, "
        f"{len(runs)} runs, {MEASURING_S:g} s of measuring\n\n| step | median, s | slowest, s |"
    )
    print("|---|---|---|")
    for name in runs[0]:
        values_s = [spans[name] for spans in runs]
        print(f"| {name} | {statistics.median(values_s):.3f} | {max(values_s):.3f} |")
    print(f"\nAims: first sample under {FIRST_SAMPLE_AIM_S} s, added under {ADDED_AIM_S} s.")


if __name__ == "__main__":
    sys.exit(main())
