"""The cage from inside: what code that took over the child can still do, which is to compute."""

import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runner import launch
from runner.job import Job
from runner.layers import ALL_LAYERS, Sandbox
from runner.measure import _provider_for
from runner.results import MeasurementResult
from runner.sandbox import Cage
from runner.self_test import check
from tests.runner.builders import relu, save

ROOT = Path(__file__).parents[2]
LINUX = sys.platform.startswith("linux") and platform.machine() in {"x86_64", "aarch64"}
pytestmark = pytest.mark.skipif(not LINUX, reason="the cage is Linux's")

# Before the cage is closed a program may do what it likes; after, what it was closed to try.
PROGRAM = """
import ctypes, fcntl, mmap, os, resource, signal, socket, sys, threading, time
from pathlib import Path
from runner import kernel, landlock, sandbox
from runner.limits import Bounds
from runner.sandbox import Cage
cage = Cage.begin(None)
cage.limit(Bounds(2**30, 5, {written}), thread_count=1)
parent = os.getppid()
{before}
cage.close(thread_count=1, may_write={file})
{after}
"""
X86_NUMBERS = {
    "ptrace": 101, "process_vm_readv": 310, "memfd_create": 319, "unshare": 272, "mount": 165,
    "bpf": 321, "io_uring_setup": 425, "perf_event_open": 298, "keyctl": 250, "setns": 308,
    "pidfd_open": 434, "userfaultfd": 323, "chroot": 161, "shmget": 29, "personality": 135,
    "vfork": 58, "socketpair": 53, "setuid": 105, "setrlimit": 160, "sched_setscheduler": 144,
    "open_by_handle_at": 304, "pkey_mprotect": 329, "execveat": 322, "prctl of old": 158,
    "by the x32 numbers": 0x40000000 + 39, "seccomp": 317, "landlock": 444, "pipe2": 293,
    "inotify_init1": 294, "timer_create": 222, "setpriority": 141, "kill": 62, "tkill": 200,
    "tgkill": 234,
}  # fmt: skip
KILLED = {
    "socket": "socket.socket()",
    "a local socket": "socket.socket(socket.AF_UNIX)",
    "exec": "os.execv('/bin/true', ['true'])",
    "spawn": "os.posix_spawn('/bin/true', ['true'], {})",
    "fork": "os.fork()",
    "a signal to the parent": "os.kill(parent, 0)",
}
REFUSED = {
    "open": "open('/etc/passwd')",
    "open through its own descriptors": "open('/proc/self/fd/0')",
    "make a file": "open('new', 'w')",
    "list": "os.listdir('/')",
    "look": "os.stat('/etc/passwd')",
    "unlink": "os.unlink('there')",
    "make a folder": "os.mkdir('folder')",
    "rename": "os.rename('there', 'elsewhere')",
    "code in memory": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)",
    "more memory": "resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))",
    "be looked into again": "kernel.prctl(4, 1)",
    "type into a terminal": "fcntl.ioctl(0, 0x5412, b'x')",
    "move the parent to one core": "os.sched_setaffinity(parent, {0})",
    "lengthen a file that was open": "os.write(log, b'x')",
    "listen to its events": "fcntl.fcntl(0, fcntl.F_SETOWN, parent)",
}


def caged(after, folder, *, before="", may_write=False, written=0):
    """Run a program that closes the cage around itself; return how it ended."""
    (folder / "there").touch()
    file = f"Path({str(folder / 'there')!r})" if may_write else None
    code = PROGRAM.format(before=before, after=after, file=file, written=written)
    return subprocess.run(
        [sys.executable, "-u", "-c", code], cwd=folder, capture_output=True, text=True, check=False,
        env=launch.child_environment(folder), timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("name", KILLED)
def test_what_no_measurement_does_kills(name, tmp_path):
    assert caged(KILLED[name], tmp_path).returncode == -signal.SIGSYS


@pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of x86-64")
def test_no_other_call_into_the_kernel_gets_through(tmp_path):
    alive = [
        name
        for name, number in X86_NUMBERS.items()
        if caged(f"kernel.syscall({number}, 0, 0, 0)", tmp_path).returncode != -signal.SIGSYS
    ]

    assert alive == []


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_library_may_try_is_refused(name, tmp_path):
    before = "log = os.open('there', os.O_WRONLY)"

    ended = caged(REFUSED[name], tmp_path, before=before)

    assert ended.returncode == 1
    last_line = ended.stderr.splitlines()[-1]
    assert last_line.startswith(("PermissionError", "OSError", "ValueError: not allowed to raise"))
    assert sorted(os.listdir(tmp_path)) == ["there"]
    assert (tmp_path / "there").read_bytes() == b""


def test_computing_goes_on(tmp_path):
    after = """
ran = []
threads = [threading.Thread(target=lambda: ran.append(1)) for _ in range(4)]
[one.start() for one in threads] and [one.join() for one in threads]
time.sleep(0.01)
os.urandom(8), bytes(50_000_000), os.getpid(), os.sched_getaffinity(0), os.uname()
os.sched_setaffinity(0, os.sched_getaffinity(0)), resource.getrusage(resource.RUSAGE_SELF)
print(len(ran))
"""

    ended = caged(after, tmp_path)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "4\n", "")


