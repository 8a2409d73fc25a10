"""Which cores a measurement runs on: as many as it has threads, and the same ones every time."""

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

_ROOT = Path("/")


def pin(thread_count: int, root: Path = _ROOT) -> tuple[int, ...]:
    """Keep this process, and the threads it will start, on ``thread_count`` cores.

    Returns the cores, in rising order; none where the system does not let it choose.
    """
    try:
        allowed = os.sched_getaffinity(0)
        cores = choose(allowed, thread_count, _siblings(allowed, root))
        os.sched_setaffinity(0, cores)
    # Other systems have no such call, and some containers forbid it.
    except (AttributeError, OSError):
        return ()
    return cores


def stay_on_first(cores: tuple[int, ...]) -> None:
    """Keep this thread on the first of ``cores``; the threads that it has started stay put."""
    # As in `pin`: where it is not possible, the measurement goes on without.
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setaffinity(0, cores[:1])


def choose(
    allowed: Iterable[int], thread_count: int, siblings: Mapping[int, frozenset[int]]
) -> tuple[int, ...]:
    """Return ``thread_count`` of the ``allowed`` cores, or all of them where there are fewer.

    ``siblings`` maps a core to those that share its hardware, itself included. A second
    sibling comes last, before it core 0, where most systems do their own work.

    >>> choose({0, 1, 2, 3}, 2, {})
    (2, 3)
    """
    free = frozenset(allowed)

    def preference(core: int) -> tuple[int, bool, int]:
        higher_siblings = sum(other > core for other in siblings.get(core, frozenset()) & free)
        return higher_siblings, core == 0, -core

    return tuple(sorted(sorted(free, key=preference)[:thread_count]))


def _siblings(cores: Iterable[int], root: Path) -> dict[int, frozenset[int]]:
    folder = root / "sys/devices/system/cpu"
    found = {}
    for core in cores:
        try:
            text = (folder / f"cpu{core}/topology/thread_siblings_list").read_text("ascii")
            found[core] = cores_of(text)
        except (OSError, ValueError):
            continue
    return found


def cores_of(text: str) -> frozenset[int]:
    """Return the cores that the kernel's list names; raises ValueError when it is none.

    >>> sorted(cores_of("0,4-6"))
    [0, 4, 5, 6]
    """
    cores: set[int] = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        cores.update(range(int(first), int(last or first) + 1))
    return frozenset(cores)
