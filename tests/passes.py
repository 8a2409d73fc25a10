"""All that ``./test`` runs, as much of it side by side as two cores carry.

``python -m tests.passes``. Lanes run beside each other, the passes of one lane in turn. What a
pass says is shown whole, one pass after the other, and the one that is shown as it goes on.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from tests.answering import answers
from tests.second_looks import ALONE, PytestNotes, worth_another_look

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".cache" / "passes"
# The long pass keeps its notes where `pytest --lf` looks; those beside it would write over them.
NOTES = PytestNotes(ROOT / ".pytest_cache")
NOTES_BESIDE = ROOT / ".cache" / "pytest"
TICK_S = 0.2
# For passes that are interrupted to end the sites and servers that they have started.
GRACE_S = 20
INTERRUPTED = 130
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PYTEST = (sys.executable, "-m", "pytest", "-q")
FETCH = (sys.executable, "-m", "tests.runner.package_models")


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is for the tests on this machine; what is empty is not there."""

    make: str = ""
    node: str = ""
    browser: str = ""
    servers: Mapping[str, str] = field(default_factory=dict)
    core_count: int = 2


@dataclass(eq=False, slots=True)
class Pass:
    """A command, and how far it is; of one that ``is_quiet`` only a failure is shown.

    ``notes`` says which tests failed, where it is pytest that runs them.
    """

    title: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    is_quiet: bool = False
    notes: PytestNotes | None = None
    log: Path | None = None
    process: subprocess.Popen | None = None

    def start(self, log: Path) -> None:
        """Begin, and have all that is said written to ``log``."""
        self.log = log
        colours = {"PY_COLORS": "1"} if sys.stdout.isatty() else {}
        with log.open("wb") as said:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env={**os.environ, **colours, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                # Ctrl-C reaches this program alone, which then ends the others in order.
                start_new_session=True,
            )

    @property
    def is_over(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    @property
    def has_failed(self) -> bool:
        return self.is_over and self.process.returncode != 0

    def unsure(self) -> list[str]:
        """Return the tests that failed, where they are few enough to be looked at again."""
        if not self.has_failed or self.notes is None:
            return []
        failed = self.notes.failed()
        return failed if worth_another_look(self.process.returncode, failed) else []

    def alone(self) -> "Pass":
        """Return the pass that runs again only what failed."""
        title = f"Once more, alone: {self.title}"
        return Pass(title, (*self.command, *ALONE), self.environment)


def planned(machine: Machine) -> list[list[Pass]]:
    """Return the lanes of what this machine can run.

    Two of them use a core each. The third mostly waits for what it has killed to come back, and
    is over when the long pass comes to the runner's tests, which mind neighbours most.
    """
    in_sight = []
    if machine.make:
        command = (machine.make, "--no-print-directory", "check")
        in_sight.append(Pass("Reading the code (make check)", command))
    if machine.node:
        scripts = [str(path) for path in sorted(ROOT.glob("tests/**/*.test.mjs"))]
        in_sight.append(
            Pass("The pages' scripts", (machine.node, "--test", *scripts), is_quiet=True)
        )
    title = "The suite, on SQLite and the folder broker"
    in_sight.append(_tested(title, NOTES, "-m", "not browser and not servers"))
    beside, waiting = [], [Pass("Models of others, fetched", FETCH, is_quiet=True)]
    if machine.servers:
        # The runner and footprint know no database; the faults have servers of their own.
        left_out = [f"--ignore=tests/{name}" for name in ("footprint", "runner", "faults")]
        options = ("-m", "not browser and not one_back_end", "--create-db", *left_out, "tests")
        title = "The site's tests, on PostgreSQL and Redis"
        notes = PytestNotes(NOTES_BESIDE / "servers")
        beside.append(_tested(title, notes, *options, environment=machine.servers))
        notes = PytestNotes(NOTES_BESIDE / "faults")
        waiting.append(_tested("Parts that die, freeze and lie", notes, "tests/faults"))
    if machine.browser:
        options, notes = ("-m", "browser", "tests/journeys"), PytestNotes(NOTES_BESIDE / "journeys")
        beside.append(_tested("Journeys in a browser", notes, *options))
    lanes = [in_sight, beside, waiting]
    return lanes if machine.core_count > 1 else [list(chain(*lanes))]


def _tested(
    title: str, notes: PytestNotes, *options: str, environment: Mapping[str, str] | None = None
) -> Pass:
    command = (*PYTEST, *notes.options, *options)
    return Pass(title, command, environment or {}, notes=notes)


def run(lanes: Sequence[Sequence[Pass]], *, logs: Path) -> list[str]:
    """Run it all, show it, and return the titles of what failed.

    A few tests that failed are run once more when all is over; the ones that pass then are told.
    Nothing of it runs any more when this ends, however it does.
    """
    logs.mkdir(parents=True, exist_ok=True)
    passes = list(chain(*lanes))
    try:
        for one in passes:
            _show(one, lanes, logs)
    finally:
        _end(passes)
    return [one.title for one in passes if one.has_failed and not _passes_alone(one, logs)]


def _passes_alone(one: Pass, logs: Path) -> bool:
    unsure = one.unsure()
    if not unsure:
        return False
    again = one.alone()
    run([[again]], logs=logs / "alone")
    if again.has_failed:
        return False
    _tell("!! UNSTEADY, passed only when run alone: ", unsure)
    return True


def _show(one: Pass, lanes: Sequence[Sequence[Pass]], logs: Path) -> None:
    """Write what a pass says until it has ended; the others go on meanwhile."""
    print(f"== {one.title}", flush=True)
    shown_bytes, is_over = 0, False
    while not is_over:
        _advance(lanes, logs)
        # Asked first: what it said before its end is in the file then.
        is_over = one.is_over
        if one.log is not None and (one.has_failed or not one.is_quiet):
            shown_bytes += _copy(one.log, shown_bytes)
        if not is_over:
            time.sleep(TICK_S)


def _advance(lanes: Sequence[Sequence[Pass]], logs: Path) -> None:
    """Start in each lane what comes next, once all before it has ended."""
    for number, lane in enumerate(lanes):
        for place, one in enumerate(lane):
            if one.process is None:
                one.start(logs / f"{number}-{place}.txt")
            if not one.is_over:
                break


def _copy(log: Path, start: int) -> int:
    with log.open("rb") as said:
        said.seek(start)
        text = said.read()
    sys.stdout.buffer.write(text)
    sys.stdout.flush()
    return len(text)


def _end(passes: Iterable[Pass]) -> None:
    """End what still runs as Ctrl-C does, so that pytest takes down what it has set up."""
    running = [one.process for one in passes if one.process is not None and not one.is_over]
    deadline_s = time.monotonic() + GRACE_S
    try:
        for process in running:
            process.send_signal(signal.SIGINT)
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline_s - time.monotonic()))
    # Where a second Ctrl-C came, too.
    finally:
        for process in running:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def this_machine() -> Machine:
    """Look for what the passes need."""
    urls = {
        "DATABASE_URL": os.environ.get("TEST_DATABASE_URL")
        or f"postgres://postgres@127.0.0.1:5432/carbonsite_{os.getpid()}",
        "REDIS_URL": os.environ.get("TEST_REDIS_URL") or "redis://127.0.0.1:6379/13",
    }
    return Machine(
        make=shutil.which("make") or "",
        node=shutil.which("node") or shutil.which(".venv/bin/node") or "",
        browser=next(filter(None, map(shutil.which, BROWSERS)), ""),
        servers=urls if all(map(answers, urls.values())) else {},
        core_count=os.cpu_count() or 1,
    )


