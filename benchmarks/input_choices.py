"""What is chosen about a model's inputs, what stands in for the rest, and what still fits."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.core.exceptions import ValidationError

from benchmarks.models import ModelVersion, OnnxModel
from runner.errors import InputProblem, RunnerError
from runner.job import InputChoices
from runner.shapes import PlannedInput, TensorDescription, plan_inputs, tensors_from_plain

PARTS = ("dims", "shapes", "ranges")
BATCH_SIZE_WHY = "batch size"


@dataclass(frozen=True, slots=True)
class Fitting:
    """What of some choices a version takes, and per setting why the others were dropped."""

    choices: dict
    message_by_dropped: dict[str, str]


def default_plan(tensors: Sequence[TensorDescription]) -> dict[str, PlannedInput]:
    """Return, by name, how each input is fed when nothing is chosen.

    An input that nothing can be made up for, or not without a shape, is missing.
    """
    alone = {tensor.name: _planned([tensor]) for tensor in tensors}
    possible = [tensor for tensor in tensors if alone[tensor.name]]
    # Together where that goes: the batch is decided by looking at all inputs.
    planned = _planned(possible) or [one for plans in alone.values() for one in plans]
    return {one.name: one for one in planned}


def why_nothing_fits(tensors: Sequence[TensorDescription]) -> str:
    """Return why no values can be made up for an input; empty where they can for all."""
    for tensor in tensors:
        try:
            plan_inputs([tensor], InputChoices())
        except InputProblem as problem:
            if problem.code == "unsupported_input":
                return problem.message
        except RunnerError as error:
            return error.message
    return ""


def batch_places(tensors: Sequence[TensorDescription]) -> frozenset[tuple[str, int]]:
    """Return the input and axis of each dimension that the batch size sets."""
    return frozenset(
        (one.name, axis)
        for one in default_plan(tensors).values()
        for axis, why in enumerate(one.why)
        if why == BATCH_SIZE_WHY
    )


def fitting(choices: Mapping, tensors: Sequence[TensorDescription]) -> Fitting:
    """Return what of ``choices`` fits inputs that may have changed since they were made.

    Raises InputProblem where they are no choices at all.
    """
    kept = {part: dict(choices.get(part) or {}) for part in PARTS}
    dropped: dict[str, str] = {}
    while True:
        problem = _problem_with(kept, tensors)
        place = _place_of(problem, kept) if problem else None
        if problem is None or place is None:
            return Fitting({part: chosen for part, chosen in kept.items() if chosen}, dropped)
        part, name = place
        del kept[part][name]
        dropped[problem.field] = problem.message


def saved_for(version: ModelVersion, *, batch_size: int = 1) -> Fitting:
    """Return what the model's owner has saved for its runs, as far as ``version`` takes it."""
    tensors = tensors_from_plain(version.inputs)
    choices = version.onnx_model.saved_inputs
    if batch_size != 1:
        choices = _with_batch(choices, tensors, batch_size)
    return fitting(choices, tensors)


def save(onnx_model: OnnxModel, choices: Mapping, *, batch_size: int = 1) -> None:
    """Save ``choices`` with the model, for every run that says nothing else; empty clears them.

    Sizes that were the run's ``batch_size`` are saved so that they follow the batch of any run.
    Raises ValidationError, by setting, for what the newest ready version does not take.
    """
    version = onnx_model.newest_ready_version
    tensors = tensors_from_plain(version.inputs) if version else ()
    try:
        if batch_size != 1:
            choices = _with_batch(choices, tensors, 1)
        checked = InputChoices.from_plain(choices)
    except InputProblem as problem:
        raise ValidationError({problem.field: problem.message}) from problem
    if version is not None:
        dropped = fitting(choices, tensors).message_by_dropped
        if dropped:
            raise ValidationError(dropped)
    chosen = {part: getattr(checked, part) for part in PARTS}
    kept = {
        part: {name: _plain(value) for name, value in one.items()}
        for part, one in chosen.items()
        if one
    }
    OnnxModel.objects.filter(pk=onnx_model.pk).update(saved_inputs=kept)
    onnx_model.saved_inputs = kept


def beside_arrays(
    choices: Mapping,
    tensors: Sequence[TensorDescription],
    arrays: Sequence[TensorDescription],
) -> dict:
    """Return what of ``choices`` still has a say where ``arrays`` are fed as they are."""
    names = {one.name for one in arrays}
    settled = {size for one in tensors if one.name in names for size in one.shape or ()}
    taken = {"dims": settled, "shapes": names, "ranges": names}
    left = {
        part: {name: value for name, value in chosen.items() if name not in taken[part]}
        for part, chosen in choices.items()
    }
    return {part: chosen for part, chosen in left.items() if chosen}


def with_arrays(choices: InputChoices, arrays: Sequence[TensorDescription]) -> InputChoices:
    """Return ``choices`` with the shapes of ``arrays``, for a plan of all inputs."""
    return replace(choices, shapes={**choices.shapes, **{one.name: one.shape for one in arrays}})


def _plain(value):
    return list(value) if isinstance(value, tuple) else value


def _planned(tensors: Sequence[TensorDescription]) -> Sequence[PlannedInput]:
    try:
        return plan_inputs(tensors, InputChoices())
    except RunnerError:
        return ()


def _problem_with(choices: Mapping, tensors: Sequence[TensorDescription]) -> InputProblem | None:
    try:
        plan_inputs(tensors, InputChoices.from_plain(choices))
    except InputProblem as problem:
        return problem
    return None


def _place_of(problem: InputProblem, choices: Mapping) -> tuple[str, str] | None:
    """Return the part and the name of the choice that ``problem`` is about."""
    for part in PARTS:
        for name in choices[part]:
            if problem.field == f"inputs.{part}.{name}":
                return part, name
    return None


def _with_batch(
    choices: Mapping, tensors: Sequence[TensorDescription], batch_size: int
) -> dict[str, dict]:
    """Return ``choices`` with ``batch_size`` wherever a whole shape states the batch."""
    changed = copy.deepcopy(dict(choices))
    for name, axis in batch_places(tensors):
        shape = changed.get("shapes", {}).get(name)
        if shape and axis < len(shape):
            shape[axis] = batch_size
    return changed
