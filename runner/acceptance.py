"""Which models carbonsite takes: every reason to refuse one, each with a code and a sentence."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from onnx import FunctionProto, GraphProto, ModelProto, NodeProto, TensorShapeProto, TypeProto

from runner.errors import Rejected
from runner.shapes import MAX_ELEMENT_COUNT as MAX_INPUT_ELEMENT_COUNT
from runner.shapes import spoken_count
from runner.tensors import tensors_within
from runner.weights import graphs_of, inner_graphs, nodes_within

# What onnxruntime 1.32 loads, found by loading one-node models of each version (2026-11).
MAX_OPSET = 28
MAX_ML_OPSET = 5
MAX_IR_VERSION = 14

PLAIN_DOMAINS = ("", "ai.onnx")
RUNTIME_DOMAINS = frozenset({*PLAIN_DOMAINS, "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc"})
MAX_NAME_LENGTH = 1_000
MAX_TENSOR_COUNT = 2_000
MAX_FUNCTION_DEPTH = 32
# What functions may unfold into: a few lines can say more than a file could.
MAX_UNFOLDED_NODE_COUNT = 10_000
# A million million numbers in one tensor: beyond any file that could be uploaded.
MAX_ELEMENT_COUNT = 2**40
# Characters that turn the direction of the text around them, and could disguise a name.
_BIDI_CONTROLS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# Domain, name and overload.
_FunctionKey = tuple[str, str, str]


def check_model(model: ModelProto, *, max_opset: int | None = None) -> None:
    """Raise Rejected, with the first reason met, when ``model`` is none that can be measured.

    ``model`` may lack its weights' values; ``max_opset`` None is what the runtime can run.
    """
    _check_has_graph(model)
    _check_versions(model, max_opset or MAX_OPSET)
    _check_names(model)
    _check_tensors(model)
    _check_inputs(model)
    _check_domains(model)
    _check_expanded_size(model)


def check_text(text: object) -> None:
    """Raise Rejected when a name out of a model is no text that can be shown."""
    # protobuf hands out bytes, not text, where a name is no UTF-8.
    if not isinstance(text, str) or len(text) > MAX_NAME_LENGTH or not _is_readable(text):
        raise Rejected(
            "unreadable_names",
            "This model has names that are not readable text (control characters, no UTF-8, or "
            "far too long). Rename its inputs, outputs and operators and export it again.",
        )


def functions_by_key(model: ModelProto) -> dict[_FunctionKey, FunctionProto]:
    """Return the model's own functions as nodes call them: by domain, name and overload."""
    return {_key(one.domain, one.name, one.overload): one for one in model.functions}


def _check_has_graph(model: ModelProto) -> None:
    if not model.HasField("graph"):
        raise Rejected(
            "no_graph",
            "This file holds no model graph, so there is nothing to measure. "
            "Check that it is the exported model and not some other part of it.",
        )
    if not model.graph.node:
        raise Rejected(
            "no_nodes",
            "This model has no operations in it, so there is nothing to time. "
            "Export it again and upload the new file.",
        )
    if not model.graph.output:
        raise Rejected(
            "no_outputs", "This model declares no outputs. Export it again with its outputs named."
        )
    given_count = len(model.graph.initializer)
    if max(len(model.graph.input) - given_count, len(model.graph.output)) > MAX_TENSOR_COUNT:
        raise Rejected(
            "too_large_structure",
            f"This model has more than {MAX_TENSOR_COUNT:,} inputs or outputs, the most that "
            "carbonsite takes. Join some of them and export it again.",
        )


def _check_versions(model: ModelProto, max_opset: int) -> None:
    if model.ir_version > MAX_IR_VERSION:
        raise Rejected(
            "ir_too_new",
            f"This file uses version {model.ir_version} of the ONNX format; carbonsite reads up "
            f"to {MAX_IR_VERSION}. Export the model with an older onnx package.",
        )
    if not model.opset_import and model.ir_version >= 3:
        raise Rejected(
            "no_opset",
            "This model does not say which version of the ONNX operators it uses. "
            "Export it again: its file is incomplete.",
        )
    if model.ir_version < 0 or any(entry.version < 1 for entry in model.opset_import):
        raise Rejected(
            "damaged",
            "This model states versions that do not exist, so the file is damaged. "
            "Export the model again and upload the new file.",
        )
    limits = {"": max_opset, "ai.onnx": max_opset, "ai.onnx.ml": MAX_ML_OPSET}
    for entry in model.opset_import:
        limit = limits.get(entry.domain)
        if limit is not None and entry.version > limit:
            raise Rejected(
                "opset_too_new",
                f"This model uses opset {entry.version} of {entry.domain or 'ai.onnx'}; "
                f"carbonsite runs up to {limit}. Export it with opset {limit} or lower.",
            )


def _all_nodes(model: ModelProto) -> Iterator[NodeProto]:
    yield from nodes_within(model.graph)
    for function in model.functions:
        yield from _nodes_of(function)


def _nodes_of(function: FunctionProto) -> Iterator[NodeProto]:
    yield from function.node
    for inner in _graphs_in(function):
        yield from nodes_within(inner)


def _graphs_in(function: FunctionProto) -> Iterator[GraphProto]:
    """The graphs inside a function's nodes, and those that stand for attributes left out."""
    for node in function.node:
        yield from inner_graphs(node)
    yield from graphs_of(function.attribute_proto)


