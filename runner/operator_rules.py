"""What each operator's use of an input tells of the input: sizes that fit, values it accepts.

Source of the operators' operands: the ONNX operator documentation, and onnxruntime's for
``com.microsoft``.
"""

import itertools
import math

from runner.column_rules import COLUMN_RULES, run_of
from runner.facts import (
    SMALL_COUNT,
    Fact,
    Facts,
    Rule,
    fixed_at,
    kind_at,
    row_at,
    rows_at,
    size_at,
    values_at,
    weight_shape,
)
from runner.picture_blocks import steps_of
from runner.traces import Use


def facts_of(use: Use) -> Facts:
    """Yield what the node in ``use`` tells of the inputs that reach it."""
    rule = _RULES.get(use.node.op_type)
    if rule is not None:
        yield from rule(use)


_SPATIAL = {4: ("image height", "image width"), 5: ("depth", "image height", "image width")}


def _convolution(weight_place: int) -> Rule:
    def rule(use: Use) -> Facts:
        shape = weight_shape(use, weight_place, rank=3)
        rank = len(shape) if shape else 4
        if shape:
            is_transposed = use.node.op_type == "ConvTranspose"
            group = max(1, use.integer("group", 1))
            channels = shape[0] if is_transposed else shape[1] * group
            why = f"a convolution takes {channels:,} channels"
            yield from size_at(use, (0, 1), "exactly", channels, why)
            if rank == 3:
                yield from kind_at(use, 0, 2, "signal" if channels == 1 else "sequence")
            for trace in use.traces(0):
                if trace.axes is None and trace.is_value:
                    yield Fact(trace.input, None, "shape", (1, channels, *(0,) * (rank - 2)))
        for place, kind in enumerate(_SPATIAL.get(rank, ())):
            yield from kind_at(use, 0, 2 + place, kind)

    return rule


def _spatial(use: Use) -> Facts:
    kernel = use.integers("kernel_shape") or (1, 1)
    for place, kind in enumerate(_SPATIAL.get(2 + len(kernel), ())):
        yield from kind_at(use, 0, 2 + place, kind)


def _product(second_place: int) -> Rule:
    def rule(use: Use) -> Facts:
        first, second = weight_shape(use, 0, rank=1), weight_shape(use, second_place, rank=1)
        if second:
            rows = second[-2] if len(second) > 1 else second[0]
            why = f"found from a {use.node.op_type} with a weight of {rows:,} rows"
            yield from size_at(use, (0, -1), "exactly", rows, why)
            for trace in use.traces(0):
                if trace.axes is None and trace.is_value:
                    yield Fact(trace.input, None, "shape", (1, rows), why)
        if first:
            why = f"found from a {use.node.op_type} with a weight of {first[-1]:,} columns"
            yield from size_at(use, (second_place, -2), "exactly", first[-1], why)

    return rule


def _gemm(use: Use) -> Facts:
    weight = weight_shape(use, 1, rank=2)
    if weight is None:
        return
    rows = weight[1] if use.integer("transB", 0) else weight[0]
    why = f"found from a Gemm with a weight of {rows:,} rows"
    yield from size_at(use, (0, 0 if use.integer("transA", 0) else 1), "exactly", rows, why)


def _recurrent(use: Use) -> Facts:
    weight, recurrence = weight_shape(use, 1, rank=3), weight_shape(use, 2, rank=3)
    sequence_axis, batch_axis = (1, 0) if use.integer("layout", 0) else (0, 1)
    name = use.node.op_type
    if weight:
        why = f"found from an {name} that takes {weight[2]:,} features"
        yield from size_at(use, (0, 2), "exactly", weight[2], why)
    yield from kind_at(use, 0, sequence_axis, "sequence")
    yield from kind_at(use, 0, batch_axis, "batch")
    for trace in use.traces(0):
        axis = trace.source_axis(sequence_axis)
        if axis is not None:
            yield from values_at(use, 4, "length", axis, words=(trace.input,))
    for place in (5, 6):
        yield from kind_at(use, place, batch_axis, "batch")
        if recurrence:
            why = f"found from an {name} with {recurrence[2]:,} hidden values"
            yield from size_at(use, (place, 2), "exactly", recurrence[2], why)
            why = f"an {name} in {recurrence[0]} direction{'s' * (recurrence[0] > 1)}"
            yield from size_at(use, (place, 1 - batch_axis), "exactly", recurrence[0], why)


