"""The values that a planned input is fed with: made up, and the same ones for the same seed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runner.shapes import PlannedInput
from runner.value_ranges import FLOAT_DTYPES, map_key_dtype, member_dtype

Array = NDArray[Any]
# A sequence is a list of arrays, a map a dict of numbers or texts, all else one array.
Values = Any
MEMBER_COUNT = 3

WORDS = ("carbon", "energy", "latency", "machine", "model", "power", "sample", "watt")
_BFLOAT16_SHIFT = 16


def make_values(
    planned: Sequence[PlannedInput], *, seed: int, real: Mapping[str, Values] | None = None
) -> dict[str, Values]:
    """Return values for each planned input, by name; bfloat16 as its bits in uint16.

    An input in ``real`` is fed what stands there, and the others as if it were not.
    """
    random = np.random.default_rng(seed)
    made = {item.name: _values_of(item, random) for item in planned}
    return {**made, **(real or {})}


def _values_of(item: PlannedInput, random: np.random.Generator) -> Values:
    member = replace(item, dtype=member_dtype(item.dtype))
    if map_key_dtype(item.dtype):
        return _map_of(item, member, random)
    if "sequence(" in item.dtype:
        return [_array_of(member, random) for _ in range(MEMBER_COUNT)]
    return _array_of(member, random)


def _map_of(item: PlannedInput, member: PlannedInput, random: np.random.Generator) -> Values:
    keys: Sequence[object] = range(MEMBER_COUNT)
    if map_key_dtype(item.dtype) == "string":
        keys = (item.words or WORDS)[:MEMBER_COUNT]
    values = _array_of(replace(member, shape=(len(keys),), words=()), random)
    return dict(zip(keys, values.tolist(), strict=True))


def _array_of(item: PlannedInput, random: np.random.Generator) -> Array:
    if item.low is None or item.high is None:
        words = np.array(item.words or WORDS, dtype=object)
        return np.asarray(random.choice(words, size=item.shape), dtype=object).reshape(item.shape)
    if len(item.row) == math.prod(item.shape) and item.row and item.dtype != "bfloat16":
        return np.array(item.row, dtype=item.dtype).reshape(item.shape)
    if item.dtype in FLOAT_DTYPES:
        return _floats_of(item, random, low=float(item.low), high=float(item.high))
    drawn_as = "uint8" if item.dtype == "bool" else item.dtype
    low, high = int(item.low), int(item.high)
    drawn = random.integers(low, high, item.shape, dtype=np.dtype(drawn_as).type, endpoint=True)
    return np.asarray(drawn, dtype=item.dtype)


def _shares(item: PlannedInput, random: np.random.Generator) -> Array:
    if item.dtype == "float64":
        return np.asarray(random.random(item.shape, dtype=np.float64))
    return np.asarray(random.random(item.shape, dtype=np.float32))


def _floats_of(
    item: PlannedInput, random: np.random.Generator, *, low: float, high: float
) -> Array:
    share = _shares(item, random)
    # Weighted, not low + share * (high - low): that difference may be infinite.
    values: Array = np.clip(low * (1 - share) + high * share, low, high).astype(share.dtype)
    if item.dtype == "bfloat16":
        bits: Array = np.asarray(values).view(np.uint32) >> _BFLOAT16_SHIFT
        return np.asarray(bits).astype(np.uint16)
    return np.asarray(values, dtype=item.dtype)
