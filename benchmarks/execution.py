"""The fourth step: claim a run, measure it in a child, and hand on what was dropped."""

import fcntl
import logging
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import DataError, IntegrityError
from django.utils import timezone

from benchmarks import outcomes
from benchmarks.folders import work_folder
from benchmarks.models import Run
from runner import launch
from runner.job import InputChoices, Job
from runner.results import Failure, MeasurementResult, Progress

RING_AGAIN_AFTER = timedelta(seconds=20)
RUNG_AT_ONCE = 10
HEARTBEAT_S = 1.0
LOCK_PAUSE_S = 0.2
# Endings that say nothing of the model: worth one more try.
NOT_THE_MODELS_FAULT = {"killed", "no_result", "internal_error"}
RETRIES = 1
LOST = (
    "The measurement was interrupted three times: its worker died or was stopped. "
    "Start the run again; if it happens once more, the site's operator will find the reason "
    "in the worker's log."
)
IMPOSSIBLE = (
    "The measurement came back with figures that cannot be, so it was thrown away. Run it again; "
    "if it happens once more, the model interferes with its own measurement."
)
logger = logging.getLogger(__name__)


class _StopSign:
    """Set when the worker is asked to end: the run under way is handed back to the queue.

    A plain flag, because a signal handler sets it: a threading.Event's lock may be held by
    the very code that the signal interrupts.
    """

    def __init__(self):
        self._is_set = False

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True

    def clear(self) -> None:
        self._is_set = False


worker_is_stopping = _StopSign()


class _Ticker:
    """Renews the lease while the child works, and says when the child should stop."""

    def __init__(self, run_id, claim_token):
        self.run_id = run_id
        self.claim_token = claim_token
        self.is_claim_lost = False
        self._next_s = 0.0

    def __call__(self, progress: Progress | None) -> str | None:
        """Return why to stop, or None to go on."""
        if worker_is_stopping.is_set():
            return "the worker is stopping"
        now_s = time.monotonic()
        if now_s < self._next_s:
            return None
        self._next_s = now_s + HEARTBEAT_S
        self.is_claim_lost = not Run.objects.renew(
            self.run_id,
            self.claim_token,
            phase=progress.phase if progress else "starting",
            sample_count=progress.sample_count if progress else 0,
        )
        return "the run was cancelled" if self.is_claim_lost else None


def execute(rung_by) -> None:
    """Measure the run whose turn it is, and record how it ended.

    ``rung_by``, the run whose bell this answers, need not be the first in line: its bell says
    that one run more waits, and a bell for another one says so for it.
    """
    with _this_machine_to_itself() as is_ours:
        if not is_ours:
            return
        claimed = Run.objects.claim_next(worker_name=_worker_name())
        if claimed is None:
            logger.debug("Nothing waits any more when run %s rings", rung_by)
            return
        run_id, claim_token = claimed
        ticker = _Ticker(run_id, claim_token)
        run = Run.objects.select_related("version").get(pk=run_id)
        outcome = _measure(run, ticker)
    if ticker.is_claim_lost:
        return
    if not isinstance(outcome, Failure):
        _record(run_id, claim_token, outcome)
    elif worker_is_stopping.is_set():
        Run.objects.hand_back(run_id, claim_token)
    elif outcome.code in NOT_THE_MODELS_FAULT and run.attempts <= RETRIES:
        Run.objects.try_again(run_id, claim_token)
    else:
        outcomes.record_failure(run_id, claim_token, code=outcome.code, message=outcome.message)


def reap_stalled() -> list:
    """Queue again what lost its worker, end what did so too often; return the ids queued."""
    requeued = []
    for run_id in list(Run.objects.stalled().values_list("pk", flat=True)):
        if Run.objects.requeue_stalled(run_id):
            requeued.append(run_id)
        else:
            Run.objects.stalled().filter(pk=run_id).update(
                status=Run.Status.FAILED,
                phase="",
                failure_code="lost",
                failure_message=LOST,
                finished_at=timezone.now(),
                claim_token=None,
                lease_expires_at=None,
            )
    return requeued


def unanswered() -> list:
    """Return the ids of queued runs to ring for again, noting that it is done.

    Only the first few: the rest will be at the front soon, and a flood helps nobody.
    """
    waiting = Run.objects.waiting().filter(rung_at__lt=timezone.now() - RING_AGAIN_AFTER)
    run_ids = list(waiting.values_list("pk", flat=True)[:RUNG_AT_ONCE])
    Run.objects.filter(pk__in=run_ids).update(rung_at=timezone.now())
    return run_ids


def _record(run_id, claim_token, result: MeasurementResult) -> None:
    try:
        outcomes.record_result(run_id, claim_token, result)
    except (ValueError, OverflowError, DataError, IntegrityError):
        # Well-formed and still impossible: the model has had its child write it.
        logger.exception("The result of run %s cannot be stored", run_id)
        outcomes.record_failure(run_id, claim_token, code="nonsense_result", message=IMPOSSIBLE)


def job_of(run: Run) -> Job:
    """Return what a child is told to do for ``run``."""
    return Job(
        kind="measure",
        onnx_path=default_storage.path(run.version.file.name),
        batch_size=run.batch_size,
        intra_op_threads=run.intra_op_threads,
        effort=run.effort,
        inputs=InputChoices.from_plain(run.input_choices),
        measuring_s=settings.MEASURING_S,
    )


def _measure(run: Run, ticker: _Ticker) -> MeasurementResult | Failure:
    with tempfile.TemporaryDirectory(prefix="measure-", dir=work_folder()) as folder:
        return launch.run(job_of(run), Path(folder), on_tick=ticker)


@contextmanager
def _this_machine_to_itself() -> Iterator[bool]:
    """Wait until nothing else is measured on this machine; False when told to stop first."""
    with open(settings.DATA_DIR / "measuring.lock", "w") as lock_file:
        while not worker_is_stopping.is_set():
            try:
                fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(LOCK_PAUSE_S)
            else:
                yield True
                return
        yield False


def _worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"[:120]
