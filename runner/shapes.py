"""Which shape and which values each input is fed with, decided before any array exists.

Pure planning without numpy, so that the web process checks a request by the same rules by
which the child measures it.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runner.derived_sizes import derived_size
from runner.descriptions import (
    Dimension,
    InputHint,
    Number,
    TensorDescription,
    declared_dimension,
    tensors_from_plain,
)
from runner.errors import InputProblem, UnsupportedInput
from runner.job import InputChoices
from runner.value_ranges import FLOAT_DTYPES, SUPPORTED_DTYPES, is_supported, range_of

__all__ = [
    "FLOAT_DTYPES",
    "SUPPORTED_DTYPES",
    "Dimension",
    "InputHint",
    "Number",
    "PlannedInput",
    "TensorDescription",
    "declared_dimension",
    "plan_inputs",
    "spoken_count",
    "tensors_from_plain",
]

MAX_DIMENSION = 2**31 - 1
# 100 million numbers are 400 MB of float32: more than any input that people measure with.
MAX_ELEMENT_COUNT = 100_000_000
MAX_RANK = 32
GUESSED = "guessed: "

# tf2onnx gives every unnamed dimension such a name of its own; it says nothing.
_ANONYMOUS_SYMBOL = re.compile(r"unk__\d+")


@dataclass(frozen=True, slots=True)
class PlannedInput:
    """An input as it will be fed: sizes, why each is what it is, and the range of its values.

    ``why`` holds for each dimension ``declared``, ``chosen``, ``batch size``, ``default 1``, or
    a text that starts with ``guessed:``. ``low`` and ``high`` are included, and None for texts,
    which are drawn from ``words`` where the graph knows any. A sequence's shape is that of each
    of its members, a map's is of no meaning.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    why: tuple[str, ...]
    low: Number | None
    high: Number | None
    range_why: str = ""
    words: tuple[str, ...] = ()
    row: tuple[Number, ...] = ()


def plan_inputs(
    inputs: Sequence[TensorDescription], choices: InputChoices, *, batch_size: int = 1
) -> tuple[PlannedInput, ...]:
    """Return how each of ``inputs`` is fed, in their order.

    Raises InputProblem naming the setting to change, and UnsupportedInput for an input that
    nothing can be made up for.
    """
    for declared in inputs:
        _check_is_supported(declared)
    _check_names_exist(inputs, choices)
    sizes = _sizes_by_symbol(inputs, choices)
    batch = _Batch.of(inputs, batch_size)
    shaped = {one.name: _decide_shape(one, choices, sizes, batch) for one in inputs}
    _derive(inputs, shaped)
    shape_by_input = {name: tuple(size for size, _ in one) for name, one in shaped.items()}
    planned = tuple(
        PlannedInput(
            one.name,
            one.dtype,
            shape_by_input[one.name],
            tuple(reason for _, reason in shaped[one.name]),
            *range_of(one, choices, shape_by_input),
            words=one.hint.words if one.hint else (),
            row=one.hint.row if one.hint and one.name not in choices.ranges else (),
        )
        for one in inputs
    )
    _check_total(planned)
    return planned


@dataclass(frozen=True, slots=True)
class _Batch:
    """Which dimensions the batch size sets: one symbol's, and first ones without a name."""

    size: int
    symbol: str | None
    sets_unnamed: bool

    @classmethod
    def of(cls, inputs: Sequence[TensorDescription], size: int) -> "_Batch":
        if size < 1:
            raise InputProblem("batch_size", "The batch size must be at least 1.")
        firsts = [one.shape[0] for one in inputs if one.shape and _guess_at(one, 0) is None]
        leading = firsts[0] if firsts else None
        if isinstance(leading, int):
            if size not in (1, leading):
                raise InputProblem("batch_size", _fixed_batch_sentence(inputs, leading, size))
            return cls(size=1, symbol=None, sets_unnamed=False)
        named = [first for first in firsts if isinstance(first, str) and not _is_unnamed(first)]
        if not firsts and size != 1:
            raise InputProblem(
                "batch_size",
                "No input of this model has a dimension that a batch size could set. "
                "Use a batch size of 1.",
            )
        return cls(size=size, symbol=named[0] if named else None, sets_unnamed=True)

    def covers(self, declared: TensorDescription, index: int) -> bool:
        dimension = (declared.shape or ())[index]
        if self.symbol is not None and dimension == self.symbol:
            return True
        batch_axis = declared.hint.batch_axis if declared.hint else None
        is_place = index == (batch_axis or 0) and _guess_at(declared, index) is None
        return self.sets_unnamed and is_place and _is_unnamed(dimension)


