import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.picture_blocks import picture_and_block, steps_of


def blocks_along(size, block, *, stride, dilation, pads):
    """How many blocks lie along an axis. Source: the ONNX operator documentation, Col2Im."""
    return (size + pads - dilation * (block - 1) - 1) // stride + 1


# ONNX's own test cases for Col2Im: columns, strides, dilations, pads, and how many axes.
CASES = [
    ((1, 5, 5), (), (), (), 2),
    ((1, 9, 4), (2, 2), (), (), 2),
    ((1, 5, 15), (), (), (0, 1, 0, 1), 2),
    ((1, 4, 5), (), (1, 5), (), 2),
    ((1, 10, 12), (), (), (), 3),
]


@pytest.mark.parametrize("columns, strides, dilations, pads, axis_count", CASES)
def test_the_blocks_of_a_picture_are_the_columns(columns, strides, dilations, pads, axis_count):
    steps = steps_of(strides=strides, dilations=dilations, pads=pads)

    picture, block = picture_and_block(columns, axis_count, steps)

    assert columns[1] % math.prod(block) == 0
    along = [
        blocks_along(
            picture[axis],
            block[axis],
            stride=strides[axis] if strides else 1,
            dilation=dilations[axis] if dilations else 1,
            pads=pads[axis] + pads[axis + axis_count] if pads else 0,
        )
        for axis in range(axis_count)
    ]
    assert math.prod(along) == columns[2]


@given(
    st.integers(1, 10_000),
    st.integers(1, 10_000),
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=4),
)
def test_without_pads_something_always_fits(values, count, axes):
    strides, dilations = zip(*axes, strict=True)
    steps = steps_of(strides=strides, dilations=dilations, pads=())

    picture, block = picture_and_block((1, values, count), len(axes), steps)

    assert values % math.prod(block) == 0
    along = [
        blocks_along(size, side, stride=stride, dilation=dilation, pads=0)
        for size, side, stride, dilation in zip(picture, block, strides, dilations, strict=True)
    ]
    assert math.prod(along) == count


@pytest.mark.parametrize(
    "columns, axis_count, steps",
    [
        ((1, 9), 2, ()),
        ((1, 9, 0), 2, ()),
        # Strides of three axes for a picture of two.
        ((1, 9, 4), 2, (1, 1, 1, 1, 1, 1, 0, 0, 0)),
        # Pads that leave nothing of the picture.
        ((1, 1, 1), 2, (1, 1, 1, 1, 2, 2)),
        # Strides that no memory holds a picture for.
        ((1, 9, 4), 2, (2**62, 2**62, 1, 1, 0, 0)),
    ],
)
def test_nothing_is_made_up_where_nothing_fits(columns, axis_count, steps):
    assert picture_and_block(columns, axis_count, steps) is None


def test_more_axes_than_any_picture_has_are_not_looked_at():
    assert steps_of(strides=(1,) * 33, dilations=(), pads=()) is None
