"""How well this machine keeps a stranger's model in, who is told, and when nothing is measured."""

import functools
import logging
import os
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from runner.job import Job
from runner.layers import Sandbox
from runner.limits import MemoryRule
from runner.self_test import CageCheck, check

LABELS = {
    "parent_death_signal": "ends with the worker",
    "no_new_privileges": "no new rights",
    "first_to_go": "first to go when memory runs out",
    "not_dumpable": "hidden from other processes",
    "user_namespace": "a user of its own",
    "network_namespace": "network out of reach",
    "limits": "limited memory and CPU time",
    "landlock": "files out of reach (Landlock)",
    "seccomp": "few system calls (seccomp)",
}
# Operators that onnxruntime holds in far more memory than they take in a file.
FORESTS = frozenset(
    f"ai.onnx.ml.{name}"
    for name in ("TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor")
)
CACHE_KEY = "cages"
SAY_AGAIN_AFTER_S = 3600
FORGET_AFTER_S = 2 * SAY_AGAIN_AFTER_S
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CageReport:
    """The cage that one run was measured in, in words; ``missing`` pairs a label and a reason."""

    active: list[str]
    missing: list[tuple[str, str]]
    is_enough: bool


def report_of(stored: Mapping[str, Any]) -> CageReport | None:
    """Return what a run's stored ``sandbox`` says, None where nothing was noted."""
    if not stored:
        return None
    # Not decoded: a run of an older version may know layers that this one does not.
    active, missing = stored["layers"], stored["missing"]
    return CageReport(
        [LABELS.get(layer, layer) for layer in active],
        [(LABELS.get(one["layer"], one["layer"]), one["reason"]) for one in missing],
        Sandbox(tuple(active)).is_enough,
    )


def as_the_site_wants(job: Job, operators: Iterable[str] = ()) -> Job:
    """Return ``job`` with the site's rule for memory and its demands on the cage.

    ``operators`` are those of its model, as an inspection names them; none while it is inspected.
    """
    bytes_per_file_byte = settings.CHILD_MEMORY_PER_FILE_BYTE
    if not FORESTS.isdisjoint(operators):
        bytes_per_file_byte = max(bytes_per_file_byte, settings.CHILD_MEMORY_PER_FOREST_BYTE)
    rule = MemoryRule(
        settings.CHILD_BASE_MEMORY_BYTES,
        bytes_per_file_byte,
        settings.CHILD_MEMORY_PER_THREAD_BYTES,
    )
    return job.caged_by(
        memory_bytes=rule.limit_bytes(job, file_bytes=sum(map(_size_bytes, job.files))),
        requires_sandbox=settings.REQUIRE_SANDBOX and job.kind != "inspect",
    )


def is_refusing() -> bool:
    """Whether this machine must not measure; says why in the log, once an hour."""
    if not settings.REQUIRE_SANDBOX or standing().is_enough:
        return False
    _announce_hourly(int(time.monotonic() // SAY_AGAIN_AFTER_S))
    return True


def announce() -> None:
    """Try this machine's cage, say in the log what is missing, and tell the web server."""
    found = standing()
    complaints = " ".join(found.complaints())
    if settings.REQUIRE_SANDBOX and not found.is_enough:
        logger.error(
            "This worker takes no runs: it cannot keep strangers' models in. %s "
            "See “The cage” in docs/operations.md.",
            complaints,
        )
    elif not found.is_complete:
        logger.warning("The cage around models is incomplete on this machine. %s", complaints)
    cages = cache.get(CACHE_KEY) or {}
    cages[socket.gethostname()] = found.is_enough
    cache.set(CACHE_KEY, cages, FORGET_AFTER_S)


def holds_everywhere() -> bool:
    """Whether no worker has said lately that it must not measure."""
    if not settings.REQUIRE_SANDBOX:
        return True
    try:
        return all((cache.get(CACHE_KEY) or {}).values())
    # Whether the cache answers is another question.
    except (RedisError, OSError):
        return True


@functools.cache
def standing() -> CageCheck:
    """Return how this machine's cage stands, tried once in the life of this process."""
    return check()


@functools.lru_cache(maxsize=1)
def _announce_hourly(hour: int) -> None:
    announce()


def _size_bytes(path: str) -> int:
    try:
        return os.path.getsize(path)
    # The child says that the file is missing.
    except OSError:
        return 0
