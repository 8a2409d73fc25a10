"""Which shape and which values each input is fed with, decided before any array exists.

Pure planning without numpy, so that the web process checks a request by the same rules by
which the child measures it.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from runner.errors import InputProblem, UnsupportedInput
from runner.job import InputChoices
from runner.messages import decode

Dimension = int | str | None
Number = int | float
Why = Literal["declared", "batch size", "chosen", "default 1"]

MAX_DIMENSION = 2**31 - 1
# 100 million numbers are 400 MB of float32: more than any input that people measure with.
MAX_ELEMENT_COUNT = 100_000_000
MAX_RANK = 32

# tf2onnx gives every unnamed dimension such a name of its own; it says nothing.
_ANONYMOUS_SYMBOL = re.compile(r"unk__\d+")

_FLOAT_LIMITS: dict[str, float] = {
    "float16": 65_504.0,
    "bfloat16": 3.3895e38,
    "float32": 3.4028234e38,
    "float64": 1.7976931348623157e308,
}
_INTEGER_BITS = {f"int{bits}": bits for bits in (8, 16, 32, 64)}
_UNSIGNED_BITS = {f"uint{bits}": bits for bits in (8, 16, 32, 64)}
FLOAT_DTYPES = frozenset(_FLOAT_LIMITS)
SUPPORTED_DTYPES = (*_FLOAT_LIMITS, *_INTEGER_BITS, *_UNSIGNED_BITS, "bool", "string")


@dataclass(frozen=True, slots=True)
class TensorDescription:
    """An input or output as the model declares it.

    ``shape`` holds a size, a free dimension's name, or None for one without a name; it is
    None itself where not even the number of dimensions is declared. ``dtype`` is numpy's name,
    ``string``, or something like ``sequence(float32)``.
    """

    name: str
    dtype: str
    shape: tuple[int | str | None, ...] | None


@dataclass(frozen=True, slots=True)
class PlannedInput:
    """An input as it will be fed: sizes, why each is what it is, and the range of its values.

    ``low`` and ``high`` are included, and None for texts.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    why: tuple[Why, ...]
    low: Number | None
    high: Number | None
    range_why: str = ""


def declared_dimension(declared: int | str) -> Dimension:
    """Return a declared size or name, and None for a name that says nothing.

    Paddle's exporter calls every free dimension ``?``: taken as one name, the height and the
    width of an image could only be equal.
    """
    return None if declared in ("", "?") else declared


def tensors_from_plain(value: object) -> tuple[TensorDescription, ...]:
    """Return the descriptions that a stored list of ``{name, dtype, shape}`` states.

    Raises Nonsense when it states none.
    """
    return decode(tuple[TensorDescription, ...], value, "inputs")


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
    planned = tuple(_plan_input(declared, choices, sizes, batch) for declared in inputs)
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
        firsts = [declared.shape[0] for declared in inputs if declared.shape]
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

    def covers(self, dimension: Dimension, *, index: int) -> bool:
        if self.symbol is not None and dimension == self.symbol:
            return True
        return self.sets_unnamed and index == 0 and _is_unnamed(dimension)


