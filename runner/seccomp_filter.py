"""The filter of system calls: what it lets through, what it refuses, what it kills for.

Written as the classic BPF that the kernel takes, so that no library is needed.
Source: seccomp(2); Linux, Documentation/userspace-api/seccomp_filter.rst; linux/filter.h.
"""

import ctypes
import platform
import struct
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runner import kernel
from runner.syscalls import LAST_KNOWN_NUMBER, NUMBERS

ALLOW = 0x7FFF0000
KILL = 0x80000000
_REFUSE = 0x00050000
_X32_NUMBERS = 0x40000000
# Of the machines whose numbers are known; the second bit and the top one say 64 bits, low first.
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SET_MODE_FILTER = 1
# Every thread of the process; and no slower branches, which would be measured with the model.
_THREADS_TOO, _KEEP_SPECULATION = 1, 4

_LOAD_WORD, _JUMP_IF_EQUAL, _JUMP_IF_ABOVE, _AND, _RETURN = 0x20, 0x15, 0x25, 0x54, 0x06
_NUMBER_AT, _ARCH_AT, _ARGUMENTS_AT = 0, 4, 16


def refuse(errno_number: int) -> int:
    """Return the action that fails a call with ``errno_number``."""
    return _REFUSE | errno_number


@dataclass(frozen=True, slots=True)
class Only:
    """Of one argument: its low 32 bits, or with ``is_high`` the others, and-ed with ``mask``."""

    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF
    is_high: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """What to do with some calls: ``action`` where all of ``only`` hold, else ``otherwise``."""

    names: tuple[str, ...]
    action: int
    only: tuple[Only, ...] = ()
    otherwise: int = KILL


def install(rules: Iterable[Rule]) -> None:
    """Filter all calls of this process by ``rules``, for good; what they do not name kills.

    Needs no_new_privileges. Raises kernel.Unavailable or OSError where it cannot be.
    """
    machine = platform.machine()
    if machine not in _AUDIT_ARCH or sys.byteorder != "little":
        raise kernel.Unavailable(f"carbonsite does not know the system calls of {machine}")
    code = program(rules, machine)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = ctypes.create_string_buffer(
        struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    )
    flags = _THREADS_TOO | _KEEP_SPECULATION
    other = kernel.syscall(_SECCOMP[machine], _SET_MODE_FILTER, flags, ctypes.byref(header))
    if other:
        raise kernel.Unavailable("another thread of the process has a filter of its own")


def program(rules: Iterable[Rule], machine: str) -> bytes:
    """Return the filter as the kernel reads it: instructions of 8 bytes each."""
    code = [
        _instruction(_LOAD_WORD, _ARCH_AT),
        _instruction(_JUMP_IF_EQUAL, _AUDIT_ARCH[machine], if_true=1),
        _instruction(_RETURN, KILL),
        _instruction(_LOAD_WORD, _NUMBER_AT),
    ]
    for rule in rules:
        body = _body(rule)
        for number in _numbers(rule.names, machine):
            code.append(_instruction(_JUMP_IF_EQUAL, number, if_false=len(body)))
            code.extend(body)
    code.extend(_for_the_rest())
    return b"".join(code)


def _for_the_rest() -> list[bytes]:
    # Numbers newer than this file are answered as an older kernel would, so that a newer C
    # library does without; those of the x32 variant, the same calls by other numbers, kill.
    missing = refuse(38)
    return [
        _instruction(_JUMP_IF_ABOVE, _X32_NUMBERS - 1, if_true=1),
        _instruction(_JUMP_IF_ABOVE, LAST_KNOWN_NUMBER, if_true=1),
        _instruction(_RETURN, KILL),
        _instruction(_RETURN, missing),
    ]


def _body(rule: Rule) -> list[bytes]:
    code: list[bytes] = []
    for condition in rule.only:
        code.extend(_check(condition, rule.otherwise))
    return [*code, _instruction(_RETURN, rule.action)]


def _check(condition: Only, otherwise: int) -> Sequence[bytes]:
    offset = _ARGUMENTS_AT + 8 * condition.argument + (4 if condition.is_high else 0)
    left = len(condition.values)
    jumps = [
        _instruction(_JUMP_IF_EQUAL, value, if_true=left - index)
        for index, value in enumerate(condition.values)
    ]
    return [
        _instruction(_LOAD_WORD, offset),
        _instruction(_AND, condition.mask),
        *jumps,
        _instruction(_RETURN, otherwise),
    ]


def _numbers(names: Iterable[str], machine: str) -> list[int]:
    found = (NUMBERS[name][machine] for name in names)
    return [number for number in found if number is not None]


def _instruction(code: int, value: int, *, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value & 0xFFFFFFFF)
