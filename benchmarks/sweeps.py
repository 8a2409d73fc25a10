"""From batch sizes and threads to one queued run for each pair of them, and calling them off."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from benchmarks.input_choices import batch_places, beside_arrays, saved_for
from benchmarks.input_sets import fed_arrays
from benchmarks.models import InputSet, ModelVersion, Run, Sweep
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
    values_columns,
    values_still_there,
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
    inputs: dict | None = None
    values: InputSet | None = None

    @classmethod
    def of(cls, sweep: Sweep) -> "SweepSettings":
        """Return the settings that ``sweep`` was asked for with."""
        asked = {**sweep.settings, "inputs": sweep.settings["inputs"] or None}
        return cls(**asked, values=sweep.input_set)

    def in_order(self) -> "SweepSettings":
        """Return the same with each value once, the small ones first."""
        return replace(
            self,
            batch_sizes=sorted(set(self.batch_sizes)),
            intra_op_threads=sorted(set(self.intra_op_threads)),
        )

    def decided(self, version: ModelVersion) -> "SweepSettings":
        """Return the same with what is saved with the model where nothing is said of inputs."""
        if self.inputs is not None:
            return self
        return replace(self, inputs=saved_for(version).choices)

    def cells(self, version: ModelVersion) -> list[RunSettings]:
        """Return the settings of each run, the small ones first.

        Where a whole shape was chosen, a 1 in the batch's place follows the batch size.
        """
        places = batch_places(tensors_from_plain(version.inputs))
        return [
            RunSettings(
                batch_size=batch_size,
                intra_op_threads=thread_count,
                effort=self.effort,
                inputs=_with_batch(self.inputs or {}, places, batch_size),
                values=self.values,
            )
            for batch_size in self.batch_sizes
            for thread_count in self.intra_op_threads
        ]


def submit_sweep(
    *, owner, version: ModelVersion, profile: HardwareProfile, settings: SweepSettings
) -> Sweep:
    """Queue a run for each batch size with each thread count, all of them or none.

    Raises ValidationError by field: version, profile, batch_sizes, intra_op_threads, effort,
    inputs, values.
    """
    settings = settings.in_order().decided(version)
    cells = _checked_cells(version, settings)
    assumed = assumed_of(profile)
    now, step = timezone.now(), timedelta(seconds=expected_s(settings.effort))
    with transaction.atomic():
        check_queue(owner, run_count=len(cells))
        sweep = Sweep.objects.create(
            owner=owner,
            version=version,
            profile=profile,
            profile_name=profile.name,
            settings=_plain(version, settings),
            **values_columns(settings.values),
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

    One that left its inputs to the site takes what is saved with the model by now.
    Raises ValidationError as ``submit_sweep`` does, and when the profile or the real inputs are
    no longer there.
    """
    values_still_there(sweep)
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


def _plain(version: ModelVersion, settings: SweepSettings) -> dict:
    """Return checked ``settings`` as a sweep stores them; of the inputs what its runs go by."""
    inputs = settings.inputs
    if settings.values is not None:
        arrays = fed_arrays(version, settings.values)
        inputs = beside_arrays(inputs, tensors_from_plain(version.inputs), arrays)
    return {
        "batch_sizes": list(settings.batch_sizes),
        "intra_op_threads": list(settings.intra_op_threads),
        "effort": settings.effort,
        "inputs": inputs,
    }


def _with_batch(inputs: dict, places: Set[tuple[str, int]], batch_size: int) -> dict:
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
    return [_checked_cell(version, cell, settings) for cell in settings.cells(version)]


def _checked_cell(version: ModelVersion, cell: RunSettings, settings: SweepSettings) -> RunSettings:
    try:
        return check_settings(version, cell)
    except ValidationError as error:
        problems = error.error_dict
        if "batch_size" not in problems:
            raise
        said = " ".join(ValidationError(problems["batch_size"]).messages)
        if len(settings.batch_sizes) > 1 and 1 <= cell.batch_size <= MAX_BATCH_SIZE:
            said += " Leave out the others of this sweep; threads can still be swept."
        raise ValidationError({"batch_sizes": said}) from error
