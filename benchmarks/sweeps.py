"""From batch sizes and threads to one queued run for each pair of them, and calling them off."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from benchmarks.models import ModelVersion, Run, Sweep
from benchmarks.submission import (
    MAX_BATCH_SIZE,
    RunSettings,
    assumed_of,
    check_queue,
    check_settings,
    columns,
    expected_s,
    profile_still_there,
    queue_runs,
)
from hardware.models import HardwareProfile
from runner.errors import InputProblem
from runner.job import InputChoices
from runner.shapes import plan_inputs, tensors_from_plain

MAX_RUN_COUNT = 36
# What a chart of costs by batch size begins with: doublings, as the axis shows them.
USUAL_BATCH_SIZES = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """Which batch sizes are combined with which thread counts; the rest as in RunSettings."""

    batch_sizes: Sequence[int] = (1,)
    intra_op_threads: Sequence[int] = (1,)
    effort: str = Run.Effort.STANDARD
    inputs: dict = field(default_factory=dict)

    @classmethod
    def of(cls, sweep: Sweep) -> "SweepSettings":
        """Return the settings that ``sweep`` was asked for with."""
        return cls(**sweep.settings)

    def in_order(self) -> "SweepSettings":
        """Return the same with each value once, the small ones first."""
        return SweepSettings(
            batch_sizes=sorted(set(self.batch_sizes)),
            intra_op_threads=sorted(set(self.intra_op_threads)),
            effort=self.effort,
            inputs=self.inputs,
        )

    def cells(self, version: ModelVersion) -> list[RunSettings]:
        """Return the settings of each run, the small ones first.

        Where a whole shape was chosen, a 1 in the batch's place follows the batch size.
        """
        places = _batch_places(version)
        return [
            RunSettings(
                batch_size=batch_size,
                intra_op_threads=thread_count,
                effort=self.effort,
                inputs=_with_batch(self.inputs, places, batch_size),
            )
            for batch_size in self.batch_sizes
            for thread_count in self.intra_op_threads
        ]


def submit_sweep(
    *, owner, version: ModelVersion, profile: HardwareProfile, settings: SweepSettings
) -> Sweep:
    """Queue a run for each batch size with each thread count, all of them or none.

    Raises ValidationError by field: version, profile, batch_sizes, intra_op_threads, effort,
    inputs.
    """
    settings = settings.in_order()
    cells = _checked_cells(version, settings)
    check_queue(owner, run_count=len(cells))
    assumed = assumed_of(profile)
    now, step = timezone.now(), timedelta(seconds=expected_s(settings.effort))
    with transaction.atomic():
        sweep = Sweep.objects.create(
            owner=owner,
            version=version,
            profile=profile,
            profile_name=profile.name,
            settings=asdict(settings),
        )
        queue_runs(
            [
                Run(
                    sweep=sweep,
                    owner=owner,
                    version=version,
                    profile=profile,
                    assumptions=assumed,
                    queued_at=now,
                    # Due when those before it are over, so that others' runs go in between.
                    turn_at=now + index * step,
                    **columns(cell),
                )
                for index, cell in enumerate(cells)
            ]
        )
    return sweep


def submit_sweep_again(sweep: Sweep, owner) -> Sweep:
    """Queue the same sweep once more, at today's factors.

    Raises ValidationError as ``submit_sweep`` does, and when the profile is no longer there.
    """
    return submit_sweep(
        owner=owner,
        version=sweep.version,
        profile=profile_still_there(sweep.profile_id, owner),
        settings=SweepSettings.of(sweep),
    )


def cancel_sweep(sweep: Sweep) -> int:
    """End all runs of ``sweep`` that are not over; return how many that were."""
    # The last ones first: else the next one's turn would come while the others are cancelled.
    open_runs = sweep.runs.filter(status__in=["queued", "measuring"]).order_by("-turn_at", "-id")
    return sum(Run.objects.cancel(pk) for pk in list(open_runs.values_list("pk", flat=True)))


def possible_batch_sizes(version: ModelVersion, inputs: dict) -> list[int]:
    """Return those of the usual batch sizes that ``version`` takes with these ``inputs``."""
    return [size for size in USUAL_BATCH_SIZES if _takes_batch(version, inputs, size)]


def _batch_places(version: ModelVersion) -> set[tuple[str, int]]:
    """Return the input and axis of each dimension that the batch size sets."""
    declared = [one for one in tensors_from_plain(version.inputs) if one.shape is not None]
    try:
        planned = plan_inputs(declared, InputChoices())
    except InputProblem:
        # Nothing can be made up for such a model: the check of the cells says so.
        return set()
    return {
        (one.name, axis)
        for one in planned
        for axis, why in enumerate(one.why)
        if why == "batch size"
    }


def _with_batch(inputs: dict, places: set[tuple[str, int]], batch_size: int) -> dict:
    shapes = inputs.get("shapes")
    # What is no mapping of shapes is refused, by its name, when the cell is checked.
    if not isinstance(shapes, dict):
        return inputs
    following = {
        name: [
            batch_size if (name, axis) in places and size == 1 else size
            for axis, size in enumerate(shape)
        ]
        for name, shape in shapes.items()
    }
    return {**inputs, "shapes": following}


def _takes_batch(version: ModelVersion, inputs: dict, batch_size: int) -> bool:
    try:
        choices = InputChoices.from_plain(inputs)
        plan_inputs(tensors_from_plain(version.inputs), choices, batch_size=batch_size)
    except InputProblem as problem:
        # Whatever else is wrong is said where the inputs are chosen.
        return problem.field != "batch_size"
    return True


def _checked_cells(version: ModelVersion, settings: SweepSettings) -> list[RunSettings]:
    for name, values in (
        ("batch_sizes", settings.batch_sizes),
        ("intra_op_threads", settings.intra_op_threads),
    ):
        if not values:
            raise ValidationError({name: "Choose at least one."})
    # Before the product of the two is made: each list may be long.
    run_count = len(settings.batch_sizes) * len(settings.intra_op_threads)
    if run_count > MAX_RUN_COUNT:
        raise ValidationError(
            {
                "batch_sizes": f"{len(settings.batch_sizes)} batch sizes with "
                f"{len(settings.intra_op_threads)} thread counts are {run_count} runs; a sweep "
                f"has at most {MAX_RUN_COUNT}. Choose fewer of them."
            }
        )
    if run_count == 1:
        raise ValidationError(
            {"batch_sizes": "A sweep needs at least two settings to compare. Add a batch size."}
        )
    cells = settings.cells(version)
    for cell in cells:
        _check_cell(version, cell, settings)
    return cells


def _check_cell(version: ModelVersion, cell: RunSettings, settings: SweepSettings) -> None:
    try:
        check_settings(version, cell)
    except ValidationError as error:
        problems = error.error_dict
        if "batch_size" not in problems:
            raise
        said = " ".join(ValidationError(problems["batch_size"]).messages)
        if len(settings.batch_sizes) > 1 and 1 <= cell.batch_size <= MAX_BATCH_SIZE:
            said += " Leave out the others of this sweep; threads can still be swept."
        raise ValidationError({"batch_sizes": said}) from error
