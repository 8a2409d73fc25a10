"""The values that a planned input is fed with: made up, and the same ones for the same seed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runner.shapes import FLOAT_DTYPES, PlannedInput

Values = NDArray[Any]

WORDS = ("carbon", "energy", "latency", "machine", "model", "power", "sample", "watt")
_BFLOAT16_SHIFT = 16


def make_values(planned: Sequence[PlannedInput], *, seed: int) -> dict[str, Values]:
    """Return an array for each planned input, by name; bfloat16 as its bits in uint16."""
    random = np.random.default_rng(seed)
    return {item.name: _values_of(item, random) for item in planned}


def _values_of(item: PlannedInput, random: np.random.Generator) -> Values:
    if item.low is None or item.high is None:
        return random.choice(np.array(WORDS, dtype=object), size=item.shape).reshape(item.shape)
    if item.dtype in FLOAT_DTYPES:
        return _floats_of(item, random, low=float(item.low), high=float(item.high))
    drawn_as = "uint8" if item.dtype == "bool" else item.dtype
    low, high = int(item.low), int(item.high)
    drawn = random.integers(low, high, item.shape, dtype=np.dtype(drawn_as).type, endpoint=True)
    return np.asarray(drawn, dtype=item.dtype)


def _shares(item: PlannedInput, random: np.random.Generator) -> Values:
    if item.dtype == "float64":
        return np.asarray(random.random(item.shape, dtype=np.float64))
    return np.asarray(random.random(item.shape, dtype=np.float32))


def _floats_of(
    item: PlannedInput, random: np.random.Generator, *, low: float, high: float
) -> Values:
    share = _shares(item, random)
    # Weighted, not low + share * (high - low): that difference may be infinite.
    values: Values = np.clip(low * (1 - share) + high * share, low, high).astype(share.dtype)
    if item.dtype == "bfloat16":
        bits: Values = values.view(np.uint32) >> _BFLOAT16_SHIFT
        return bits.astype(np.uint16)
    return np.asarray(values, dtype=item.dtype)