def test_a_number_from_the_future_is_answered_as_by_an_old_kernel(tmp_path):
    ended = caged("kernel.syscall(9999)", tmp_path)

    assert "Function not implemented" in ended.stderr


def test_an_abort_is_a_crash_and_no_forbidden_call(tmp_path):
    assert caged("os.abort()", tmp_path).returncode == -signal.SIGABRT


def test_memory_ends_where_the_limit_is(tmp_path):
    assert "MemoryError" in caged("bytes(2**30)", tmp_path).stderr


def test_a_bomb_of_threads_comes_to_an_end(tmp_path):
    after = """
def wait():
    time.sleep(30)
try:
    for count in range(100_000):
        threading.Thread(target=wait, daemon=True).start()
except RuntimeError:
    print("no more", flush=True)
os._exit(0)
"""

    ended = caged(after, tmp_path)

    assert (ended.returncode, ended.stdout) == (0, "no more\n")


def test_one_file_can_be_left_to_write(tmp_path):
    after = """
Path("there").write_bytes(b"x" * 100)
print(Path("there").read_bytes() == b"x" * 100)
try:
    Path("there").write_bytes(b"x" * 2_000)
except OSError as error:
    print(error.strerror, flush=True)
socket.socket()
"""

    ended = caged(after, tmp_path, may_write=True, written=1_000)

    assert ended.stdout.splitlines() == ["True", "File too large"]
    assert ended.returncode == -signal.SIGSYS
    assert (tmp_path / "there").stat().st_size <= 1_000


def test_beside_the_one_file_the_disk_cannot_be_filled(tmp_path):
    """Neither with more files, nor with one that has no name (any more) and so is not found."""
    inside = tmp_path / "inside"
    inside.mkdir()
    after = f"""
attempts = [
    lambda: open("beside", "w"),
    lambda: open({str(tmp_path / "outside")!r}, "w"),
    lambda: open("/etc/passwd", "a"),
    lambda: os.open(".", os.O_TMPFILE | os.O_WRONLY),
    lambda: os.unlink("there"),
    lambda: os.rename("there", "hidden"),
    lambda: os.mkdir("folder"),
    lambda: os.ftruncate(os.open("there", os.O_WRONLY), 10**12),
]
for attempt in attempts:
    try:
        attempt()
        print("done")
    except OSError:
        print("refused")
"""

    ended = caged(after, inside, may_write=True, written=1_000)

    assert ended.stdout.splitlines() == ["refused"] * 8
    assert [path.name for path in tmp_path.rglob("*")] == ["inside", "there"]


def test_onnxruntime_can_write_its_profile_to_the_one_file(tmp_path):
    before = """
import json, onnxruntime
from runner.rehearsal import rehearse
from runner.tiny_model import TINY_MODEL
import numpy
rehearse()
"""
    after = """
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.enable_profiling = True
options.profile_file_prefix = str(Path.cwd() / "there") + chr(0)
session = onnxruntime.InferenceSession(TINY_MODEL, options, providers=["CPUExecutionProvider"])
session.run(None, {"x": numpy.ones(1, numpy.float32)})
session.end_profiling()
events = json.load(open("there"))
print(any(event["cat"] == "Node" for event in events), flush=True)
os._exit(0)
"""

    ended = caged(after, tmp_path, before=before, may_write=True, written=2**20)

    assert (ended.returncode, ended.stdout) == (0, "True\n"), ended.stderr


