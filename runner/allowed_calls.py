"""Which system calls a measurement needs, and how each other one is answered.

Files are refused, so that libraries that look for one go on without. Whatever no measurement
ever does (start a program or a process, open a socket, watch another process) kills.
"""

import errno
import mmap

from runner.seccomp_filter import ALLOW, Only, Rule, refuse

_CLONE_THREAD = 0x00010000
# New namespaces of any kind.
_CLONE_NEVER = 0x7E020000
_PR_SET_NAME, _PR_SET_VMA = 15, 0x53564D41
_F_DUPFD, _F_GETFD, _F_SETFD, _F_GETFL, _F_DUPFD_CLOEXEC = 0, 1, 2, 3, 1030
_AT_EMPTY_PATH = 0x1000

_MEMORY = ("munmap", "brk", "mremap", "madvise", "membarrier")
_DESCRIPTORS = ("read", "write", "close", "fstat", "lseek", "pread64", "readv", "writev")
_SIGNALS = ("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall")
_THREADS = ("futex", "set_robust_list", "set_tid_address", "rseq", "gettid", "exit", "exit_group")
_SCHEDULER = ("sched_yield", "sched_getaffinity", "sched_getparam", "sched_getscheduler")
_CLOCKS = ("clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time")
_FACTS = ("times", "getrlimit", "getrusage", "sysinfo", "uname", "getcpu", "getrandom", "getcwd")
_IDENTITY = ("getpid", "getppid", "getuid", "getgid", "geteuid", "getegid")
# What libraries try and can do without.
_LOOKING = ("open", "openat", "openat2", "stat", "lstat", "statx", "access", "faccessat")
_LOOKING_TOO = ("faccessat2", "readlink", "readlinkat", "getdents64", "statfs", "fstatfs")
_CHANGING = ("mkdir", "mkdirat", "unlink", "unlinkat", "rename", "renameat", "renameat2")
_HINTS = ("get_mempolicy", "mbind", "set_mempolicy", "pwrite64", "ftruncate", "fsync", "fdatasync")
# Answered so, a C library falls back on `clone`, whose flags a filter can see.
_TOO_NEW = ("clone3", "map_shadow_stack")
_OPENING = ("open", "openat")


# prlimit64 of this process, without new limits: a pointer, so both its halves are 0.
_ONLY_READING = (Only(0, (0,)), Only(2, (0,)), Only(2, (0,), is_high=True))


def rules_of_measuring(pid: int, *, thread_count: int) -> tuple[Rule, ...]:
    """Return the rules for the process ``pid``, whose session has ``thread_count`` threads."""
    own = Only(0, (pid,))
    no_code = Only(2, (0,), mask=mmap.PROT_EXEC)
    return (
        Rule((*_DESCRIPTORS, *_MEMORY, *_SIGNALS, *_THREADS), ALLOW),
        Rule((*_SCHEDULER, *_CLOCKS, *_FACTS, *_IDENTITY), ALLOW),
        Rule(("mmap", "mprotect"), ALLOW, (no_code,), refuse(errno.EACCES)),
        Rule(("clone",), ALLOW, (Only(0, (_CLONE_THREAD,), _CLONE_THREAD | _CLONE_NEVER),)),
        Rule(("tgkill",), ALLOW, (own,)),
        _affinity(thread_count),
        Rule(("prlimit64",), ALLOW, _ONLY_READING, refuse(errno.EPERM)),
        Rule(("prctl",), ALLOW, (Only(0, (_PR_SET_NAME, _PR_SET_VMA)),), refuse(errno.EPERM)),
        Rule(("fcntl",), ALLOW, (_harmless_fcntl(),), refuse(errno.EPERM)),
        Rule(("newfstatat",), ALLOW, (_of_descriptor(),), refuse(errno.EACCES)),
        Rule(("ioctl",), refuse(errno.ENOTTY)),
        Rule((*_LOOKING, *_LOOKING_TOO, *_CHANGING), refuse(errno.EACCES)),
        Rule(_HINTS, refuse(errno.EPERM)),
        Rule(_TOO_NEW, refuse(errno.ENOSYS)),
    )


def rules_of_writing(pid: int, *, thread_count: int) -> tuple[Rule, ...]:
    """Return the rules for one that also opens a file to write, the one that Landlock lets it."""
    strict = rules_of_measuring(pid, thread_count=thread_count)
    looser = tuple(_without(rule, _OPENING) for rule in strict)
    return (Rule(_OPENING, ALLOW), *looser)


def _affinity(thread_count: int) -> Rule:
    # A lone thread has chosen its core before; of several, each is told its own by its number,
    # which no filter can know. The kernel asks for the same user, so only those of the child's
    # own account could be moved about.
    if thread_count > 1:
        return Rule(("sched_setaffinity",), ALLOW)
    return Rule(("sched_setaffinity",), ALLOW, (Only(0, (0,)),), refuse(errno.EPERM))


def _harmless_fcntl() -> Only:
    return Only(1, (_F_DUPFD, _F_GETFD, _F_SETFD, _F_GETFL, _F_DUPFD_CLOEXEC))


def _of_descriptor() -> Only:
    # No filter sees the path: one that is not empty is looked up in spite of the flag. Then it is
    # told of any file that it is there, how long and how old it is, and nothing that is in it.
    return Only(3, (_AT_EMPTY_PATH,), mask=_AT_EMPTY_PATH)


def _without(rule: Rule, names: tuple[str, ...]) -> Rule:
    kept = tuple(name for name in rule.names if name not in names)
    return Rule(kept, rule.action, rule.only, rule.otherwise)
