"""The fourth step: claim a run, measure it in a child, and hand on what was dropped."""

import fcntl
import logging
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DataError, Error, IntegrityError, connection
from django.db.models.functions import Now
from django.utils import timezone

from benchmarks import cage, outcomes
from benchmarks.data_files import DataFile
from benchmarks.folders import RUN_PREFIX, sweep_runs, work_folder
from benchmarks.input_choices import remember_what_fit
from benchmarks.models import InputSet, Run, Worker
from benchmarks.stored_files import UnusableFile, on_this_machine, paths_of
from hardware.assumptions import SourcedAssumptions
from runner import launch
from runner.composition import Composition
from runner.evaluated import EvaluationResult
from runner.job import InputChoices, Job, Kind
from runner.known_best import KnownBest
from runner.real_inputs import LABELS
from runner.results import Failure, MeasurementResult, Progress, Result

RING_AGAIN_AFTER = timedelta(seconds=20)
RUNG_AT_ONCE = 10
HEARTBEAT_S = 1.0
# What a job's files are called where they lie beside it.
MODEL_NAME, VALUES_NAME = "model.onnx", "values.npz"
# Names of ours: those that came with the model may be those of the job's other files.
DATA_NAME = "data-{number}.bin"
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
VALUES_GONE = (
    "The real inputs for this run have been deleted. Choose others or made-up ones, and run again."
)
# A further pass that breaks says nothing against a model that has just been measured.
ENDS_BY_KIND = {
    "profile": {
        "stopped": "The worker was asked to stop before it could look.",
        "crashed": "onnxruntime crashed while every node was timed.",
        "killed": "The machine ran out of memory while every node was timed.",
    },
    "evaluate": {
        "stopped": "The worker was asked to stop before the accuracy was measured. Run it again.",
        "crashed": "onnxruntime crashed on the evaluation set.",
        "killed": "The machine ran out of memory while the evaluation set was run.",
    },
}
PHASE_BY_KIND = {"profile": "profiling", "evaluate": "evaluating"}
SET_GONE = Failure(
    "set_gone",
    "The evaluation set was deleted while the time was taken. Send it again to have the accuracy "
    "measured.",
)
OTHER_COUNT = Failure(
    "nonsense_result",
    "The evaluation answered for another number of items than the set holds, so its result was "
    "thrown away. The model interferes with its own evaluation.",
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
        self.sample_count = 0
        self._next_s = 0.0
        self._later_phase = ""

    def begin(self, kind: Kind) -> None:
        """Say from now on that the measurement is over, and which further pass is made."""
        self._later_phase = PHASE_BY_KIND[kind]
        self._next_s = 0.0

    def __call__(self, progress: Progress | None) -> str | None:
        """Return why to stop, or None to go on."""
        if worker_is_stopping.is_set():
            return "the worker is stopping"
        now_s = time.monotonic()
        if now_s < self._next_s:
            return None
        self._next_s = now_s + HEARTBEAT_S
        phase = progress.phase if progress else "starting"
        self.sample_count = max(self.sample_count, progress.sample_count if progress else 0)
        self.is_claim_lost = not Run.objects.renew(
            self.run_id,
            self.claim_token,
            phase=self._later_phase or phase,
            sample_count=self.sample_count,
        )
        return "the run was cancelled" if self.is_claim_lost else None


def execute(rung_by) -> bool:
    """Measure the run whose turn it is, and record how it ended.

    ``rung_by``, the run whose bell this answers, need not be the first in line: its bell says
    that one run more waits, and a bell for another one says so for it. Returns whether the run
    taken waits again, so that a bell has to be rung once more.
    """
    if cage.is_refusing():
        return False
    with _this_machine_to_itself() as is_ours:
        if not is_ours:
            return True
        claimed = Run.objects.claim_next(worker_name=_worker_name())
        if claimed is None:
            logger.debug("Nothing waits any more when run %s rings", rung_by)
            return False
        run_id, claim_token = claimed
        ticker = _Ticker(run_id, claim_token)
        run = Run.objects.select_related("version", "input_set").get(pk=run_id)
        logger.info("Measuring run %s", run_id, extra=_facts(run))
        outcome = _measure(run, ticker)
        is_measured = not isinstance(outcome, Failure)
        profile = _pass("profile", run, ticker) if is_measured else None
        evaluation = _evaluation(run, ticker) if is_measured else None
    _log_end(run, outcome)
    if ticker.is_claim_lost:
        return False
    if is_measured:
        _record(run, claim_token, outcome, profile, evaluation)
    elif worker_is_stopping.is_set():
        return Run.objects.hand_back(run_id, claim_token)
    elif outcome.code in NOT_THE_MODELS_FAULT and run.attempts <= RETRIES:
        return Run.objects.try_again(run_id, claim_token)
    else:
        outcomes.record_failure(run_id, claim_token, code=outcome.code, message=outcome.message)
    return False


def _facts(run: Run) -> dict:
    """What every line about a run says to a program that reads the log."""
    return {"run_id": str(run.pk), "version_id": str(run.version_id), "attempt": run.attempts}


def _log_end(run: Run, outcome: MeasurementResult | Failure) -> None:
    ending = outcome.code if isinstance(outcome, Failure) else "measured"
    duration_s = round((timezone.now() - run.started_at).total_seconds(), 3)
    facts = {**_facts(run), "ending": ending, "duration_s": duration_s}
    logger.info("Run %s ended: %s", run.pk, ending, extra=facts)


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

    Only the first few: the rest will be at the front soon, and a flood helps nobody. None while
    every worker measures: bells that were rung wait for their return, and on a site that is never
    idle they would only become more.
    """
    busy_count = Run.objects.filter(status=Run.Status.MEASURING).count()
    if busy_count and busy_count >= Worker.objects.serving("measure"):
        return []
    waiting = Run.objects.unanswered(waiting_longer_than=RING_AGAIN_AFTER)
    run_ids = list(waiting.values_list("pk", flat=True)[:RUNG_AT_ONCE])
    Run.objects.filter(pk__in=run_ids).update(rung_at=Now())
    return run_ids


def _record(
    run: Run,
    claim_token,
    result: MeasurementResult,
    profile: Composition | Failure,
    evaluation: EvaluationResult | Failure | None = None,
) -> None:
    try:
        if outcomes.record_result(run.pk, claim_token, result, profile, evaluation):
            remember_what_fit(run, result.inputs)
    except (ValueError, OverflowError, DataError, IntegrityError):
        # Well-formed and still impossible: the model has had its child write it.
        logger.exception("The result of run %s cannot be stored", run.pk)
        outcomes.record_failure(run.pk, claim_token, code="nonsense_result", message=IMPOSSIBLE)


def _measure(run: Run, ticker: _Ticker) -> MeasurementResult | Failure:
    if run.values_name and run.input_set is None:
        return Failure("bad_input", VALUES_GONE)
    known_best = KnownBest.of_this_machine(settings.DATA_DIR / "known_best.json")
    prefix = f"{RUN_PREFIX}{run.pk}-"
    try:
        with (
            _files_of(run, ticker) as files,
            tempfile.TemporaryDirectory(prefix=prefix, dir=work_folder()) as folder,
        ):
            known = {
                "best_sentinel_s": known_best.sentinel_s(),
                "speed_spread": known_best.speed_spread(),
            }
            job = replace(job_of(run), **files, **known)
            job = cage.as_the_site_wants(job, run.version.operators)
            outcome = launch.run(job, Path(folder), on_tick=ticker)
    except UnusableFile as error:
        return Failure("missing_file", str(error))
    if not isinstance(outcome, Failure):
        # A full disk costs what would have been known, not the measurement.
        with suppress(OSError):
            known_best.remember(outcome.timing.best_sentinel_s)
    return outcome


def _evaluation(run: Run, ticker: _Ticker) -> EvaluationResult | Failure | None:
    """How right the model's answers are to its evaluation set; None where nobody asked."""
    if not run.measures_accuracy:
        return None
    if not InputSet.objects.filter(pk=run.input_set_id).exists():
        return SET_GONE
    outcome = _pass("evaluate", run, ticker)
    if isinstance(outcome, Failure):
        return outcome
    # The child may have been taken over by the model that it ran.
    known = {one["shape"][0] for one in run.input_set.tensors if one["name"] == LABELS}
    return outcome if outcome.item_count in known else OTHER_COUNT


def _pass(kind: Kind, run: Run, ticker: _Ticker) -> Result | Failure:
    """What a further pass finds, in a child of its own: whatever ends it, the result stands."""
    # What loses its worker once more is given up, its measurement with it.
    if kind == "profile" and run.is_last_attempt:
        return outcomes.NOT_RISKED
    ends = {code: Failure(code, message) for code, message in ENDS_BY_KIND[kind].items()}
    ticker.begin(kind)
    if ticker(None) is not None:
        return ends["stopped"]
    prefix = f"{RUN_PREFIX}{run.pk}-{kind}-"
    try:
        with (
            _files_of(run, ticker) as files,
            tempfile.TemporaryDirectory(prefix=prefix, dir=work_folder()) as folder,
        ):
            job = replace(job_of(run), kind=kind, **files)
            job = cage.as_the_site_wants(job, run.version.operators)
            outcome = launch.run(job, Path(folder), on_tick=ticker)
    except UnusableFile as error:
        return Failure("missing_file", str(error))
    # No process, no room for its files: none of it may cost the measurement.
    except OSError as error:
        logger.exception("Run %s: the pass %s could not be started", run.pk, kind)
        return Failure("not_started", f"This pass could not be started ({error.strerror}).")
    return ends.get(outcome.code, outcome) if isinstance(outcome, Failure) else outcome


def job_of(run: Run) -> Job:
    """Return what a child is asked for ``run``, its files beside the job whatever the machine."""
    return Job(
        kind="measure",
        onnx_path=MODEL_NAME,
        batch_size=run.batch_size,
        intra_op_threads=run.intra_op_threads,
        effort=run.effort,
        inputs=InputChoices.from_plain(run.input_choices),
        measuring_s=settings.MEASURING_S,
        wants_gpu=SourcedAssumptions.from_json(run.assumptions).gpu is not None,
        values_path=VALUES_NAME if run.values_name else None,
        data_paths={one.name: name for name, one in named_data_files(run).items()},
        values_are_items=run.measures_accuracy,
        answer_output=run.answer_output or None,
    )


def named_data_files(run: Run) -> dict[str, DataFile]:
    """Return the data files of what ``run`` measures, by what they are called beside its job."""
    files = enumerate(run.version.own_data_files(), start=1)
    return {DATA_NAME.format(number=number): one for number, one in files}


@contextmanager
def _files_of(run: Run, ticker: _Ticker) -> Iterator[dict[str, Any]]:
    """Give the job's paths: the model's files, and the real inputs where the run has some."""
    with ExitStack() as stack:
        with _lease_kept(ticker):
            files = stack.enter_context(paths_of(run.version))
            if run.input_set is not None:
                values = on_this_machine(run.input_set.file.name, sha256=run.input_set.sha256)
                files["values_path"] = str(stack.enter_context(values))
        yield files


@contextmanager
def _lease_kept(ticker: _Ticker) -> Iterator[None]:
    """Renew the lease from a thread: a storage far away fetches two gigabytes in one long call."""
    is_over = threading.Event()

    def renew() -> None:
        while not is_over.wait(HEARTBEAT_S):
            try:
                ticker(None)
            # The database may be away for a moment.
            except Error:
                logger.warning("The lease of run %s was not renewed", ticker.run_id, exc_info=True)
            finally:
                connection.close()

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def sweep_leftovers() -> None:
    """Delete what killed workers left of their runs, unless something is measured now."""
    with open(_lock_path(), "w") as lock_file, suppress(BlockingIOError):
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        sweep_runs()


@contextmanager
def _this_machine_to_itself() -> Iterator[bool]:
    """Wait until nothing else is measured on this machine; False when told to stop first."""
    with open(_lock_path(), "w") as lock_file:
        while not worker_is_stopping.is_set():
            try:
                fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(LOCK_PAUSE_S)
            else:
                yield True
                return
        yield False


def _lock_path() -> Path:
    return settings.DATA_DIR / "measuring.lock"


def _worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"[:120]
