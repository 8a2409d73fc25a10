"""How many multiply-accumulates one inference takes, from the graph alone.

Only operators that multiply by weights or by each other are counted; activations, pooling and
element-wise arithmetic count as nothing, as is usual. What is heavy and cannot be counted here
is named instead, and then there is no number.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import onnx
from onnx import GraphProto, ModelProto, NodeProto, shape_inference

from runner.weights import constant_shapes, inner_graphs

Shape = tuple[int, ...]
# Twice this, the FLOPs, still fits a database's whole number.
MAX_COUNT = 2**61


@dataclass(frozen=True, slots=True)
class MacCount:
    """Multiply-accumulates per inference, None when ``uncounted`` names an operator."""

    mac_count: int | None
    uncounted: tuple[str, ...]


class _Unknown(Exception):
    """A shape that the graph does not tell."""


# Heavy, and not counted from shapes alone: their inner sizes depend on more than operands.
_UNCOUNTABLE = frozenset(
    {
        *("LSTM", "GRU", "RNN", "Einsum", "Attention", "DeformConv", "DFT", "STFT", "GridSample"),
        *("LinearClassifier", "LinearRegressor", "SVMClassifier", "SVMRegressor"),
        *("TreeEnsembleClassifier", "TreeEnsembleRegressor", "TreeEnsemble"),
    }
)
# Of com.microsoft, these are as light as their like in ONNX itself.
_LIGHT_EXTRAS = frozenset(
    {
        *("Gelu", "FastGelu", "BiasGelu", "QuickGelu", "SkipLayerNormalization"),
        *("SimplifiedLayerNormalization", "SkipSimplifiedLayerNormalization", "BiasSoftmax"),
        *("QuantizeLinear", "DequantizeLinear", "QLinearAdd", "QLinearMul", "QLinearConcat"),
        *("QLinearGlobalAveragePool", "QLinearAveragePool", "QLinearSigmoid", "QLinearLeakyRelu"),
        *("QLinearSoftmax", "Pad", "Unique", "Trilu", "Range", "RotaryEmbedding", "ReorderInput"),
        *("ReorderOutput", "BiasAdd", "BiasDropout", "BiasSplitGelu", "GroupNorm"),
    }
)


def count_macs(model: ModelProto) -> MacCount:
    """Count one inference of ``model`` with every free dimension 1.

    ``model`` may lack its weights' values; it is changed.
    """
    shapes = _known_shapes(model)
    functions = {function.name for function in model.functions}
    total = 0
    uncounted: dict[str, None] = {}
    for node in model.graph.node:
        if _is_opaque(node, functions):
            uncounted[_label(node)] = None
        elif node.op_type in _RULES:
            try:
                total += _RULES[node.op_type](node, shapes)
            except (_Unknown, IndexError):
                uncounted[_label(node)] = None
    if uncounted or total > MAX_COUNT:
        return MacCount(None, tuple(sorted(uncounted)))
    return MacCount(total, ())


def _label(node: NodeProto) -> str:
    is_plain = node.domain in ("", "ai.onnx")
    return node.op_type if is_plain else f"{node.domain}.{node.op_type}"


def _is_opaque(node: NodeProto, functions: set[str]) -> bool:
    if node.op_type in _UNCOUNTABLE or node.op_type in functions:
        return True
    if node.domain == "com.microsoft":
        return node.op_type not in _LIGHT_EXTRAS
    return any(_is_heavy(graph) for graph in inner_graphs(node))


def _is_heavy(graph: GraphProto) -> bool:
    """Whether a loop's or condition's body does work that would have to be counted."""
    return any(node.op_type in _RULES or _is_opaque(node, set()) for node in graph.node)


def _known_shapes(model: ModelProto) -> dict[str, Shape]:
    _set_free_dimensions(model.graph, 1)
    # Declared inner shapes may name what is a number now; inference finds them again.
    del model.graph.value_info[:]
    for output in model.graph.output:
        if output.type.HasField("tensor_type"):
            output.type.tensor_type.ClearField("shape")
    try:
        inferred = shape_inference.infer_shapes(model, data_prop=True).graph
    # What a stranger's graph makes inference raise is no fixed set, and costs only the count.
    except (RuntimeError, ValueError, TypeError, shape_inference.InferenceError):
        inferred = model.graph
    shapes = dict(constant_shapes(inferred))
    for value in (*inferred.input, *inferred.value_info, *inferred.output):
        shape = _whole_shape(value)
        if shape is not None:
            shapes.setdefault(value.name, shape)
    return shapes


def _set_free_dimensions(graph: GraphProto, size: int) -> None:
    for value in graph.input:
        if not value.type.tensor_type.HasField("shape"):
            continue
        for dimension in value.type.tensor_type.shape.dim:
            if not dimension.HasField("dim_value") or dimension.dim_value <= 0:
                dimension.dim_value = size


def _whole_shape(value: onnx.ValueInfoProto) -> Shape | None:
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    if not all(dimension.HasField("dim_value") for dimension in tensor.shape.dim):
        return None
    return tuple(dimension.dim_value for dimension in tensor.shape.dim)


def _shape(shapes: Mapping[str, Shape], name: str) -> Shape:
    shape = shapes.get(name)
    if shape is None or any(size < 0 for size in shape):
        raise _Unknown(name)
    return shape


def _convolution(weight_place: int) -> Callable[[NodeProto, Mapping[str, Shape]], int]:
    def macs(node: NodeProto, shapes: Mapping[str, Shape]) -> int:
        # A weight has shape (outputs, inputs per group, kernel...).
        weight = _shape(shapes, node.input[weight_place])
        return math.prod(_shape(shapes, node.output[0])) * math.prod(weight[1:])

    return macs


def _transposed_convolution(node: NodeProto, shapes: Mapping[str, Shape]) -> int:
    # A weight has shape (inputs, outputs per group, kernel...).
    weight = _shape(shapes, node.input[1])
    return math.prod(_shape(shapes, node.input[0])) * math.prod(weight[1:])


def _gemm(node: NodeProto, shapes: Mapping[str, Shape]) -> int:
    first = _shape(shapes, node.input[0])
    is_transposed = any(item.name == "transA" and item.i for item in node.attribute)
    shared = first[0] if is_transposed else first[1]
    return math.prod(_shape(shapes, node.output[0])) * shared


def _matrix_product(
    first_place: int, second_place: int
) -> Callable[[NodeProto, Mapping[str, Shape]], int]:
    def macs(node: NodeProto, shapes: Mapping[str, Shape]) -> int:
        _shape(shapes, node.input[second_place])
        shared = _shape(shapes, node.input[first_place])[-1]
        return math.prod(_shape(shapes, node.output[0])) * shared

    return macs


_RULES: dict[str, Callable[[NodeProto, Mapping[str, Shape]], int]] = {
    "Conv": _convolution(1),
    "ConvInteger": _convolution(1),
    "QLinearConv": _convolution(3),
    "ConvTranspose": _transposed_convolution,
    "Gemm": _gemm,
    "MatMul": _matrix_product(0, 1),
    "MatMulInteger": _matrix_product(0, 1),
    "QLinearMatMul": _matrix_product(0, 3),
}
