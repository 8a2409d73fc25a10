"""The filter as the kernel reads it, run here for both kinds of machine."""

import errno
import mmap
import struct

import pytest

from runner.allowed_calls import rules_of_measuring, rules_of_writing
from runner.seccomp_filter import ALLOW, KILL, program, refuse
from runner.syscalls import LAST_KNOWN_NUMBER, NUMBERS

ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
PID = 4711
THREAD = 0x3D0F00  # what glibc's pthread_create asks of clone
PROCESS = 0x1200011  # what its fork does


def answer(machine, number, *arguments, rules=rules_of_measuring, thread_count=1, arch=None):
    """Return the filter's action, by an interpreter of the six instructions it is made of."""
    code = program(rules(PID, thread_count=thread_count), machine)
    steps = [struct.unpack_from("=HBBI", code, at) for at in range(0, len(code), 8)]
    padded = [*arguments, *[0] * (6 - len(arguments))]
    seen = struct.pack("=IIQ6Q", number & 0xFFFFFFFF, arch or ARCH[machine], 0, *padded)
    at, word = 0, 0
    while True:
        operation, if_true, if_false, value = steps[at]
        at += 1
        if operation == 0x20:
            [word] = struct.unpack_from("=I", seen, value)
        elif operation == 0x54:
            word &= value
        elif operation == 0x06:
            return value
        else:
            holds = {0x15: word == value, 0x25: word > value}[operation]
            at += if_true if holds else if_false


@pytest.mark.parametrize("machine", ARCH)
def test_each_call_has_its_answer(machine):
    def of(name, *arguments, **more):
        return answer(machine, NUMBERS[name][machine], *arguments, **more)

    code = mmap.PROT_READ | mmap.PROT_EXEC
    assert of("read") == of("futex") == of("clock_gettime") == of("exit_group") == ALLOW
    assert of("mmap", 0, 4096, mmap.PROT_READ | mmap.PROT_WRITE) == ALLOW
    assert of("mmap", 0, 4096, code) == of("mprotect", 0, 4096, code) == refuse(errno.EACCES)
    assert of("openat") == of("readlinkat") == of("unlinkat") == refuse(errno.EACCES)
    assert of("clone", THREAD) == ALLOW
    assert of("clone", PROCESS) == of("clone", THREAD | 0x10000000) == KILL
    assert of("clone3") == refuse(errno.ENOSYS)
    assert of("tgkill", PID, PID, 6) == ALLOW
    assert of("tgkill", 1, 1, 9) == KILL
    assert of("prlimit64", 0, 9, 0, 1) == ALLOW
    assert of("prlimit64", 0, 9, 1, 0) == of("prlimit64", 0, 9, 1 << 32, 0) == refuse(errno.EPERM)
    assert of("prlimit64", 1, 9, 0, 1) == refuse(errno.EPERM)
    assert of("newfstatat", 3, 0, 0, 0x1000) == ALLOW
    assert of("newfstatat", 3, 0, 0, 0) == refuse(errno.EACCES)


@pytest.mark.parametrize("machine", ARCH)
def test_only_several_threads_choose_cores_by_number(machine):
    number = NUMBERS["sched_setaffinity"][machine]

    assert answer(machine, number, 0) == ALLOW
    assert answer(machine, number, PID + 1) == refuse(errno.EPERM)
    assert answer(machine, number, PID + 1, thread_count=2) == ALLOW


@pytest.mark.parametrize("machine", ARCH)
def test_what_nobody_named_kills_and_what_nobody_knows_is_not_there(machine):
    execve = {"x86_64": 59, "aarch64": 221}[machine]

    assert answer(machine, execve) == KILL
    assert answer(machine, LAST_KNOWN_NUMBER + 1) == refuse(errno.ENOSYS)
    assert answer(machine, -1) == answer(machine, 0x40000000 | 39) == KILL


def test_numbers_of_another_machine_kill():
    assert answer("x86_64", NUMBERS["read"]["x86_64"], arch=0x40000003) == KILL
    assert answer("aarch64", NUMBERS["read"]["aarch64"], arch=ARCH["x86_64"]) == KILL


@pytest.mark.parametrize("machine", ARCH)
def test_one_that_writes_opens_files_and_still_starts_nothing(machine):
    def of(name, *arguments):
        return answer(machine, NUMBERS[name][machine], *arguments, rules=rules_of_writing)

    assert of("openat") == ALLOW
    assert of("renameat") == of("unlinkat") == of("mkdirat") == refuse(errno.EACCES)
    assert of("ftruncate") == refuse(errno.EPERM)
    assert of("clone", PROCESS) == KILL


def test_every_number_is_used_and_none_twice():
    rules = (*rules_of_measuring(PID, thread_count=1), *rules_of_writing(PID, thread_count=1))

    assert {name for rule in rules for name in rule.names} == NUMBERS.keys()
    for machine in ARCH:
        known = [one[machine] for one in NUMBERS.values() if one[machine] is not None]
        assert len(known) == len(set(known))
        assert max(known) <= LAST_KNOWN_NUMBER
