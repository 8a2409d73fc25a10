"""Where a run's time goes beside measuring, by the site's own way of doing it; `make bench-start`.

usage: python -m benches.start
BENCH_ROUNDS   runs of LeNet-5 (10), after one that nobody counts

Each run is executed as a worker does it, on SQLite in a data folder of its own. Only what the
child says of its progress is listened to more often, every millisecond.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from unittest import mock

from runner import launch
from runner.machine import describe_machine

MEASURING_S = 1.0
LISTEN_EVERY_S = 0.001
FIRST_SAMPLE_AIM_S, ADDED_AIM_S = 0.6, 0.5

Spans = dict[str, float]


@dataclass(slots=True)
class Watch:
    """When each child of a run was started, first said each thing, and had ended."""

    children: list[dict[str, float]] = field(default_factory=list)

    def run(self, job, work_dir, *, on_tick=None):
        """Do as `runner.launch.run` does, and note the times."""
        heard_s = {"start": time.monotonic()}
        self.children.append(heard_s)

        def listen(progress):
            if progress is not None:
                heard_s.setdefault(progress.phase, time.monotonic())
            return on_tick(progress) if on_tick else None

        try:
            return launch.run(job, work_dir, on_tick=listen, tick_s=LISTEN_EVERY_S)
        finally:
            heard_s["end"] = time.monotonic()


def main() -> int:
    """Execute the runs and print where their time went."""
    data = tempfile.mkdtemp(prefix="bench-start-")
    try:
        os.environ.update(CARBONSITE_DATA=data, DJANGO_SETTINGS_MODULE="carbonsite.settings")
        os.environ.pop("DATABASE_URL", None)
        _report(list(_runs(int(os.environ.get("BENCH_ROUNDS") or 10))))
    finally:
        shutil.rmtree(data, ignore_errors=True)
    return 0


def _runs(count: int) -> Iterator[Spans]:
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
        watch = Watch()
        with mock.patch.object(execution, "launch", watch):
            start_s = time.monotonic()
            execution.execute(run.pk)
            end_s = time.monotonic()
        run = Run.objects.with_results().get(pk=run.pk)
        if run.status != Run.Status.DONE:
            sys.exit(f"The run failed: {run.failure_message}")
        # The first compiles what was never imported before.
        if number:
            yield _spans(watch, run.measurement, start_s, end_s)


def _spans(watch: Watch, measurement, start_s: float, end_s: float) -> Spans:
    """How long each step took: they follow each other from the claim to the stored result."""
    first, *more = watch.children
    # What follows the measurement's child, such as a profiled run, is no cost of the engine's.
    later_s = sum(heard_s["end"] - heard_s["start"] for heard_s in more)
    measured_s = measurement.load_s + measurement.measuring_wall_s
    warm_up_s = first["measuring"] - first["warming_up"]
    # A step that is over within a millisecond may go unheard.
    starting_s = first.get("starting", first["loading"])
    finishing_s = first.get("finishing", first["end"])
    return {
        "claim to the child's start": first["start"] - start_s,
        "to the child's first word": starting_s - first["start"],
        "libraries, meters, the machine's description": first["loading"] - starting_s,
        "loading the model": first["warming_up"] - first["loading"],
        "inputs, first call and warm-up": warm_up_s,
        "measuring": finishing_s - first["measuring"],
        "figures, the child's end": first["end"] - finishing_s,
        "other children (no cost of the engine's)": later_s,
        "storing": end_s - first["end"] - later_s,
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