def _fixed_batch_sentence(inputs: Sequence[TensorDescription], leading: int, size: int) -> str:
    name = next(one.name for one in inputs if one.shape and _guess_at(one, 0) is None)
    allowed = "1" if leading == 1 else f"1 or {leading}"
    return (
        f"The first dimension of the input “{name}” is fixed at {leading}, so the model cannot "
        f"take a batch of {size}. Use a batch size of {allowed}."
    )


def _is_unnamed(dimension: Dimension) -> bool:
    if isinstance(dimension, str):
        return _ANONYMOUS_SYMBOL.fullmatch(dimension) is not None
    return dimension is None


def _check_is_supported(declared: TensorDescription) -> None:
    if not is_supported(declared.dtype):
        raise UnsupportedInput(
            f"inputs.shapes.{declared.name}",
            f"The input “{declared.name}” is of the kind {declared.dtype}, for which carbonsite "
            "cannot make up values. Export the model with plain tensors, sequences of tensors or "
            "maps of numbers as inputs.",
        )


def _symbols(inputs: Sequence[TensorDescription]) -> list[str]:
    found = (size for declared in inputs for size in declared.shape or ())
    return list(dict.fromkeys(size for size in found if isinstance(size, str)))


def _check_names_exist(inputs: Sequence[TensorDescription], choices: InputChoices) -> None:
    names = [declared.name for declared in inputs]
    _check_known("inputs.dims", "free dimension", chosen=choices.dims, known=_symbols(inputs))
    _check_known("inputs.shapes", "input", chosen=choices.shapes, known=names)
    _check_known("inputs.ranges", "input", chosen=choices.ranges, known=names)


def _check_known(
    field: str, noun: str, *, chosen: Mapping[str, object], known: Sequence[str]
) -> None:
    for name in chosen:
        if name not in known:
            listed = ", ".join(known[:20])[:300] or "none"
            raise InputProblem(
                f"{field}.{name}",
                f"This model has no {noun} called “{name[:100]}”. It has: {listed}.",
            )


def _sizes_by_symbol(inputs: Sequence[TensorDescription], choices: InputChoices) -> dict[str, int]:
    """Sizes that were chosen for free dimensions, by name or as part of a whole shape."""
    sizes: dict[str, int] = {}
    pasts = {
        dimension
        for one in inputs
        for index, dimension in enumerate(one.shape or ())
        if _guess_at(one, index) == 0
    }
    for symbol, size in choices.dims.items():
        _check_size(f"inputs.dims.{symbol}", size, lowest=0 if symbol in pasts else 1)
        sizes[symbol] = size
    for declared in inputs:
        shape = choices.shapes.get(declared.name)
        if shape is not None:
            _check_shape(declared, shape)
            for dimension, size in zip(declared.shape or (), shape, strict=False):
                if isinstance(dimension, str):
                    _settle(sizes, dimension, size, field=f"inputs.shapes.{declared.name}")
    return sizes


def _settle(sizes: dict[str, int], symbol: str, size: int, *, field: str) -> None:
    if sizes.setdefault(symbol, size) != size:
        raise InputProblem(
            field,
            f"The dimension “{symbol}” would be {sizes[symbol]} in one place and {size} in "
            "another. Give it one size everywhere.",
        )


def _check_size(field: str, size: int, *, lowest: int = 1) -> None:
    if size < lowest:
        raise InputProblem(field, f"A size must be at least {lowest}, this is {size}.")
    if size > MAX_DIMENSION:
        raise InputProblem(field, f"A size must be at most {MAX_DIMENSION:,}, this is {size:,}.")


def _check_shape(declared: TensorDescription, shape: Sequence[int]) -> None:
    field = f"inputs.shapes.{declared.name}"
    for index, size in enumerate(shape):
        # Where a guess is 0, the past of a model that continues texts, none is needed.
        _check_size(field, size, lowest=0 if _guess_at(declared, index) == 0 else 1)
    if len(shape) > MAX_RANK:
        raise InputProblem(field, f"A shape has at most {MAX_RANK} dimensions.")
    if declared.shape is None:
        return
    fits = len(shape) == len(declared.shape) and all(
        not isinstance(wanted, int) or wanted == size
        for wanted, size in zip(declared.shape, shape, strict=True)
    )
    if not fits:
        raise InputProblem(
            field,
            f"The model declares “{declared.name}” as {_spoken_shape(declared.shape)}, which "
            f"{_spoken_shape(shape)} does not fit.",
        )


