"""The lowest and the highest value that an input is fed with, and why."""

import math
import re
from collections.abc import Mapping

from runner.descriptions import InputHint, Number, TensorDescription
from runner.errors import InputProblem
from runner.job import InputChoices

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
# onnxruntime takes these from Python: a list for a sequence, a dict for a map.
_CONTAINER = re.compile(r"(?:sequence|optional|optional\(sequence)\((\w+)\)+")
_MAP = re.compile(r"map\((int64|string), (float32|float64|int64|string)\)")


def member_dtype(dtype: str) -> str:
    """Return the type of the numbers in a tensor, a sequence, an optional or a map.

    >>> member_dtype("sequence(float32)"), member_dtype("map(string, int64)")
    ('float32', 'int64')
    """
    container, pairs = _CONTAINER.fullmatch(dtype), _MAP.fullmatch(dtype)
    return container[1] if container else pairs[2] if pairs else dtype


def map_key_dtype(dtype: str) -> str | None:
    """Return the type of a map's keys, None for what is no map."""
    pairs = _MAP.fullmatch(dtype)
    return pairs[1] if pairs else None


def is_supported(dtype: str) -> bool:
    """Whether values of ``dtype`` can be made up and handed to onnxruntime."""
    member = member_dtype(dtype)
    return member in SUPPORTED_DTYPES and (member == dtype or member != "bfloat16")


def range_of(
    declared: TensorDescription,
    choices: InputChoices,
    shape_by_input: Mapping[str, tuple[int, ...]],
) -> tuple[Number | None, Number | None, str]:
    """Return lowest value, highest value and why; both None for texts.

    Raises InputProblem for a chosen range that the type cannot hold.
    """
    chosen = choices.ranges.get(declared.name)
    hint = declared.hint or InputHint()
    dtype = member_dtype(declared.dtype)
    if dtype == "string":
        if chosen is not None:
            raise InputProblem(
                f"inputs.ranges.{declared.name}",
                f"“{declared.name}” holds texts, which have no range. Leave it out.",
            )
        return None, None, hint.range_why
    if chosen is not None:
        return (*_checked_range(declared.name, dtype, *chosen), "chosen")
    measured = _measured_length(hint, shape_by_input)
    if measured is not None:
        return (*_in_dtype(dtype, measured, measured), hint.range_why)
    if hint.low is not None and hint.high is not None:
        return (*_in_dtype(dtype, hint.low, hint.high), hint.range_why)
    return (*_in_dtype(dtype, 0, 1), "")


def _measured_length(hint: InputHint, shape_by_input: Mapping[str, tuple[int, ...]]) -> int | None:
    if hint.length_of is None:
        return None
    name, axis = hint.length_of
    shape = shape_by_input.get(name, ())
    return shape[axis] if 0 <= axis < len(shape) else None


def _in_dtype(dtype: str, low: Number, high: Number) -> tuple[Number, Number]:
    lowest, highest = _dtype_limits(dtype)
    low, high = (min(max(end, lowest), highest) for end in (low, high))
    return (float(low), float(high)) if dtype in _FLOAT_LIMITS else (int(low), int(high))


def _checked_range(name: str, dtype: str, low: Number, high: Number) -> tuple[Number, Number]:
    field = f"inputs.ranges.{name}"
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputProblem(field, "A range needs two finite numbers.")
    if low > high:
        raise InputProblem(field, f"A range runs from low to high, this one from {low} to {high}.")
    lowest, highest = _dtype_limits(dtype)
    if low < lowest or high > highest:
        raise InputProblem(
            field,
            f"“{name}” is of type {dtype}, which holds {lowest} to {highest}.",
        )
    if dtype in _FLOAT_LIMITS:
        return float(low), float(high)
    if low != int(low) or high != int(high):
        raise InputProblem(field, f"“{name}” holds whole numbers: give whole ones.")
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