def _check_names(model: ModelProto) -> None:
    for value in (*model.graph.input, *model.graph.output):
        check_text(value.name)
        for shape in _shapes_in(value.type):
            for dimension in shape.dim:
                check_text(dimension.dim_param)
    for node in _all_nodes(model):
        check_text(node.op_type)
        check_text(node.domain)
    for entry in model.opset_import:
        check_text(entry.domain)


def _is_readable(text: str) -> bool:
    return not any(
        ord(character) < 32 or 127 <= ord(character) < 160 or character in _BIDI_CONTROLS
        for character in text
    )


def _check_tensors(model: ModelProto) -> None:
    for tensor in tensors_within(model):
        if any(size < 0 for size in tensor.dims) or math.prod(tensor.dims) > MAX_ELEMENT_COUNT:
            raise Rejected(
                "damaged",
                "This model holds a tensor of an impossible size, so the file is damaged. "
                "Export the model again and upload the new file.",
            )


def _check_inputs(model: ModelProto) -> None:
    given = {tensor.name for tensor in model.graph.initializer}
    for value in model.graph.input:
        dimensions = value.type.tensor_type.shape.dim
        # A free size counts as one: the run says how large it is, and is held to the same limit.
        count = math.prod(max(1, dimension.dim_value) for dimension in dimensions)
        if count > MAX_INPUT_ELEMENT_COUNT and value.name not in given:
            raise Rejected(
                "oversized_input",
                f"The input “{value.name[:100]}” of this model wants {spoken_count(count)} values; "
                f"carbonsite feeds {MAX_INPUT_ELEMENT_COUNT:,} at most. Export it with a smaller "
                "input.",
            )


def _check_domains(model: ModelProto) -> None:
    own = functions_by_key(model)
    for node in _all_nodes(model):
        if node.op_type == "EPContext":
            raise Rejected(
                "compiled_model",
                "This model was compiled for one kind of hardware and cannot run elsewhere. "
                "Upload the ONNX model that it was compiled from.",
            )
        if node.domain not in RUNTIME_DOMAINS and _called(node) not in own:
            raise Rejected(
                "unknown_domain",
                f"This model uses the operator “{node.op_type[:100]}” of "
                f"“{node.domain[:100]}”, which onnxruntime does not bring. "
                "Export it with the standard ONNX operators.",
            )


def _key(domain: str, name: str, overload: str) -> _FunctionKey:
    return ("" if domain in PLAIN_DOMAINS else domain, name, overload)


def _called(node: NodeProto) -> _FunctionKey:
    return _key(node.domain, node.op_type, node.overload)


def _check_expanded_size(model: ModelProto) -> None:
    """Refuse functions that call themselves, or that unfold into far more nodes than written."""
    own = functions_by_key(model)
    if len(own) < len(model.functions):
        raise Rejected(
            "damaged",
            "This model has two functions of one name, so nobody can say which of them is meant. "
            "Export the model again and upload the new file.",
        )
    known: dict[_FunctionKey, _Unfolded] = {}
    unfolded_count = 0
    for node in nodes_within(model.graph):
        if _called(node) in own:
            unfolded_count += _unfolded(node, own, known, ()).node_count
        if unfolded_count > MAX_UNFOLDED_NODE_COUNT:
            raise Rejected(
                "too_many_nodes",
                f"This model's functions unfold into more than {MAX_UNFOLDED_NODE_COUNT:,} nodes, "
                "the most that carbonsite takes. Simplify it and export it again.",
            )


@dataclass(frozen=True, slots=True)
class _Unfolded:
    """What a call unfolds into, and over how many functions, each called by the one before."""

    node_count: int
    depth: int


def _unfolded(
    node: NodeProto,
    own: Mapping[_FunctionKey, FunctionProto],
    known: dict[_FunctionKey, _Unfolded],
    callers: tuple[_FunctionKey, ...],
) -> _Unfolded:
    key = _called(node)
    if key not in own:
        return _Unfolded(node_count=1, depth=0)
    if key in callers or len(callers) > MAX_FUNCTION_DEPTH:
        raise _endless()
    if key not in known:
        inner = [_unfolded(one, own, known, (*callers, key)) for one in _nodes_of(own[key])]
        known[key] = _Unfolded(
            node_count=sum(one.node_count for one in inner),
            depth=1 + max((one.depth for one in inner), default=0),
        )
    # One that is known was met where fewer called it, perhaps.
    if len(callers) + known[key].depth > MAX_FUNCTION_DEPTH + 1:
        raise _endless()
    return known[key]


def _endless() -> Rejected:
    return Rejected(
        "recursive_function",
        "This model has functions that call themselves or are nested too deep. "
        "Export it with its functions inlined.",
    )


def _shapes_in(kind: TypeProto) -> Iterator[TensorShapeProto]:
    """The shape of a tensor, or of the tensors that a sequence, an optional or a map holds."""
    which = kind.WhichOneof("value")
    if which in ("tensor_type", "sparse_tensor_type"):
        yield getattr(kind, which).shape
    elif which in ("sequence_type", "optional_type"):
        yield from _shapes_in(getattr(kind, which).elem_type)
    elif which == "map_type":
        yield from _shapes_in(kind.map_type.value_type)
