"""What a child takes from itself before it touches a stranger's file: rights and resources."""

import os
import platform
import re
import resource
import signal
from dataclasses import dataclass
from pathlib import Path

from runner import kernel
from runner.job import Job

MIB = 2**20
# The one file that a child may write, and how long it may become: all of the disk that a model
# can fill. onnxruntime writes about 1 kB for each call of each node.
PROFILE_NAME = "profile.json"
MAX_PROFILE_BYTES = 32 * MIB
# Beside those that it was given.
MAX_OPEN_FILES = 128
# The soft limit's signal comes first, so that running out of CPU time is told from a kill.
CPU_GRACE_S = 5

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


@dataclass(frozen=True, slots=True)
class MemoryRule:
    """How much address space a child gets: a base, and more for a larger file and for threads."""

    base_bytes: int = 1024 * MIB
    # onnxruntime holds the file, its parsed form and its packed weights at once.
    bytes_per_file_byte: float = 4.0
    bytes_per_thread: int = 64 * MIB

    def limit_bytes(self, job: Job, *, file_bytes: int) -> int:
        """Return how much ``job``, on a file of that size, may use."""
        asked = job.effective_limits.memory_bytes
        if asked is not None:
            return asked
        for_file = round(self.bytes_per_file_byte * file_bytes)
        return self.base_bytes + for_file + self.bytes_per_thread * job.intra_op_threads


def written_limit_bytes(job: Job) -> int:
    """Return how large a file ``job`` may write."""
    return MAX_PROFILE_BYTES if job.kind == "profile" else 0


def die_with(parent_pid: int) -> None:
    """Have the kernel kill this process when its parent ends; leave now if it is gone already."""
    kernel.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(1)


def gain_no_rights() -> None:
    """Make sure that nothing started from here can gain rights, as by a set-uid program."""
    kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1)


def be_first_to_go() -> None:
    """Have the kernel choose this process, and no other, when the machine runs out of memory."""
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def hide_memory() -> None:
    """Let no other process of the same user look into this one, or trace it."""
    kernel.prctl(_PR_SET_DUMPABLE, 0)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a child may use: memory, CPU time, how long each file may become, how many are open.

    With ``maps_gpu`` what it can write to is bounded, and not all its addresses.
    """

    memory_bytes: int
    cpu_s: float
    written_bytes: int = 0
    open_files: int = MAX_OPEN_FILES
    maps_gpu: bool = False


def limit_resources(bounds: Bounds) -> None:
    """Put ``bounds`` on this process, and one on open files, and have it leave no core file."""
    whole_cpu_s = max(1, round(bounds.cpu_s))
    _lower(resource.RLIMIT_CORE, 0, 0)
    _lower(resource.RLIMIT_NOFILE, bounds.open_files, bounds.open_files)
    _lower(resource.RLIMIT_FSIZE, bounds.written_bytes, bounds.written_bytes)
    _lower(resource.RLIMIT_CPU, whole_cpu_s, whole_cpu_s + CPU_GRACE_S)
    # CUDA reserves addresses for all of the GPU's and the machine's memory, and cannot start
    # where these are bounded: then what can be written to is.
    bounded = resource.RLIMIT_DATA if bounds.maps_gpu else resource.RLIMIT_AS
    _lower(bounded, bounds.memory_bytes, bounds.memory_bytes)


def limit_threads(count: int) -> None:
    """Let the user of this process's own namespace have at most ``count`` threads."""
    # Before Linux 5.14 it would count those of the same user everywhere.
    if counts_threads_by_namespace(platform.release()):
        _lower(resource.RLIMIT_NPROC, count, count)


def counts_threads_by_namespace(release: str) -> bool:
    """Whether a Linux of this ``release`` does.

    >>> counts_threads_by_namespace("5.14.0-503.el9"), counts_threads_by_namespace("5.10.0")
    (True, False)
    """
    numbers = re.findall(r"\d+", release)[:2]
    return [int(one) for one in numbers] >= [5, 14]


def _lower(limit: int, soft: int, hard: int) -> None:
    """Set a limit, or keep the present hard one where that is lower already."""
    _, present = resource.getrlimit(limit)
    if present != resource.RLIM_INFINITY:
        soft, hard = min(soft, present), min(hard, present)
    resource.setrlimit(limit, (soft, hard))