def _gather(use: Use) -> Facts:
    shape = weight_shape(use, 0, rank=1)
    if shape is None:
        # Whatever is picked from, there is a first of it.
        yield from values_at(use, 1, "weak", 0, 0, why="places in another value: the first")
        return
    axis = use.integer("axis", 0)
    rows = shape[axis] if -len(shape) <= axis < len(shape) else 0
    if rows > 0:
        what = "the embedding has" if len(shape) == 2 and rows > 16 else "the table has"
        why = f"{what} {rows:,} rows"
        yield from values_at(use, 1, "range", 0, rows - 1, why=why)
    if len(shape) == 2:
        for trace in use.traces(1):
            if trace.axes is not None and len(trace.axes) > 1:
                yield from kind_at(use, 1, -1, "sequence")


def _embedding(use: Use) -> Facts:
    for place, table in ((0, 2), (1, 4)):
        shape = weight_shape(use, table, rank=2)
        if shape:
            why = f"the embedding has {shape[0]:,} rows"
            yield from values_at(use, place, "range", 0, shape[0] - 1, why=why)
        yield from kind_at(use, place, 1, "sequence")
    yield from values_at(use, 7, "exactly", 1, why="a mask: all ones")


def _one_hot(use: Use) -> Facts:
    depth = use.constant(1)
    if depth is not None and depth.numbers and depth.numbers[0] >= 1:
        count = int(depth.numbers[0])
        yield from values_at(use, 0, "range", 0, count - 1, why=f"{count:,} classes")
    yield from values_at(use, 1, "exactly", SMALL_COUNT, why=f"a number of classes: {SMALL_COUNT}")


def _per_channel(axis: int) -> Rule:
    def rule(use: Use) -> Facts:
        scale = weight_shape(use, 1, rank=1)
        if scale and math.prod(scale) > 1:
            why = f"the {use.node.op_type} has {scale[-1]:,} scales"
            yield from size_at(use, (0, axis), "exactly", scale[-1], why)

    return rule


def _elementwise(use: Use) -> Facts:
    for place, other in ((0, 1), (1, 0)):
        constant = use.constant(other)
        for back, size in enumerate(reversed(constant.shape if constant else ()), start=1):
            if size > 1:
                why = f"the {use.node.op_type} brings {size:,} values"
                yield from size_at(use, (place, -back), "broadcast", size, why)
    if use.node.op_type in ("Div", "Mod"):
        yield from values_at(use, 1, "divisor", 1, SMALL_COUNT, why="divides: never 0")
    if use.node.op_type == "Equal":
        yield from _compared(use)


def _compared(use: Use) -> Facts:
    for place, other in ((0, 1), (1, 0)):
        constant = use.constant(other)
        numbers = constant.numbers if constant is not None else None
        if numbers and len(numbers) == 1:
            why = "the graph compares it with this value"
            yield from values_at(use, place, "choice", numbers[0], why=why)
        elif numbers:
            # How a one-hot code is written out: every class against the value.
            why = f"the graph compares it with {len(numbers):,} values"
            yield from values_at(use, place, "range", *run_of(numbers), why=why)


def _split(use: Use) -> Facts:
    yield from row_at(use, 1, f"parts {use.integer('axis', 0)}", "equal parts")
    parts = use.axes_wanted(1) if use.constant(1) is not None else use.integers("split")
    if parts and sum(parts) > 1:
        why = f"split into {len(parts)} parts of {sum(parts):,} in all"
        axis = use.integer("axis", 0)
        yield from size_at(use, (0, axis), "exactly", sum(parts), why)


def _loop(use: Use) -> Facts:
    # One round more than its body has values for is one too many; the first is always there.
    for count in (SMALL_COUNT, 1):
        yield from values_at(use, 0, "exactly", count, why=f"a number of rounds: {count}")
    yield from values_at(use, 1, "exactly", 1, why="whether to go on: true")


def _resize(use: Use) -> Facts:
    if len(use.node.input) > 2:
        yield from row_at(use, 2, "factors", "factors: twice the height and width")
        yield from row_at(use, 3, "doubled", "sizes: twice the height and width")
    else:
        yield from row_at(use, 1, "factors", "factors: twice the height and width")
    for place, kind in ((2, "image height"), (3, "image width")):
        yield from kind_at(use, 0, place, kind)