def _spoken_shape(shape: Iterable[Dimension]) -> str:
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"


_Sized = list[tuple[int, str]]


def _decide_shape(
    declared: TensorDescription, choices: InputChoices, sizes: Mapping[str, int], batch: _Batch
) -> _Sized:
    """The size of each dimension, and why."""
    chosen = choices.shapes.get(declared.name)
    if declared.shape is None:
        return _decide_whole(declared, chosen)
    return [
        _decide_batch(declared, index, chosen, sizes, batch)
        if batch.covers(declared, index)
        else _decide_size(declared, index, chosen, sizes)
        for index in range(len(declared.shape))
    ]


def _decide_whole(declared: TensorDescription, chosen: Sequence[int] | None) -> _Sized:
    if chosen is not None:
        return [(size, "chosen") for size in chosen]
    hint = declared.hint
    if hint is None:
        raise InputProblem(
            f"inputs.shapes.{declared.name}",
            f"The model does not say how many dimensions “{declared.name}” has. "
            "Set its shape before you run it.",
        )
    whys = [f"{GUESSED}{why or 'the model does not say its shape'}" for why in hint.size_whys]
    return [(1 if size is None else size, why) for size, why in zip(hint.sizes, whys, strict=True)]


def _guess_at(declared: TensorDescription, index: int) -> int | None:
    sizes = declared.hint.sizes if declared.hint else ()
    return sizes[index] if index < len(sizes) else None


def _decide_size(
    declared: TensorDescription,
    index: int,
    chosen: Sequence[int] | None,
    sizes: Mapping[str, int],
) -> tuple[int, str]:
    dimension = (declared.shape or ())[index]
    if isinstance(dimension, int):
        return dimension, "declared"
    if chosen is not None:
        return chosen[index], "chosen"
    if isinstance(dimension, str) and dimension in sizes:
        return sizes[dimension], "chosen"
    guess = _guess_at(declared, index)
    if guess is not None and declared.hint is not None:
        return guess, GUESSED + declared.hint.size_whys[index]
    return 1, "default 1"


def _derive(inputs: Sequence[TensorDescription], shaped: Mapping[str, _Sized]) -> None:
    """Fill in the sizes that are sums of others, such as ``past_length + length``."""
    known = {
        dimension: size
        for one in inputs
        for dimension, (size, _) in zip(one.shape or (), shaped[one.name], strict=False)
        if isinstance(dimension, str)
    }
    for one in inputs:
        for index, dimension in enumerate(one.shape or ()):
            if isinstance(dimension, str) and shaped[one.name][index][1] not in (
                *("chosen", "batch size"),
            ):
                derived = derived_size(dimension, known)
                if derived is not None:
                    shaped[one.name][index] = derived


def _decide_batch(
    declared: TensorDescription,
    index: int,
    chosen: Sequence[int] | None,
    sizes: Mapping[str, int],
    batch: _Batch,
) -> tuple[int, str]:
    size, reason = _decide_size(declared, index, chosen, sizes)
    if reason != "chosen":
        return batch.size, "batch size"
    # With a batch size of 1 the user's own size stands: not every first dimension is a batch.
    if batch.size not in (1, size):
        raise InputProblem(
            "batch_size",
            f"“{declared.name}” was given {size} where the batch size goes, and the batch size "
            f"is {batch.size}. Make the two equal, or leave the size out.",
        )
    return size, "chosen"


def _check_total(planned: Sequence[PlannedInput]) -> None:
    total = sum(math.prod(item.shape) for item in planned)
    if total > MAX_ELEMENT_COUNT:
        largest = max(planned, key=lambda item: math.prod(item.shape))
        raise InputProblem(
            f"inputs.shapes.{largest.name}",
            f"These inputs hold {spoken_count(total)} values, of which {MAX_ELEMENT_COUNT:,} are "
            "allowed. "
            f"“{largest.name}” is the largest, {_spoken_shape(largest.shape)}: make it smaller.",
        )


def spoken_count(count: int) -> str:
    """Return a count with its thousands marked, however many digits a stranger gives it.

    >>> spoken_count(1_000), spoken_count(10**5_000)
    ('1,000', 'more than 10^18')
    """
    # Python refuses to write out numbers of thousands of digits.
    return f"{count:,}" if count <= 10**18 else "more than 10^18"