def test_without_landlock_no_file_is_left_to_write(tmp_path):
    before = """
def gone(may_write=None):
    raise kernel.Unavailable("the kernel has no Landlock")
landlock.restrict = gone
"""
    after = "print(*cage.report().missing)\nopen('there', 'w')"

    ended = caged(after, tmp_path, before=before, may_write=True, written=1_000)

    assert "the kernel has no Landlock" in ended.stdout
    assert "PermissionError" in ended.stderr


def test_active_and_missing_layers_are_told(tmp_path):
    ended = caged("report = cage.report(); print(*report.layers); print(*report.missing)", tmp_path)

    active, missing = ended.stdout.splitlines()
    assert {"limits", "seccomp", "no_new_privileges", "not_dumpable"} <= set(active.split())
    assert "no parent said that it waits" in missing


def test_a_run_on_the_gpu_leaves_the_door_open_and_says_so():
    cage = Cage()

    cage.close(thread_count=1, uses_gpu=True)

    assert [one.layer for one in cage.report().missing] == ["landlock", "seccomp"]
    assert all("runs on the GPU" in one.reason for one in cage.report().missing)


def test_where_the_cage_is_required_no_model_gets_to_the_gpu(monkeypatch):
    offered = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: offered)

    free = _provider_for(Job("measure", "model.onnx", wants_gpu=True))
    kept = _provider_for(Job("measure", "model.onnx", wants_gpu=True, requires_sandbox=True))

    assert free.is_gpu
    assert (kept.name, "no GPU fits into" in kept.note) == ("CPUExecutionProvider", True)


def test_the_filter_alone_is_not_enough():
    least = ("limits", "seccomp")

    assert not Sandbox(least).is_enough
    assert not Sandbox((*least, "user_namespace")).is_enough
    assert not Sandbox(("seccomp", "landlock")).is_enough
    assert Sandbox((*least, "landlock")).is_enough
    assert Sandbox((*least, "user_namespace", "network_namespace")).is_enough
    assert Sandbox(ALL_LAYERS).is_complete


def test_the_self_test_finds_the_cage_shut():
    found = check()

    assert found.escapes == ()
    assert found.failure == ""
    assert found.sandbox.layers[0] == "parent_death_signal"
    assert "seccomp" in found.sandbox.layers
    assert found.is_enough


def test_the_self_test_notices_a_cage_that_is_open(monkeypatch):
    monkeypatch.setattr("runner.self_test.python_command", _open_cage)

    found = check()

    assert set(found.escapes) == {"open", "write", "connect", "exec", "fork"}
    assert not found.is_enough
    assert "From inside, “exec” succeeded." in found.complaints()


def _open_cage():
    code = (
        "import sys; from runner import attempts, sandbox\n"
        "sandbox.Cage.close = lambda *_, **more: None\n"
        "sandbox.Cage.limit = lambda *_, **more: None\n"
        "sandbox.Cage.begin = classmethod(lambda cls, parent: cls())\n"
        "sys.exit(attempts.make(sys.argv[-1]))"
    )
    return [sys.executable, "-c", code]


HALF_CAGED = """
import sys
from runner import __main__, kernel, landlock, namespaces

def gone(*_):
    raise kernel.Unavailable("the kernel has none")

landlock.restrict = namespaces.leave_users = namespaces.leave_network = gone
sys.exit(__main__.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("is_required", [True, False])
def test_a_child_without_a_safe_cage_measures_only_where_that_is_allowed(
    is_required, tmp_path, monkeypatch
):
    monkeypatch.setattr(launch, "python_command", lambda: [sys.executable, "-c", HALF_CAGED])
    path = str(save(relu(), tmp_path))
    job = Job("measure", path, measuring_s=0.1, requires_sandbox=is_required)

    outcome = launch.run(job, tmp_path)

    if is_required:
        assert outcome.code == "no_sandbox"
        assert "landlock: the kernel has none" in outcome.message
    else:
        assert isinstance(outcome, MeasurementResult)
        assert not outcome.sandbox.is_enough
        assert {one.layer for one in outcome.sandbox.missing} == {
            "user_namespace",
            "network_namespace",
            "landlock",
        }