def _blocks(use: Use) -> Facts:
    yield from values_at(use, 2, "exactly", 1, why="blocks of one value")
    strides, dilations, pads = (
        use.integers(name) or () for name in ("strides", "dilations", "pads")
    )
    steps = steps_of(strides=strides, dilations=dilations, pads=pads)
    # One of the two alone would have to fit the other, which is made or computed elsewhere.
    if steps is None or not use.traces(1) or not use.traces(2):
        return
    for trace in use.traces(0):
        if trace.is_value and trace.axes == (0, 1, 2):
            for place, kind, why in (
                (1, "picture of blocks", "a picture that its blocks fill"),
                (2, "block", "blocks that fill the picture"),
            ):
                words = (kind, trace.input)
                yield from values_at(use, place, "row", *steps, why=why, words=words)


_ZERO_AXIS = "an axis: the first"
_AXES = "axes: the first ones"
_REDUCTIONS = (
    *("Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare"),
)
_RULES: dict[str, Rule] = {
    **COLUMN_RULES,
    **dict.fromkeys(("Conv", "ConvTranspose", "ConvInteger"), _convolution(1)),
    **{"QLinearConv": _convolution(3), "FusedConv": _convolution(1)},
    **dict.fromkeys(("MaxPool", "AveragePool", "LpPool"), _spatial),
    **dict.fromkeys(("MatMul", "MatMulInteger", "MatMulNBits"), _product(1)),
    **{"DynamicQuantizeMatMul": _product(1), "QLinearMatMul": _product(3)},
    "Gemm": _gemm,
    **dict.fromkeys(("LSTM", "GRU", "RNN", "DynamicQuantizeLSTM"), _recurrent),
    **dict.fromkeys(("Gather", "GatherElements", "GatherND"), _gather),
    "EmbedLayerNormalization": _embedding,
    "OneHot": _one_hot,
    **dict.fromkeys(("BatchNormalization", "InstanceNormalization"), _per_channel(1)),
    **dict.fromkeys(("LayerNormalization", "SkipLayerNormalization"), _per_channel(-1)),
    **dict.fromkeys(
        ("Add", "Sub", "Mul", "Div", "Pow", "Mod", "Equal", "Greater", "Less"), _elementwise
    ),
    **dict.fromkeys(("Split", "SplitToSequence"), _split),
    "Loop": _loop,
    "Range": fixed_at(
        (0, 0, "a start: 0"), (1, SMALL_COUNT, f"an end: {SMALL_COUNT}"), (2, 1, "a step: 1")
    ),
    **dict.fromkeys(("Resize", "Upsample"), _resize),
    "TopK": fixed_at((1, 1, "how many to keep: 1")),
    "ConstantOfShape": fixed_at((0, 2, "a size: 2")),
    **dict.fromkeys(("Expand", "Tile"), fixed_at((1, 1, "a size: 1"))),
    "Reshape": rows_at((1, "free first", "a shape: all in the first dimension")),
    "Col2Im": _blocks,
    "AffineGrid": rows_at((1, "picture", "a picture of 8 x 8")),
    "Slice": lambda use: itertools.chain(
        fixed_at((1, 0, "a start: 0"), (2, 1, "an end: 1"), (4, 1, "a step: 1"))(use),
        row_at(use, 3, "axes", _AXES),
    ),
    "Pad": fixed_at((1, 0, "padding: none"), (3, 0, _ZERO_AXIS)),
    **dict.fromkeys(("Unsqueeze", "Squeeze"), rows_at((1, "axes", _AXES))),
    "CumSum": fixed_at((1, 0, _ZERO_AXIS)),
    **dict.fromkeys(
        [f"Reduce{kind}" for kind in _REDUCTIONS],
        rows_at((1, "axes", _AXES)),
    ),
    "Trilu": fixed_at((1, 0, "a diagonal: the main one")),
    "MaxUnpool": rows_at((2, "doubled", "sizes: twice the height and width")),
    "NonMaxSuppression": fixed_at((2, SMALL_COUNT, f"boxes to keep: {SMALL_COUNT}")),
    "Dropout": fixed_at((1, 0, "no dropout"), (2, 0, "not training")),
    "BitShift": fixed_at((1, 1, "a shift by 1")),
    **dict.fromkeys(
        ("ScatterElements", "ScatterND", "Scatter"), fixed_at((1, 0, "a place: the first"))
    ),
}
