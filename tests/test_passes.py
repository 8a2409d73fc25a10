"""./test: what runs side by side and what in turn, what is shown of it, and how it ends."""

import re
import signal
import subprocess
import sys

import pytest

from tests import passes
from tests.carbonsite.test_supervisor import is_alive, wait_for
from tests.passes import ROOT, Machine, Pass, planned, run

pytestmark = pytest.mark.one_back_end
WITHIN_S = 20
HERE = {"DATABASE_URL": "postgres://here/x", "REDIS_URL": "redis://here/1"}
WAIT_FOR = (
    "import sys, time; from pathlib import Path; file = Path({file!r}); end = time.time() + 20\n"
    "while not file.exists() and time.time() < end: time.sleep(0.02)\n"
    "sys.exit(not file.exists())"
)
# A pass with a child, each of which would go on for a minute.
STUBBORN = (
    "import os, subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "print('pids', os.getpid(), child.pid, flush=True)\n"
    "time.sleep(60)"
)


def python(code, *, title="a pass", **more):
    return Pass(title, (sys.executable, "-c", code), **more)


def test_lanes_run_side_by_side(tmp_path):
    file = str(tmp_path / "file")

    failed = run(
        [[python(WAIT_FOR.format(file=file))], [python(f"open({file!r}, 'w')")]], logs=tmp_path
    )

    assert failed == []


def test_the_passes_of_a_lane_run_in_turn(tmp_path):
    file = str(tmp_path / "file")
    first = python(f"import time; time.sleep(0.5); open({file!r}, 'w')")
    second = python(f"import os, sys; sys.exit(not os.path.exists({file!r}))")

    assert run([[first, second]], logs=tmp_path) == []


def test_each_pass_is_shown_whole_and_in_its_turn(tmp_path, capfd):
    slow = "import time\nfor _ in range(3): print('slow', flush=True); time.sleep(0.3)"
    lanes = [[python(slow, title="First")], [python("print('quick')", title="Second")]]

    run(lanes, logs=tmp_path)

    assert capfd.readouterr().out == "== First\nslow\nslow\nslow\n== Second\nquick\n"


def test_every_pass_that_fails_is_told_and_the_others_run_all_the_same(tmp_path, capfd):
    fails = "print('reason'); raise SystemExit(3)"
    lanes = [
        [python(fails, title="One"), python("", title="Two")],
        [python(fails, title="Three", is_quiet=True)],
    ]

    assert run(lanes, logs=tmp_path) == ["One", "Three"]
    assert capfd.readouterr().out == "== One\nreason\n== Two\n== Three\nreason\n"


def test_of_a_quiet_pass_that_is_well_nothing_is_shown(tmp_path, capfd):
    run([[python("print('all of it')", title="One", is_quiet=True)]], logs=tmp_path)

    assert capfd.readouterr().out == "== One\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_that_runs(number, tmp_path):
    code = (
        "import sys; from pathlib import Path; from tests import passes\n"
        f"passes.GRACE_S = 2\n"
        f"passes.LOGS = Path({str(tmp_path)!r})\n"
        f"one, two = (passes.Pass(name, (sys.executable, '-c', {STUBBORN!r})) for name in 'ab')\n"
        "passes.planned = lambda machine: [[one], [two]]\n"
        "sys.exit(passes.main())"
    )
    whole = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)

    def pids():
        said = "".join(path.read_text() for path in tmp_path.glob("*.txt"))
        return [int(pid) for pid in re.findall(r"pids (\d+) (\d+)", said) for pid in pid]

    wait_for(lambda: len(pids()) == 4, "all four")
    whole.send_signal(number)

    assert whole.wait(WITHIN_S) == passes.INTERRUPTED
    wait_for(lambda: not any(map(is_alive, pids())), "their end")
    whole.stdout.close()


def titles(machine):
    return [[one.title for one in lane] for lane in planned(machine)]


def test_what_a_machine_lacks_is_left_out_and_told():
    everything = Machine(make="make", node="node", browser="chromium", servers=HERE)

    assert passes.skipped_on(everything) == []
    assert len(passes.skipped_on(Machine())) == 4
    assert sum(map(len, titles(everything))) == 7
    assert sum(map(len, titles(Machine()))) == 2


def test_one_core_has_one_lane():
    machine = Machine(make="make", node="node", browser="chromium", servers=HERE, core_count=1)

    assert [len(lane) for lane in titles(machine)] == [7]


def test_where_all_is_required_a_skipped_pass_is_a_failure(monkeypatch, capfd, tmp_path):
    monkeypatch.setattr(passes, "this_machine", Machine)
    monkeypatch.setattr(passes, "planned", lambda machine: [[python("")]])
    monkeypatch.setattr(passes, "LOGS", tmp_path)
    monkeypatch.setattr(passes.signal, "signal", lambda *_: None)
    statuses = {}

    for required in ("", "all"):
        monkeypatch.setenv("CARBONSITE_TEST_REQUIRE", required)
        statuses[required] = passes.main()

    assert statuses == {"": 0, "all": 1}
    assert "!! SKIPPED: the journeys in a browser, for want of Chromium" in capfd.readouterr().err


def files_marked(name):
    return {
        path.relative_to(ROOT).parts[1]
        for path in (ROOT / "tests").rglob("test_*.py")
        if re.search(rf"^(pytestmark = |@).*pytest\.mark\.{name}\b", path.read_text(), re.MULTILINE)
    }


def test_what_one_pass_leaves_out_another_one_runs():
    """The long pass has all but these, and the others look for them in these folders only."""
    assert files_marked("browser") == {"journeys"}
    assert files_marked("servers") & {"footprint", "runner", "journeys"} == set()
