"""What is chosen about a model's inputs, what stands in for the rest, and what still fits."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from django.core.exceptions import ValidationError

from benchmarks.models import ModelVersion, OnnxModel, Run
from runner.errors import InputProblem, Nonsense, RunnerError
from runner.job import InputChoices
from runner.results import InputUsed
from runner.shapes import (
    GUESSED,
    InputHint,
    PlannedInput,
    TensorDescription,
    plan_inputs,
    tensors_from_plain,
)

PARTS = ("dims", "shapes", "ranges")
BATCH_SIZE_WHY = "batch size"
# Finding each costs a plan of all inputs; choices with more were made for another model.
MAX_DROPPED = 50


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

    Where ``MAX_DROPPED`` of them do not, none is kept.
    Raises InputProblem where they are no choices at all.
    """
    kept = {part: dict(choices.get(part) or {}) for part in PARTS}
    dropped: dict[str, str] = {}
    while len(dropped) < MAX_DROPPED:
        problem = _problem_with(kept, tensors)
        place = _place_of(problem, kept) if problem else None
        if problem is None or place is None:
            return Fitting({part: chosen for part, chosen in kept.items() if chosen}, dropped)
        part, name = place
        del kept[part][name]
        dropped[problem.field] = problem.message
    return Fitting({}, dropped)


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


def remember_what_fit(run: Run, used: Sequence[InputUsed]) -> None:
    """Make what was found to fit in ``run`` the guess that its version shows from now on.

    The graph alone does not always tell: then the run has tried other usual sizes and values,
    and the next one will come to the same. Nothing is learnt from a run in which something was
    chosen: without that, something else may fit.
    """
    if run.input_choices or run.values_name:
        return
    used_by_name = {one.name: one for one in used}
    try:
        tensors = tensors_from_plain(run.version.inputs)
        found = tuple(_as_it_fit(one, used_by_name.get(one.name)) for one in tensors)
    except Nonsense:
        # Sizes that no input has: the model has had its child write them.
        return
    if found != tensors:
        ModelVersion.objects.filter(pk=run.version_id).update(inputs=[asdict(one) for one in found])


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


def _as_it_fit(tensor: TensorDescription, used: InputUsed | None) -> TensorDescription:
    hint = tensor.hint
    if hint is None or used is None or len(hint.sizes) != len(used.shape):
        return tensor
    sizes, whys = list(hint.sizes), list(hint.size_whys)
    for axis, (size, why) in enumerate(zip(used.shape, used.why, strict=True)):
        if why.startswith(GUESSED) and hint.sizes[axis] not in (None, size):
            sizes[axis], whys[axis] = size, why.removeprefix(GUESSED)
    found = replace(hint, sizes=tuple(sizes), size_whys=tuple(whys))
    return replace(tensor, hint=_with_value_that_fit(found, used))


def _with_value_that_fit(hint: InputHint, used: InputUsed) -> InputHint:
    """Where one value alone was fed, and another had been guessed."""
    is_lone = used.low is not None and used.low == used.high
    if not is_lone or hint.length_of is not None or (hint.low, hint.high) == (used.low, used.high):
        return hint
    return replace(hint, low=used.low, high=used.high, range_why=used.range_why)


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
