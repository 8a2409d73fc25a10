"""Programs run as one: a dead one comes back, and none outlives the one that started it."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from carbonsite.process_tree import descendants

pytestmark = pytest.mark.one_back_end

DEADLINE_S = 60
NOTE_PID = "import os, time; open({file!r}, 'a').write(f'{{os.getpid()}}\\n'); {then}"
STAY = "time.sleep(60)"
STUBBORN = (
    "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "subprocess.Popen([sys.executable, '-c', {grandchild!r}], start_new_session=True); "
    "time.sleep(60)"
)


def wait_for(condition, what):
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s:
        if answer := condition():
            return answer
        time.sleep(0.05)
    return pytest.fail(f"{what}: not within {DEADLINE_S} s")


def pids_in(file, count=1):
    """The pids noted in ``file`` once there are ``count`` of them."""

    def noted():
        lines = file.read_text().split() if file.exists() else []
        return [int(line) for line in lines] if len(lines) >= count else None

    return wait_for(noted, f"{count} start(s) noted in {file.name}")


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that nobody has collected yet is dead all the same.
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.fixture
def site(tmp_path):
    """Start a small site of ``name=code`` programs; what is left of it is killed."""
    started = []

    def start(*programs, grace_s=5, folder="log"):
        command = [sys.executable, "-m", "tests.carbonsite.small_site"]
        process = subprocess.Popen(
            [*command, str(tmp_path / folder), str(grace_s), *programs],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        for pid in [*descendants(process.pid), process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.communicate()


def test_a_dead_program_is_started_again(site, tmp_path):
    file = tmp_path / "pids"
    site("web=" + NOTE_PID.format(file=str(file), then=STAY))
    (first,) = pids_in(file)

    os.kill(first, signal.SIGKILL)

    second = pids_in(file, count=2)[1]
    assert second != first
    assert is_alive(second)


def test_what_was_to_run_once_is_not_started_again(site, tmp_path):
    file, other = tmp_path / "pids", tmp_path / "other"
    site(
        "once=" + NOTE_PID.format(file=str(file), then="pass"),
        "web=" + NOTE_PID.format(file=str(other), then="time.sleep(0.2)"),
    )

    pids_in(other, count=3)

    assert len(pids_in(file)) == 1


@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_every_program_in_order(site, tmp_path, stop_signal):
    file = tmp_path / "pids"
    small_site = site("web=" + NOTE_PID.format(file=str(file), then=STAY))
    (pid,) = pids_in(file)

    small_site.send_signal(stop_signal)

    assert small_site.wait(DEADLINE_S) == 0
    assert not is_alive(pid)


def test_a_program_deaf_to_signals_ends_by_force_with_all_that_it_started(site, tmp_path):
    file = tmp_path / "pids"
    grandchild = NOTE_PID.format(file=str(file), then=STAY)
    small_site = site(
        "web=" + NOTE_PID.format(file=str(file), then=STUBBORN.format(grandchild=grandchild)),
        grace_s=0.5,
    )
    pids = pids_in(file, count=2)

    small_site.terminate()

    assert small_site.wait(DEADLINE_S) == 0
    assert [pid for pid in pids if is_alive(pid)] == []


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_nothing_survives_when_the_supervisor_itself_is_killed(site, tmp_path):
    file = tmp_path / "pids"
    small_site = site("web=" + NOTE_PID.format(file=str(file), then=STAY))
    (pid,) = pids_in(file)

    small_site.kill()

    wait_for(lambda: not is_alive(pid), "the program's end")


def test_a_site_that_cannot_start_says_where_to_read_why(site, tmp_path):
    small_site = site("web=raise SystemExit('no database')", folder="never-ready")

    said, _ = small_site.communicate(timeout=DEADLINE_S)

    assert small_site.returncode == 1
    assert "web      | no database" in said
    assert f"web keeps ending. Why is in {tmp_path / 'never-ready' / 'web.log'}" in said
    assert "no database" in (tmp_path / "never-ready" / "web.log").read_text()
