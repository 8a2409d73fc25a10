"""A loaded model fed with something that it accepts: first what was guessed, then alternatives."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import onnxruntime

from runner.descriptions import InputHint, TensorDescription, is_left_open
from runner.errors import MeasurementFailed, Rejected
from runner.inputs import Values, make_values
from runner.job import Job
from runner.kinds import Guess, Guesses
from runner.onnx_file import hinted_inputs
from runner.real_inputs import with_shapes
from runner.session import Inference, declared_inputs, prepare
from runner.shapes import PlannedInput, plan_inputs
from runner.trial_shapes import variants

MAX_ATTEMPTS = 24
# A model that is slow to fail gets fewer attempts.
MAX_TRYING_S = 20.0
FROM_FILE = "from your file"
MAX_LISTED = 6


@dataclass(frozen=True, slots=True)
class Fed:
    """A model after its first call, and what it was fed."""

    inference: Inference
    planned: tuple[PlannedInput, ...]


def inputs_of(session: onnxruntime.InferenceSession, job: Job) -> tuple[TensorDescription, ...]:
    """Return what the loaded model wants, with hints from its file where they are needed."""
    declared = declared_inputs(session, job.inputs)
    # onnxruntime says [] for an undeclared rank too: a lone number is looked up in the file.
    if not any(is_left_open(one) for one in declared):
        return declared
    try:
        hinted = {one.name: one for one in hinted_inputs(job.onnx_files)}
    except Rejected:
        return declared
    return tuple(hinted.get(one.name, one) for one in declared)


def feed(
    session: onnxruntime.InferenceSession,
    declared: Sequence[TensorDescription],
    job: Job,
    real: Mapping[str, Values] | None = None,
) -> Fed:
    """Return the model called once, with values from ``real`` where it has them.

    What the user chose is in every attempt. Raises InputProblem when the choices do not fit,
    MeasurementFailed with what was tried when the model takes none of it.
    """
    real = real or {}
    choices = with_shapes(job.inputs, {name: array.shape for name, array in real.items()})
    failed: list[tuple[PlannedInput, ...]] = []
    first: MeasurementFailed | None = None
    started_s = time.monotonic()
    for variant in _alternatives(declared):
        planned = plan_inputs(variant, choices, batch_size=job.batch_size)
        if planned in failed:
            continue
        values = make_values(planned, seed=job.seed, real=real)
        try:
            inference = prepare(session, planned, values)
        except MeasurementFailed as error:
            first = first or error
            failed.append(planned)
        else:
            return Fed(inference, tuple(_as_fed(one, real) for one in planned))
        if len(failed) >= MAX_ATTEMPTS or time.monotonic() - started_s > MAX_TRYING_S:
            break
    assert first is not None  # noqa: S101  the first variant is never left out
    raise _nothing_fits(first, failed, declared)


def _as_fed(item: PlannedInput, real: Mapping[str, Values]) -> PlannedInput:
    if item.name not in real:
        return item
    array = real[item.name]
    low = high = None
    if array.size and item.dtype not in ("string", "bfloat16"):
        low, high = array.min().item(), array.max().item()
        if isinstance(low, bool):
            low, high = int(low), int(high)
    why = (FROM_FILE,) * array.ndim
    return replace(item, why=why, low=low, high=high, range_why=FROM_FILE)


def _alternatives(
    declared: Sequence[TensorDescription],
) -> Iterator[tuple[TensorDescription, ...]]:
    """Yield ``declared`` with its hints as they are, then with others, the likeliest first."""
    yield tuple(declared)
    for place, one in enumerate(declared):
        for number in (one.hint.legal if one.hint else ())[1:]:
            other = _with_value(one, number)
            yield (*declared[:place], other, *declared[place + 1 :])
    for guesses in variants(_guesses(declared)):
        yield tuple(_with_sizes(one, guesses) for one in declared)
    yield tuple(_all_ones(one) for one in declared)
    yield tuple(_with_value(one, 0) if _is_open_integer(one) else one for one in declared)


def _with_value(one: TensorDescription, number: int | float) -> TensorDescription:
    before = one.hint or InputHint()
    why = f"{before.range_why}; {number:,} was found to fit"
    if not before.range_why:
        why = "the only value that was found to fit"
    hint = replace(before, low=number, high=number, row=(), range_why=why)
    return replace(one, hint=hint)


def _is_open_integer(one: TensorDescription) -> bool:
    hint = one.hint or InputHint()
    return hint.low is None and hint.length_of is None and "int" in one.dtype


def _guesses(declared: Sequence[TensorDescription]) -> Guesses:
    return {
        (one.name, axis): Guess(size, hint.size_whys[axis], hint.kinds[axis] if hint.kinds else "")
        for one in declared
        if (hint := one.hint) is not None
        for axis, size in enumerate(hint.sizes)
        if size is not None
    }


def _with_sizes(one: TensorDescription, guesses: Guesses) -> TensorDescription:
    hint = one.hint
    if hint is None:
        return one
    found = [guesses.get((one.name, axis)) for axis in range(len(hint.sizes))]
    hint = replace(
        hint,
        sizes=tuple(guess.size if guess else None for guess in found),
        size_whys=tuple(guess.why if guess else "" for guess in found),
    )
    return replace(one, hint=hint)


def _all_ones(one: TensorDescription) -> TensorDescription:
    """``one`` with every size 1 that was guessed by its kind; what the graph shows stays."""
    guesses = {
        place: replace(guess, size=1, why="1: nothing else was found to fit")
        if guess.kind
        else guess
        for place, guess in _guesses([one]).items()
    }
    return _with_sizes(one, guesses)


def _nothing_fits(
    first: MeasurementFailed,
    failed: Sequence[tuple[PlannedInput, ...]],
    declared: Sequence[TensorDescription],
) -> MeasurementFailed:
    # What the runtime lacks, no other size or value brings.
    if len(failed) < 2 or first.code == "not_implemented":
        return first
    tried = []
    for planned in failed[1 : MAX_LISTED + 1]:
        changed = [one for one, before in zip(planned, failed[0], strict=True) if one != before]
        tried.append(" and ".join(_spoken(one) for one in changed[:2]))
    more = f", and {len(failed) - 1 - len(tried)} more" if len(failed) - 1 > len(tried) else ""
    return MeasurementFailed(
        first.code,
        f"{first.message} Other guesses failed too: {'; '.join(tried)}{more}. "
        f"{_what_to_set(declared, failed)} that this model is used with.",
    )


def _spoken(item: PlannedInput) -> str:
    is_one_value = item.low is not None and item.low == item.high
    value = f" = {item.low}" if is_one_value or not item.shape else ""
    return f"{item.name[:60]} {list(item.shape) or ''}{value}".replace("  ", " ").strip()


def _what_to_set(
    declared: Sequence[TensorDescription], failed: Sequence[tuple[PlannedInput, ...]]
) -> str:
    """Name the input of which most was guessed, or whose values were where no size is open."""
    if all(why == "declared" for one in failed[0] for why in one.why):
        changed = (
            one.name for one, other in zip(failed[0], failed[1], strict=True) if one != other
        )
        return f"The first to set is “{next(changed)[:100]}”: give it values"
    guessed = {one.name: sum(why.startswith("guessed") for why in one.why) for one in failed[0]}
    name = max(declared, key=lambda one: guessed.get(one.name, 0)).name[:100]
    return f"The first to set is “{name}”: give it a size and values"
