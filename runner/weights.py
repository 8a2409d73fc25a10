"""Which of a model's constants are weights, and how many numbers they hold.

A constant is a weight unless it only steers: shapes, axes, bounds, scales of quantisation,
whole numbers and lone numbers such as the 0.5 in ``x * 0.5``.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, numpy_helper
from onnx.helper import tensor_dtype_to_np_dtype

_ALL = frozenset(range(64))
# Operand places that hold no weights, by operator. Source: ONNX operator documentation.
_STEERING_PLACES: dict[str, frozenset[int]] = {
    **dict.fromkeys(("Reshape", "Expand", "Tile", "Pad", "Slice"), _ALL - {0}),
    **dict.fromkeys(("Squeeze", "Unsqueeze", "Split", "TopK", "Trilu", "CumSum"), _ALL - {0}),
    **dict.fromkeys(("Resize", "Upsample", "Clip", "Dropout", "OneHot"), _ALL - {0}),
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear"), _ALL - {0}),
    **dict.fromkeys(("Range", "ConstantOfShape", "ConstantFill", "Loop", "If"), _ALL),
    **dict.fromkeys(("NonMaxSuppression", "RandomUniformLike", "Shape", "Size"), _ALL),
    **dict.fromkeys(("Gather", "GatherElements", "GatherND"), frozenset({1})),
    **dict.fromkeys(("ScatterND", "ScatterElements"), frozenset({1})),
    "QLinearConv": _ALL - {0, 3, 8},
    "QLinearMatMul": _ALL - {0, 3},
    **dict.fromkeys(("MatMulInteger", "ConvInteger"), _ALL - {0, 1}),
    # Running averages are statistics, not learned: without them ResNet-50 has its 25,557,032.
    "BatchNormalization": frozenset({3, 4}),
    # Where a recurrent network's memory starts; all else is learned.
    **dict.fromkeys(("LSTM", "GRU", "RNN"), frozenset({4, 5, 6})),
}
_ARITHMETIC = frozenset({"Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Mod", "Where"})
_FLOATS = frozenset(
    {
        TensorProto.FLOAT,
        TensorProto.DOUBLE,
        TensorProto.FLOAT16,
        TensorProto.BFLOAT16,
        TensorProto.FLOAT8E4M3FN,
        TensorProto.FLOAT8E4M3FNUZ,
        TensorProto.FLOAT8E5M2,
        TensorProto.FLOAT8E5M2FNUZ,
        TensorProto.COMPLEX64,
        TensorProto.COMPLEX128,
    }
)
_NARROW = frozenset({TensorProto.INT8, TensorProto.UINT8, TensorProto.INT4, TensorProto.UINT4})
_REDUCTIONS = "Reduce"
MAX_FILLED_COUNT = 2**40


@dataclass(frozen=True, slots=True)
class _Constant:
    name: str
    dtype: int
    shape: tuple[int, ...]
    is_stored: bool

    @property
    def element_count(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class _Use:
    operator: str
    place: int


def parameter_count(graph: GraphProto) -> int:
    """Return how many numbers the weights of ``graph`` and of its inner graphs hold."""
    return sum(weight.element_count for weight in _weights(graph))


def weight_bytes(graph: GraphProto) -> int:
    """Return the bytes of these weights, in the types in which the file holds them."""
    return math.ceil(sum(w.element_count * element_bytes(w.dtype) for w in _weights(graph)))


def element_bytes(dtype: int) -> float:
    """Return the bytes of one number of an ONNX type; half a byte for one of four bits."""
    if dtype in (TensorProto.INT4, TensorProto.UINT4):
        return 0.5
    try:
        return float(tensor_dtype_to_np_dtype(dtype).itemsize)
    except (KeyError, ValueError, TypeError):
        return 0.0


def _weights(graph: GraphProto) -> Iterator["_Constant"]:
    constants = {constant.name: constant for constant in _constants(graph)}
    uses: dict[str, list[_Use]] = {}
    for node in nodes_within(graph):
        for place, name in enumerate(node.input):
            if name in constants:
                uses.setdefault(name, []).append(_Use(node.op_type, place))
    for name, found in uses.items():
        if any(_is_weight(constants[name], use) for use in found):
            yield constants[name]


def graphs_within(graph: GraphProto) -> Iterator[GraphProto]:
    """Yield ``graph`` and the graphs inside its nodes, outermost first."""
    yield graph
    for node in graph.node:
        for inner in inner_graphs(node):
            yield from graphs_within(inner)


def inner_graphs(node: NodeProto) -> Iterator[GraphProto]:
    """Yield the graphs that ``node`` holds: a loop's body, a condition's branches."""
    yield from graphs_of(node.attribute)


def graphs_of(attributes: Iterable[AttributeProto]) -> Iterator[GraphProto]:
    """Yield the graphs among ``attributes``, without those inside of them."""
    for attribute in attributes:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def nodes_within(graph: GraphProto) -> Iterator[NodeProto]:
    """Yield every node of ``graph`` and of its inner graphs."""
    for found in graphs_within(graph):
        yield from found.node


def constant_shapes(graph: GraphProto) -> dict[str, tuple[int, ...]]:
    """Return the shape of every named constant within ``graph``."""
    return {constant.name: constant.shape for constant in _constants(graph)}


def _constants(graph: GraphProto) -> Iterator[_Constant]:
    for found in graphs_within(graph):
        small = {tensor.name: tensor for tensor in found.initializer}
        for tensor in found.initializer:
            yield _Constant(tensor.name, tensor.data_type, tuple(tensor.dims), True)
        for sparse in found.sparse_initializer:
            values = sparse.values
            yield _Constant(values.name, values.data_type, tuple(values.dims), True)
        # A node without outputs feeds nothing, and a stranger may write one.
        for node in (node for node in found.node if node.output):
            if node.op_type == "Constant":
                small.update((node.output[0], tensor) for tensor in _tensors_of(node))
                yield from _constant_of(node)
            elif node.op_type in ("ConstantOfShape", "ConstantFill"):
                yield from _filled_constant(node, small)


def _tensors_of(node: NodeProto) -> Iterable[TensorProto]:
    return (attribute.t for attribute in node.attribute if attribute.name == "value")


def _constant_of(node: NodeProto) -> Iterator[_Constant]:
    for attribute in node.attribute:
        if attribute.name == "value":
            yield _Constant(node.output[0], attribute.t.data_type, tuple(attribute.t.dims), False)
        elif attribute.name == "sparse_value":
            values = attribute.sparse_tensor.values
            yield _Constant(node.output[0], values.data_type, tuple(values.dims), False)
        elif attribute.name == "value_floats":
            shape = (len(attribute.floats),)
            yield _Constant(node.output[0], TensorProto.FLOAT, shape, False)


def _filled_constant(node: NodeProto, known: dict[str, TensorProto]) -> Iterator[_Constant]:
    wanted = known.get(node.input[0]) if node.input else None
    if wanted is None:
        return
    shape = _small_integers(wanted)
    if shape is not None:
        dtypes = [tensor.data_type for tensor in _tensors_of(node)]
        dtype = dtypes[0] if dtypes else TensorProto.FLOAT
        yield _Constant(node.output[0], dtype, shape, False)


def _small_integers(tensor: TensorProto) -> tuple[int, ...] | None:
    """The numbers in a shape tensor, None where they are not there or make no shape."""
    # Its payload may have been left out of the skeleton, or never have fitted its dims.
    if tensor.data_type != TensorProto.INT64 or math.prod(tensor.dims) > 32:
        return None
    try:
        sizes = [int(size) for size in numpy_helper.to_array(tensor).ravel()]
    except (ValueError, TypeError):
        return None
    is_possible = min(sizes, default=0) >= 0 and math.prod(sizes) <= MAX_FILLED_COUNT
    return tuple(sizes) if is_possible else None


def _is_weight(constant: _Constant, use: _Use) -> bool:
    if use.place in _STEERING_PLACES.get(use.operator, ()):
        return False
    if use.operator.startswith(_REDUCTIONS):
        return False
    if constant.dtype == TensorProto.INT32:
        return (use.operator, use.place) in (("QLinearConv", 8), ("DequantizeLinear", 0))
    if constant.dtype in _NARROW:
        return True
    if constant.dtype not in _FLOATS:
        return False
    is_lone = constant.shape == () or (constant.element_count == 1 and not constant.is_stored)
    return not (is_lone and use.operator in _ARITHMETIC)
