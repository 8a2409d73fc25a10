"""How the site's processes are tied together, so that none outlives the one that started it."""

import contextlib
import ctypes
import os
import signal
import sys
from collections import defaultdict
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
# Loaded here: nothing may be imported between fork and exec.
LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent() -> None:
    """Ask the kernel to kill this process as soon as the thread that started it ends."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies, so that it can be found."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)


def descendants(pid: int) -> list[int]:
    """Return the processes below ``pid``, parents first; empty where there is no /proc."""
    children_by_parent = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in brackets, may hold anything; state and parent follow it.
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if state != "Z":
            children_by_parent[int(parent)].append(int(stat.parent.name))
    found, waiting = [], [pid]
    while waiting:
        children = children_by_parent[waiting.pop(0)]
        found += children
        waiting += children
    return found


def kill_descendants(pid: int) -> list[int]:
    """Kill every process below ``pid`` at once and return the ones that were there."""
    doomed = descendants(pid)
    for one in doomed:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(one, signal.SIGKILL)
    return doomed


def reap_orphans() -> None:
    """Collect the adopted processes that have ended; call it when no own child is left."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
