"""The third step: from what somebody asks for to a queued run."""

import logging
import os
from dataclasses import dataclass, replace

from django.conf import settings as site_settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.db.models import Count

from accounts.models import User
from benchmarks.input_choices import beside_arrays, saved_for, with_arrays
from benchmarks.input_sets import check_batch, fed_arrays, item_set_of
from benchmarks.models import InputSet, ModelVersion, Run, Sweep
from benchmarks.tasks import measure_run, ring
from hardware.assumptions import NoIntensity, assumptions_of
from hardware.models import HardwareProfile
from runner.errors import InputProblem
from runner.evaluated import MAX_OUTPUT_NAME_LENGTH
from runner.job import LONGEST_MEASURING_S_BY_EFFORT, MEASURING_S_BY_EFFORT, InputChoices
from runner.shapes import TensorDescription, plan_inputs, tensors_from_plain

MAX_BATCH_SIZE = 4096
# What a run takes besides measuring: starting the child, loading, warming up, writing.
OVERHEAD_S = 5.0
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How a version is to be measured; ``inputs`` has the keys dims, shapes and ranges.

    ``inputs`` None means what is saved with the model. ``values`` are real inputs: of what they
    hold nothing is made up, and ``inputs`` has a say about the rest only. With
    ``measures_accuracy`` they are an evaluation set: its first batch is timed, and all of it
    evaluated, by the output called ``answer_output`` (empty: the only one that can be).
    """

    batch_size: int = 1
    intra_op_threads: int = 1
    effort: str = Run.Effort.STANDARD
    inputs: dict | None = None
    values: InputSet | None = None
    measures_accuracy: bool = False
    answer_output: str = ""


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """How many runs go before this one, and how long that takes by their efforts.

    A careful run takes longer where the machine is noisy: hence the longest wait.
    """

    ahead_count: int
    expected_wait_s: float
    longest_wait_s: float


def submit_run(
    *, owner, version: ModelVersion, profile: HardwareProfile, settings: RunSettings
) -> Run:
    """Queue a measurement of ``version`` for ``profile`` and return the run.

    Raises ValidationError by field: version, profile, batch_size, intra_op_threads, effort,
    inputs, values, measures_accuracy, answer_output.
    """
    settings = check_settings(version, settings)
    run = Run(
        owner=owner,
        version=version,
        profile=profile,
        assumptions=assumed_of(profile),
        **columns(settings),
    )
    with transaction.atomic():
        check_queue(owner)
        queue_runs([run])
    return run


def submit_again(run: Run, owner) -> Run:
    """Queue the same measurement once more, at today's factors.

    A run that left its inputs to the site takes what is saved with the model by now.
    Raises ValidationError as ``submit_run`` does, and when the profile or the real inputs are
    no longer there.
    """
    profile = profile_still_there(run.profile_id, owner)
    values = values_still_there(run)
    settings = RunSettings(
        batch_size=run.batch_size,
        intra_op_threads=run.intra_op_threads,
        effort=run.effort,
        inputs=run.input_choices or None,
        values=values,
        measures_accuracy=run.measures_accuracy,
        answer_output=run.answer_output,
    )
    return submit_run(owner=owner, version=run.version, profile=profile, settings=settings)


def profile_still_there(profile_id, user) -> HardwareProfile:
    """Return the profile of something asked for before.

    Raises ValidationError when it was deleted, or made private by whoever shared it.
    """
    profile = HardwareProfile.objects.visible_to(user).filter(pk=profile_id).first()
    if profile is None:
        raise ValidationError(
            {
                "profile": "The profile of that run has been deleted, or is no longer shared "
                "with you. Choose another one."
            }
        )
    return profile


def values_still_there(asked: Run | Sweep) -> InputSet | None:
    """Return the real inputs of something asked for before, None where it had none.

    Raises ValidationError when they were deleted.
    """
    if asked.values_name and asked.input_set is None:
        raise ValidationError(
            {
                "values": f"The inputs “{asked.values_name}” that this run was fed have been "
                "deleted. Choose others, or have values made up."
            }
        )
    return asked.input_set


def check_settings(version: ModelVersion, settings: RunSettings) -> RunSettings:
    """Return ``settings`` with all that is left open about the inputs decided.

    Raises ValidationError, by field, where ``version`` cannot be measured like that.
    """
    _check_version(version)
    _check_settings(settings)
    _check_evaluation(version, settings)
    return replace(settings, inputs=_checked_inputs(version, settings))


def check_queue(owner, *, run_count: int = 1) -> None:
    """Raise ValidationError where ``owner`` may not have ``run_count`` more runs waiting.

    Within the transaction that queues them: nobody else queues any for ``owner`` until it ends.
    """
    User.objects.select_for_update().filter(pk=owner.pk).first()
    limit = site_settings.USER_QUEUED_RUN_LIMIT
    waiting_count = Run.objects.waiting().filter(owner=owner).count()
    if waiting_count + run_count <= limit:
        return
    if run_count == 1 or waiting_count >= limit:
        message = f"You have {limit} runs waiting already. Let some finish, or cancel them, first."
    else:
        message = (
            f"These are {run_count} runs, and you may have {limit - waiting_count} more waiting "
            f"(of {limit}). Choose fewer, or let some finish first."
        )
    raise ValidationError({NON_FIELD_ERRORS: message})


def assumed_of(profile: HardwareProfile) -> dict:
    """Return what a run for ``profile`` keeps as its assumptions.

    Raises ValidationError when there is no carbon intensity for it.
    """
    try:
        return assumptions_of(profile).as_json()
    except NoIntensity as error:
        raise ValidationError({"profile": str(error)}) from error


def columns(settings: RunSettings) -> dict:
    """Return checked ``settings`` as a run stores them."""
    return {
        "batch_size": settings.batch_size,
        "intra_op_threads": settings.intra_op_threads,
        "effort": settings.effort,
        "input_choices": settings.inputs,
        "measures_accuracy": settings.measures_accuracy,
        "answer_output": settings.answer_output,
        **values_columns(settings.values),
    }


def values_columns(input_set: InputSet | None) -> dict:
    """Return real inputs as a run or a sweep stores them; nothing where there are none."""
    if input_set is None:
        return {}
    return {
        "input_set": input_set,
        "values_name": input_set.name,
        "values_sha256": input_set.sha256,
    }


def queue_runs(runs: list[Run]) -> None:
    """Store new ``runs`` and, once they are there, ring for each."""
    with transaction.atomic():
        Run.objects.bulk_create(runs)
        transaction.on_commit(lambda: _ring_for(runs))
    for run in runs:
        facts = {"run_id": str(run.pk), "owner": str(run.owner_id)}
        logger.info("Queued run %s", run.pk, extra=facts)


def _ring_for(runs: list[Run]) -> None:
    for run in runs:
        ring(measure_run, run.pk)


def expected_s(effort: str) -> float:
    """Return how long a run of ``effort`` takes as a rule, its overhead included."""
    return MEASURING_S_BY_EFFORT[effort] + OVERHEAD_S


def queue_place(run: Run) -> QueuePlace:
    """Return how many runs are measured before ``run``, and the wait to expect."""
    by_effort = Run.objects.ahead_of(run).order_by().values("effort").annotate(count=Count("pk"))
    counts = {row["effort"]: row["count"] for row in by_effort}
    overhead_s = OVERHEAD_S * sum(counts.values())
    return QueuePlace(
        ahead_count=sum(counts.values()),
        expected_wait_s=overhead_s + _seconds(counts, MEASURING_S_BY_EFFORT),
        longest_wait_s=overhead_s + _seconds(counts, LONGEST_MEASURING_S_BY_EFFORT),
    )


def _seconds(count_by_effort: dict[str, int], seconds_by_effort: dict[str, float]) -> float:
    return sum(seconds_by_effort[effort] * count for effort, count in count_by_effort.items())


def _check_version(version: ModelVersion) -> None:
    if version.status == ModelVersion.Status.INSPECTING:
        raise ValidationError(
            {"version": "This version is still being inspected. Try again in a few seconds."}
        )
    if version.status == ModelVersion.Status.REJECTED:
        raise ValidationError(
            {"version": f"This version cannot be measured. {version.rejection_reason}"}
        )


def _check_settings(settings: RunSettings) -> None:
    core_count = os.cpu_count() or 1
    if not 1 <= settings.batch_size <= MAX_BATCH_SIZE:
        raise ValidationError({"batch_size": f"Choose a batch size from 1 to {MAX_BATCH_SIZE}."})
    if not 1 <= settings.intra_op_threads <= core_count:
        raise ValidationError(
            {
                "intra_op_threads": f"The measuring machine has {core_count} cores: "
                f"choose from 1 to {core_count} threads."
            }
        )
    if settings.effort not in Run.Effort.values:
        raise ValidationError({"effort": "Choose quick, standard or careful."})


def _check_evaluation(version: ModelVersion, settings: RunSettings) -> None:
    if settings.measures_accuracy and (settings.values is None or not settings.values.has_labels):
        raise ValidationError(
            {
                "measures_accuracy": "Accuracy is measured on an evaluation set: real inputs with "
                "an array “labels” beside them. Choose one, or leave the accuracy out."
            }
        )
    if settings.answer_output and not settings.measures_accuracy:
        raise ValidationError(
            {"answer_output": "Name an output with the answer only where accuracy is measured."}
        )
    names = [one["name"] for one in version.outputs if len(one["name"]) <= MAX_OUTPUT_NAME_LENGTH]
    if settings.answer_output and settings.answer_output not in names:
        listed = ", ".join(name[:60] for name in names[:20])
        raise ValidationError(
            {"answer_output": f"This version has no such output. It has: {listed}."}
        )


def _checked_inputs(version: ModelVersion, settings: RunSettings) -> dict:
    """Return what is chosen about the inputs: in so many words, or with the model."""
    chosen, arrays = settings.inputs, ()
    if chosen is None:
        chosen = saved_for(version, batch_size=settings.batch_size).choices
    tensors = tensors_from_plain(version.inputs)
    try:
        choices = InputChoices.from_plain(chosen)
        if settings.values is not None:
            arrays = _arrays_of(version, settings)
            chosen = beside_arrays(chosen, tensors, arrays)
            choices = with_arrays(InputChoices.from_plain(chosen), arrays)
        plan_inputs(tensors, choices, batch_size=settings.batch_size)
    except InputProblem as problem:
        raise ValidationError({problem.field: problem.message}) from problem
    return chosen


def _arrays_of(version: ModelVersion, settings: RunSettings) -> tuple[TensorDescription, ...]:
    """The real arrays that a call is fed: all of them, or the first batch of an evaluation set."""
    if settings.measures_accuracy:
        return item_set_of(version, settings.values).first_batch(settings.batch_size)
    check_batch(version, settings.values, batch_size=settings.batch_size)
    return fed_arrays(version, settings.values)
