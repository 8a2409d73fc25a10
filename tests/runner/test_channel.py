"""What a child can say to its parent, and how little it can do with it."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from runner import launch
from runner.channel import MAX_ANSWER_BYTES, MAX_COMPLAINT_BYTES, Complaints, Listener, Speaker
from runner.job import Job, Limits
from runner.launch import run
from tests.runner.builders import relu, save


def ends():
    listener = Listener()
    return listener, Speaker(os.dup(listener.descriptor))


def test_what_is_said_is_heard():
    listener, speaker = ends()

    speaker.tell("warming up")
    speaker.answer("an answer of a µg")

    assert listener.progress() == b"warming up"
    assert listener.answer().decode() == "an answer of a µg"


def test_before_the_first_word_there_is_nothing():
    listener, _ = ends()

    assert listener.progress() is None
    assert listener.answer() is None


def test_an_answer_longer_than_any_honest_one_is_not_given():
    listener, speaker = ends()

    with pytest.raises(ValueError):
        speaker.answer("x" * (MAX_ANSWER_BYTES + 1))

    assert listener.answer() is None


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="seals are Linux's")
def test_nobody_can_change_its_size():
    listener, _ = ends()

    for size_bytes in (0, 2**40):
        with pytest.raises(PermissionError):
            os.ftruncate(listener.descriptor, size_bytes)


def test_a_flood_of_complaints_is_cut_and_nobody_waits_for_it():
    complaints = Complaints()
    flood = subprocess.Popen(["yes", "std::bad_alloc"], stdout=complaints.write_end)
    complaints.close_write_end()

    start_s = time.monotonic()
    while len(complaints.text()) < MAX_COMPLAINT_BYTES:
        complaints.listen()
        assert time.monotonic() - start_s < 10
    flood.kill()
    flood.wait()
    complaints.close()

    assert len(complaints.text()) == MAX_COMPLAINT_BYTES
    assert "std::bad_alloc" in complaints.text()


# Children that a model has taken over before they were caged: worse than any real one.
ROGUES = {
    "floods stderr": ("os.write(2, b'x' * 65_536)\n", "out_of_time"),
    "fills the channel": ("os.pwrite(channel, os.urandom(9_000), 0)\n", "out_of_time"),
    "stops itself": ("os.kill(os.getpid(), signal.SIGSTOP)\n", "out_of_time"),
    "hears no signal": ("signal.signal(15, signal.SIG_IGN)\n", "out_of_time"),
}


@pytest.mark.parametrize("name", ROGUES)
def test_a_rogue_child_is_ended_on_time(name, tmp_path, monkeypatch):
    action, code = ROGUES[name]
    monkeypatch.setattr(launch, "python_command", lambda: rogue(f"while True:\n    {action}"))
    job = Job("measure", str(save(relu(), tmp_path)), limits=Limits(wall_s=1.0, cpu_s=10.0))
    start_s = time.monotonic()

    failure = run(job, tmp_path)

    assert failure.code == code
    assert time.monotonic() - start_s < 2


def test_what_a_rogue_child_starts_ends_with_it(tmp_path, monkeypatch):
    action = "if not os.fork():\n    time.sleep(60)\nos._exit(3)"
    monkeypatch.setattr(launch, "python_command", lambda: rogue(action))
    job = Job("measure", str(save(relu(), tmp_path)), limits=Limits(wall_s=5.0, cpu_s=10.0))
    child = launch.Child.start(job, tmp_path)

    failure = child.outcome()

    assert failure.code == "no_result"
    deadline_s = time.monotonic() + 5
    while living_of_group(child.pid):
        assert time.monotonic() < deadline_s


def living_of_group(group):
    """Return the states of its processes, but for the dead that nobody has buried yet."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, its_group = path.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                found.append(state)
    return found


def rogue(action):
    # Its last three arguments are the job, the channel and the model.
    start = "import os, signal, sys, time\nchannel = int(sys.argv[-2])\n"
    return [sys.executable, "-c", start + action]
