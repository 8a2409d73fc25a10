"""Landlock with no rule: no file is opened, no port is used, nobody outside gets a signal.

Source: landlock(7) and Linux, Documentation/userspace-api/landlock.rst (ABI 1 to 7).
"""

import ctypes
import os
from pathlib import Path

from runner import kernel

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_RULE_PATH_BENEATH = 1
# The rights over files that the first ABI knew are bits 0 to 12; each later one added some.
_FILE_RIGHT_COUNT_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_BOTH_TCP_RIGHTS = 0b11
_BOTH_SCOPES = 0b11
_NET_SINCE_ABI, _SCOPES_SINCE_ABI = 4, 6
# write_file, read_file, truncate.
_WRITING = 1 << 1 | 1 << 2 | 1 << 14


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def restrict(may_write: Path | None = None) -> None:
    """Take every right over files from this thread and those it will start, for good.

    But for the file ``may_write``, which has to be there, and may be read and written: one file,
    because in a folder there could be any number of them. What is open already stays usable.
    Raises kernel.Unavailable or OSError where it cannot be.
    """
    try:
        abi = kernel.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    except OSError as error:
        raise kernel.Unavailable("the kernel has no Landlock, or it is switched off") from error
    file_rights = (1 << _FILE_RIGHT_COUNT_BY_ABI.get(abi, 16)) - 1
    rules = _Ruleset(
        file_rights,
        _BOTH_TCP_RIGHTS if abi >= _NET_SINCE_ABI else 0,
        _BOTH_SCOPES if abi >= _SCOPES_SINCE_ABI else 0,
    )
    # The fields that are 0 may be left in: the kernel accepts a longer, empty tail.
    descriptor = kernel.syscall(_CREATE_RULESET, ctypes.byref(rules), ctypes.sizeof(rules), 0)
    try:
        if may_write is not None:
            _allow_writing(descriptor, may_write, _WRITING & file_rights)
        kernel.syscall(_RESTRICT_SELF, descriptor, 0)
    finally:
        os.close(descriptor)


def _allow_writing(ruleset: int, file: Path, rights: int) -> None:
    opened = os.open(file, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        rule = _PathBeneath(rights, opened)
        kernel.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(opened)
