"""How many multiply-accumulates one inference takes, from the graph alone.

Only operators that multiply by weights or by each other are counted; activations, pooling and
element-wise arithmetic count as nothing, as is usual. What is heavy and cannot be counted here
is named instead, and then there is no number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import onnx
from onnx import GraphProto, ModelProto, NodeProto, shape_inference

from runner.mac_rules import EINSUM, MAC_RULES, Shape, UnknownShape, mac_count
from runner.weights import constant_shapes, inner_graphs

# Twice this, the FLOPs, still fits a database's whole number.
MAX_COUNT = 2**61
PLAIN_DOMAINS = ("", "ai.onnx.ml")


@dataclass(frozen=True, slots=True)
class MacCount:
    """Multiply-accumulates per inference, None when ``uncounted`` names an operator."""

    mac_count: int | None
    uncounted: tuple[str, ...]


# Counted from the graph: their operands' shapes are usually known before anything runs.
_COUNTED = frozenset(
    {
        *("Conv", "ConvInteger", "QLinearConv", "ConvTranspose", "Gemm"),
        *("MatMul", "MatMulInteger", "QLinearMatMul"),
    }
)
# Heavy, and left to a profiled run: how much they do depends on sizes that free dimensions set.
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


def is_countable(operator: str) -> bool:
    """Whether a profiled run can say how much ``operator`` did, if only that it is nothing.

    A profile does not name domains, so that the name alone has to do.
    """
    if operator in MAC_RULES or operator in (EINSUM, *_LIGHT_EXTRAS):
        return True
    if operator in _UNCOUNTABLE:
        return False
    return any(onnx.defs.has(operator, domain) for domain in PLAIN_DOMAINS)


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
        elif node.op_type in _COUNTED:
            try:
                total += mac_count(
                    node.op_type, _shapes(shapes, node.input), _shapes(shapes, node.output)
                )
            except UnknownShape:
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
    return any(node.op_type in _COUNTED or _is_opaque(node, set()) for node in graph.node)


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


def _shapes(shapes: Mapping[str, Shape], names: Sequence[str]) -> list[Shape | None]:
    return [shapes.get(name) for name in names]
