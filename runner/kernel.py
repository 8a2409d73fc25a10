"""Calls to Linux that Python has no name for, and what is said where they do not work."""

import ctypes
import functools
import os
import sys
from typing import Any


class Unavailable(Exception):
    """Something that this system does not offer; the text completes "not active: ..."."""


def prctl(option: int, argument: int = 0) -> None:
    """Set one of this process's own switches.

    Raises Unavailable on other systems, OSError when the kernel refuses.
    """
    # Variadic in C: every argument has to be passed as wide as the kernel reads it.
    nothing = ctypes.c_ulong(0)
    if _library().prctl(option, ctypes.c_ulong(argument), nothing, nothing, nothing) != 0:
        raise _refusal(f"prctl({option})")


def unshare(flags: int) -> None:
    """Leave the namespaces that ``flags`` name for new ones; raises as `prctl` does."""
    if _library().unshare(flags) != 0:
        raise _refusal("unshare")


def syscall(number: int, *arguments: object) -> int:
    """Return what the system call ``number`` returns; raises as `prctl` does."""
    wide = (ctypes.c_long(one) if isinstance(one, int) else one for one in arguments)
    returned = int(_library().syscall(ctypes.c_long(number), *wide))
    if returned < 0:
        raise _refusal(f"system call {number}")
    return returned


def reason(error: Exception) -> str:
    """Return what ``error`` says as the end of a sentence, without its number."""
    if isinstance(error, OSError) and error.strerror:
        return f"the system refused it ({error.strerror})"
    return str(error)


def _refusal(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")


@functools.cache
def _library() -> Any:
    if not sys.platform.startswith("linux"):
        raise Unavailable("it needs Linux")
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library