def skipped_on(machine: Machine) -> list[str]:
    """Return what cannot be run here, each with what is wanting."""
    wanted = (
        (machine.make, "reading the code (make check), for want of make"),
        (machine.node, "the tests of the scripts, for want of Node.js"),
        (
            machine.servers,
            "the tests on PostgreSQL and Redis, for want of servers that answer "
            "(TEST_DATABASE_URL, TEST_REDIS_URL)",
        ),
        (
            machine.browser,
            "the journeys in a browser, for want of Chromium (on Debian: apt-get install chromium)",
        ),
    )
    return [what for found, what in wanted if not found]


def main() -> int:
    """Run everything, tell what failed or was skipped, and return the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    machine = this_machine()
    skipped = skipped_on(machine)
    _tell("!! SKIPPED: ", skipped)
    try:
        failed = run(planned(machine), logs=LOGS)
    except KeyboardInterrupt:
        _tell("", ["Interrupted; everything that ran is ended."])
        return INTERRUPTED
    if os.environ.get("CARBONSITE_TEST_REQUIRE") == "all":
        failed += [f"{what} (required here)" for what in skipped]
    else:
        # Once more, below all the dots.
        _tell("!! SKIPPED: ", skipped)
    if failed:
        _tell("", ["FAILED:", *(f"  {title}" for title in failed)])
        return 1
    print("All is well.")
    return 0


def _tell(mark: str, lines: Iterable[str]) -> None:
    for line in lines:
        print(f"{mark}{line}", file=sys.stderr, flush=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
