"""A user and a network namespace of the child's own: no rights outside, no way out.

Source: user_namespaces(7), network_namespaces(7), capabilities(7).
"""

import ctypes
import platform

from runner import kernel

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_CAPABILITY_VERSION_3 = 0x20080522
_CAPSET = {"x86_64": 126, "aarch64": 91}


def leave_users() -> None:
    """Enter a user namespace in which this process owns nothing.

    Raises kernel.Unavailable or OSError, and has then changed nothing. Needs a process with
    one thread.
    """
    kernel.unshare(_CLONE_NEWUSER)


def leave_network() -> None:
    """Enter a network namespace without any way out, not even to this machine; raises as above."""
    kernel.unshare(_CLONE_NEWNET)


def drop_capabilities() -> None:
    """Give up the rights that a new user namespace comes with; raises as above.

    Without this the child could set up networks and mounts of its own, which much of the
    kernel was never written to be asked by a stranger.
    """
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    number = _CAPSET.get(platform.machine())
    if number is None:
        raise kernel.Unavailable(f"carbonsite does not know it on {platform.machine()}")
    kernel.syscall(number, ctypes.byref(header), ctypes.byref(nothing))
