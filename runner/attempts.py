"""What must fail from inside of the cage, tried in earnest: the bars of the self-test."""

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

from runner.channel import PARENT_PID_VARIABLE
from runner.limits import MIB, Bounds
from runner.sandbox import Cage

ESCAPED, REFUSED = 0, 10
_MEMORY_BYTES = 512 * MIB
_CPU_S = 5.0


def make(name: str) -> int:
    """Put on the cage, try the one thing, and return the exit status; many tries end in a kill."""
    parent_pid = os.environ.get(PARENT_PID_VARIABLE)
    cage = Cage.begin(int(parent_pid) if parent_pid else None)
    cage.limit(Bounds(_MEMORY_BYTES, _CPU_S), thread_count=1)
    cage.close(thread_count=1)
    try:
        ATTEMPTS[name]()
    except OSError as error:
        # Somebody answered that nobody listens there: the way out is open.
        return ESCAPED if error.errno == errno.ECONNREFUSED else REFUSED
    return ESCAPED


def _open() -> None:
    Path(__file__).read_bytes()


def _write() -> None:
    with Path("attempt.txt").open("wb") as file:
        file.write(b"x")


def _connect() -> None:
    with socket.socket() as one:
        one.settimeout(1)
        one.connect(("127.0.0.1", 9))


def _exec() -> None:
    # Replaces this process: where it works, the status is that of `true`, which is ESCAPED.
    os.execv("/bin/true", ["true"])  # noqa: S606


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


ATTEMPTS: dict[str, Callable[[], None]] = {
    "open": _open,
    "write": _write,
    "connect": _connect,
    "exec": _exec,
    "fork": _fork,
}
