"""The third step: from what somebody asks for to a queued run."""

import os
from dataclasses import dataclass, field

from django.conf import settings as site_settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.db.models import Count

from benchmarks.models import ModelVersion, Run
from benchmarks.tasks import measure_run, ring
from hardware.assumptions import NoIntensity, assumptions_of
from hardware.models import HardwareProfile
from runner.errors import InputProblem
from runner.job import LONGEST_MEASURING_S_BY_EFFORT, MEASURING_S_BY_EFFORT, InputChoices
from runner.shapes import plan_inputs, tensors_from_plain

MAX_BATCH_SIZE = 4096
# What a run takes besides measuring: starting the child, loading, warming up, writing.
OVERHEAD_S = 5.0


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How a version is to be measured; ``inputs`` has the keys dims, shapes and ranges."""

    batch_size: int = 1
    intra_op_threads: int = 1
    effort: str = Run.Effort.STANDARD
    inputs: dict = field(default_factory=dict)


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
    inputs.
    """
    check_settings(version, settings)
    check_queue(owner)
    assumed = assumed_of(profile)
    with transaction.atomic():
        run = Run.objects.create(
            owner=owner, version=version, profile=profile, assumptions=assumed, **columns(settings)
        )
        transaction.on_commit(lambda: ring(measure_run, run.pk))
    return run


def submit_again(run: Run, owner) -> Run:
    """Queue the same measurement once more, at today's factors.

    Raises ValidationError as ``submit_run`` does, and when the profile is no longer there.
    """
    profile = profile_still_there(run.profile_id, owner)
    settings = RunSettings(
        batch_size=run.batch_size,
        intra_op_threads=run.intra_op_threads,
        effort=run.effort,
        inputs=run.input_choices,
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


def check_settings(version: ModelVersion, settings: RunSettings) -> None:
    """Raise ValidationError, by field, where ``version`` cannot be measured like that."""
    _check_version(version)
    _check_settings(settings)
    _check_inputs(version, settings)


def check_queue(owner, *, run_count: int = 1) -> None:
    """Raise ValidationError where ``owner`` may not have ``run_count`` more runs waiting."""
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
    """Return ``settings`` as a run stores them."""
    return {
        "batch_size": settings.batch_size,
        "intra_op_threads": settings.intra_op_threads,
        "effort": settings.effort,
        "input_choices": settings.inputs,
    }


def queue_runs(runs: list[Run]) -> None:
    """Store new ``runs`` and, once they are there, ring for each."""
    with transaction.atomic():
        Run.objects.bulk_create(runs)
        transaction.on_commit(lambda: _ring_for(runs))


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


def _check_inputs(version: ModelVersion, settings: RunSettings) -> None:
    try:
        choices = InputChoices.from_plain(settings.inputs)
        plan_inputs(tensors_from_plain(version.inputs), choices, batch_size=settings.batch_size)
    except InputProblem as problem:
        raise ValidationError({problem.field: problem.message}) from problem