def _fixed_batch_sentence(inputs: Sequence[TensorDescription], leading: int, size: int) -> str:
    name = next(declared.name for declared in inputs if declared.shape)
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
    if declared.dtype not in SUPPORTED_DTYPES:
        raise UnsupportedInput(
            f"inputs.shapes.{declared.name}",
            f"The input “{declared.name}” is of the kind {declared.dtype}, for which carbonsite "
            "cannot make up values. Export the model with plain tensors as inputs.",
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
    for symbol, size in choices.dims.items():
        _check_size(f"inputs.dims.{symbol}", size)
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


def _check_size(field: str, size: int) -> None:
    if size < 1:
        raise InputProblem(field, f"A size must be at least 1, this is {size}.")
    if size > MAX_DIMENSION:
        raise InputProblem(field, f"A size must be at most {MAX_DIMENSION:,}, this is {size:,}.")


def _check_shape(declared: TensorDescription, shape: Sequence[int]) -> None:
    field = f"inputs.shapes.{declared.name}"
    for size in shape:
        _check_size(field, size)
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


def _plan_input(
    declared: TensorDescription, choices: InputChoices, sizes: Mapping[str, int], batch: _Batch
) -> PlannedInput:
    chosen = choices.shapes.get(declared.name)
    if declared.shape is None:
        if chosen is None:
            raise InputProblem(
                f"inputs.shapes.{declared.name}",
                f"The model does not say how many dimensions “{declared.name}” has. "
                "Set its shape before you run it.",
            )
        shape, why = tuple(chosen), tuple[Why, ...](["chosen"] * len(chosen))
    else:
        decided = [
            _decide_size(dimension, chosen[index] if chosen else None, sizes)
            if not batch.covers(dimension, index=index)
            else _decide_batch(declared, index, chosen, sizes, batch)
            for index, dimension in enumerate(declared.shape)
        ]
        shape = tuple(size for size, _ in decided)
        why = tuple(reason for _, reason in decided)
    low, high = _range_of(declared, choices)
    return PlannedInput(declared.name, declared.dtype, shape, why, low, high)


def _decide_size(
    dimension: Dimension, chosen: int | None, sizes: Mapping[str, int]
) -> tuple[int, Why]:
    if isinstance(dimension, int):
        return dimension, "declared"
    if chosen is not None:
        return chosen, "chosen"
    if isinstance(dimension, str) and dimension in sizes:
        return sizes[dimension], "chosen"
    return 1, "default 1"


def _decide_batch(
    declared: TensorDescription,
    index: int,
    chosen: Sequence[int] | None,
    sizes: Mapping[str, int],
    batch: _Batch,
) -> tuple[int, Why]:
    shape = declared.shape or ()
    size, reason = _decide_size(shape[index], chosen[index] if chosen else None, sizes)
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
            f"These inputs hold {total:,} values, of which {MAX_ELEMENT_COUNT:,} are allowed. "
            f"“{largest.name}” is the largest, {_spoken_shape(largest.shape)}: make it smaller.",
        )


def _range_of(
    declared: TensorDescription, choices: InputChoices
) -> tuple[Number | None, Number | None]:
    chosen = choices.ranges.get(declared.name)
    if declared.dtype == "string":
        if chosen is not None:
            raise InputProblem(
                f"inputs.ranges.{declared.name}",
                f"“{declared.name}” holds texts, which have no range. Leave it out.",
            )
        return None, None
    if chosen is None:
        return (0.0, 1.0) if declared.dtype in _FLOAT_LIMITS else (0, 1)
    return _checked_range(declared, *chosen)


def _checked_range(declared: TensorDescription, low: Number, high: Number) -> tuple[Number, Number]:
    field = f"inputs.ranges.{declared.name}"
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputProblem(field, "A range needs two finite numbers.")
    if low > high:
        raise InputProblem(field, f"A range runs from low to high, this one from {low} to {high}.")
    lowest, highest = _dtype_limits(declared.dtype)
    if low < lowest or high > highest:
        raise InputProblem(
            field,
            f"“{declared.name}” is of type {declared.dtype}, which holds {lowest} to {highest}.",
        )
    if declared.dtype in _FLOAT_LIMITS:
        return float(low), float(high)
    if low != int(low) or high != int(high):
        raise InputProblem(field, f"“{declared.name}” holds whole numbers: give whole ones.")
    return int(low), int(high)


def _dtype_limits(dtype: str) -> tuple[Number, Number]:
    if dtype in _FLOAT_LIMITS:
        return -_FLOAT_LIMITS[dtype], _FLOAT_LIMITS[dtype]
    if dtype in _INTEGER_BITS:
        half = 2 ** (_INTEGER_BITS[dtype] - 1)
        return -half, half - 1
    if dtype in _UNSIGNED_BITS:
        return 0, 2 ** _UNSIGNED_BITS[dtype] - 1
    return 0, 1
