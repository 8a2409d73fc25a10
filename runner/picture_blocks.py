"""The picture and the blocks that fit the columns of a Col2Im, where all three are fed.

Col2Im lays blocks of values over each other to a picture: how many blocks there are and how
many values each has is the shape of the columns, and nothing declares that the sizes that come
as values have to fit it. Source: the ONNX operator documentation.
"""

import math
import operator
from collections.abc import Iterator, Sequence

from runner.descriptions import MAX_SIZE, Number

# Sides of a block, the likeliest first: 3 is that of most convolutions, and 1 always fits.
_SIDES = (3, 2, 1)
_ROUNDING = 1e-9
_MAX_AXES = 32


def steps_of(
    *, strides: Sequence[int], dilations: Sequence[int], pads: Sequence[int]
) -> tuple[int, ...] | None:
    """Return strides, dilations and pads as `picture_and_block` takes them, each () by default.

    None where there are more than any picture has axes.

    >>> steps_of(strides=(), dilations=(), pads=(0, 1, 0, 1))
    (1, 1, 1, 1, 0, 2)
    """
    axis_count = max(len(strides), len(dilations), len(pads) // 2)
    if axis_count > _MAX_AXES:
        return None
    starts, ends = pads[:axis_count], pads[axis_count:]
    return (
        *(strides or (1,) * axis_count),
        *(dilations or (1,) * axis_count),
        *(map(operator.add, starts, ends) if pads else (0,) * axis_count),
    )


def picture_and_block(
    columns: Sequence[int], axis_count: int, steps: Sequence[Number] = ()
) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Return the sizes of a picture and of a block that fit ``columns``, None where none is found.

    ``columns`` is a shape: items, channels times values of a block, blocks. ``steps`` are the
    strides along the ``axis_count`` axes, then the dilations, then both pads together; none of
    them for 1, 1 and 0.

    >>> picture_and_block((1, 9, 4), 2, (2, 2, 1, 1, 0, 0))
    ((5, 5), (3, 3))
    """
    steps = steps or (*(1,) * 2 * axis_count, *(0,) * axis_count)
    if len(columns) != 3 or min(columns) < 1 or len(steps) != 3 * axis_count:
        return None
    along_axes = [tuple(map(int, steps[axis::axis_count])) for axis in range(axis_count)]
    for side in _SIDES:
        if columns[1] % side**axis_count:
            continue
        for counts in _spreads(columns[2], axis_count):
            picture = tuple(
                (count - 1) * stride + dilation * (side - 1) + 1 - pads
                for count, (stride, dilation, pads) in zip(counts, along_axes, strict=True)
            )
            if min(picture) > 0 and math.prod(picture) <= MAX_SIZE:
                return picture, (side,) * axis_count
    return None


def _spreads(count: int, axis_count: int) -> Iterator[tuple[int, ...]]:
    """Yield numbers whose product is ``count``: even ones first, then all along one axis."""
    even, left = [], count
    for axes_left in range(axis_count, 0, -1):
        most = int(left ** (1 / axes_left) + _ROUNDING)
        even.append(next(size for size in range(most, 0, -1) if left % size == 0))
        left //= even[-1]
    yield tuple(even)
    yield tuple(reversed(even))
    for place in range(axis_count):
        yield tuple(count if axis == place else 1 for axis in range(axis_count))
