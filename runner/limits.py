"""What a child takes from itself before it touches a stranger's file.

Order matters: first that it dies with its parent and gains no rights, then the limits.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

from runner.job import Job

MIB = 2**20
BASE_MEMORY_BYTES = 1024 * MIB
MEMORY_PER_THREAD_BYTES = 64 * MIB
# onnxruntime holds the file, its parsed form and its packed weights at once.
MEMORY_PER_FILE_BYTE = 4
MAX_WRITTEN_BYTES = 8 * MIB
# onnxruntime writes about 1 kB for each call of each node.
MAX_PROFILE_BYTES = 32 * MIB
MAX_OPEN_FILES = 128
# The soft limit's signal comes first, so that running out of CPU time is told from a kill.
CPU_GRACE_S = 5

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38


def memory_limit_bytes(job: Job, *, file_bytes: int) -> int:
    """Return how much address space ``job`` may use."""
    if job.effective_limits.memory_bytes is not None:
        return job.effective_limits.memory_bytes
    threads_bytes = MEMORY_PER_THREAD_BYTES * job.intra_op_threads
    return BASE_MEMORY_BYTES + MEMORY_PER_FILE_BYTE * file_bytes + threads_bytes


def written_limit_bytes(job: Job) -> int:
    """Return how large a file ``job`` may write."""
    return MAX_PROFILE_BYTES if job.kind == "profile" else MAX_WRITTEN_BYTES


def die_with(parent_pid: int) -> None:
    """Have the kernel kill this process when its parent ends; leave now if it is gone already."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(1)


def gain_no_rights() -> None:
    """Make sure that nothing started from here can gain rights, as by a set-uid program."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def be_first_to_go() -> None:
    """Have the kernel choose this process, and no other, when the machine runs out of memory."""
    # A machine without procfs, or one that forbids it, measures all the same.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def limit_resources(
    *,
    memory_bytes: int,
    cpu_s: float,
    maps_gpu: bool = False,
    written_bytes: int = MAX_WRITTEN_BYTES,
) -> None:
    """Bound memory, CPU time, written bytes and open files, and leave no core file."""
    whole_cpu_s = max(1, round(cpu_s))
    _lower(resource.RLIMIT_CORE, 0, 0)
    _lower(resource.RLIMIT_NOFILE, MAX_OPEN_FILES, MAX_OPEN_FILES)
    _lower(resource.RLIMIT_FSIZE, written_bytes, written_bytes)
    _lower(resource.RLIMIT_CPU, whole_cpu_s, whole_cpu_s + CPU_GRACE_S)
    # CUDA reserves addresses for all of the GPU's and the machine's memory, and cannot start
    # where these are bounded: then what can be written to is.
    bounded = resource.RLIMIT_DATA if maps_gpu else resource.RLIMIT_AS
    _lower(bounded, memory_bytes, memory_bytes)


def _lower(limit: int, soft: int, hard: int) -> None:
    """Set a limit, or keep the present hard one where that is lower already."""
    _, present = resource.getrlimit(limit)
    if present != resource.RLIM_INFINITY:
        soft, hard = min(soft, present), min(hard, present)
    resource.setrlimit(limit, (soft, hard))


def _prctl(option: int, argument: int) -> None:
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None, use_errno=True)
    # Variadic in C: every argument has to be passed as wide as the kernel reads it.
    nothing = ctypes.c_ulong(0)
    if library.prctl(option, ctypes.c_ulong(argument), nothing, nothing, nothing) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) was refused")
