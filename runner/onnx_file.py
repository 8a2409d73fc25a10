"""What an ONNX file says about itself, read without running it or trusting it."""

import mmap
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import GraphProto, ModelProto, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto

from runner.acceptance import PLAIN_DOMAINS, check_model, check_text
from runner.counting import MacCount, count_macs
from runner.descriptions import TensorDescription, declared_dimension
from runner.errors import Rejected
from runner.external_data import take_in
from runner.given_files import open_given
from runner.hints import with_hints
from runner.onnx_files import OnnxFiles
from runner.results import InspectionResult
from runner.weights import nodes_within, parameter_count
from runner.wire import Buffer, skeleton

T = TypeVar("T")
MAX_PRODUCER_LENGTH = 200
# A model with more kinds of operators than this is no model; ONNX itself has about 200.
MAX_OPERATOR_KINDS = 2_000
NO_DATA: Mapping[str, Buffer] = MappingProxyType({})

_DTYPE_NAMES: dict[int, str] = {
    **{TensorProto.FLOAT: "float32", TensorProto.DOUBLE: "float64"},
    **{TensorProto.FLOAT16: "float16", TensorProto.BFLOAT16: "bfloat16"},
    **{TensorProto.STRING: "string", TensorProto.BOOL: "bool"},
}


def inspect_file(
    files: OnnxFiles, *, max_opset: int | None = None, counts_macs: bool = True
) -> InspectionResult:
    """Read the model in ``files``; its weights are not loaded, whatever their size.

    Raises Rejected with a stable code when it is no model that carbonsite can measure.
    """
    return _read(
        files,
        lambda content, data: inspect_bytes(
            content, data, max_opset=max_opset, counts_macs=counts_macs
        ),
    )


def read_structure(files: OnnxFiles) -> ModelProto:
    """Return the model in ``files`` without the values of its weights.

    Raises Rejected as `inspect_file` does.
    """
    return _read(files, _structure)


def _structure(content: Buffer, data: Mapping[str, Buffer]) -> ModelProto:
    model = parse_model(skeleton(content))
    take_in(model, data, model_bytes=len(content))
    return model


def _read(files: OnnxFiles, read: Callable[[Buffer, Mapping[str, Buffer]], T]) -> T:
    try:
        with open_given(files.onnx) as file:
            if os.fstat(file.fileno()).st_size == 0:
                raise Rejected(
                    "empty_file",
                    "The file is empty. Export the model again and upload the new file.",
                )
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return read(content, files.mapped_data())
    except OSError as error:
        raise Rejected(
            "missing_file", "The model's file cannot be opened. Upload it again."
        ) from error


def inspect_bytes(
    content: Buffer,
    data: Mapping[str, Buffer] = NO_DATA,
    *,
    max_opset: int | None = None,
    counts_macs: bool = True,
) -> InspectionResult:
    """Read the model in ``content``, its data files in ``data``, as `inspect_file` does."""
    model = parse_model(skeleton(content))
    check_model(model, max_opset=max_opset)
    take_in(model, data, model_bytes=len(content))
    return _described(model, counts_macs=counts_macs)


def parse_model(serialised: bytes) -> ModelProto:
    """Return the model that ``serialised`` is; raises Rejected where it is none."""
    try:
        model = ModelProto()
        model.ParseFromString(serialised)
        return model
    except DecodeError as error:
        raise Rejected(
            "damaged",
            "This file starts like an ONNX model but cannot be read as one. "
            "Export the model again and upload the new file.",
        ) from error


def _described(model: ModelProto, *, counts_macs: bool) -> InspectionResult:
    graph = model.graph
    operators = _operators(model)
    imports = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
    inputs = with_hints(model, _inputs(graph))
    outputs = _tensors(graph.output)
    parameters = parameter_count(graph)
    # Last, because counting changes the model.
    counted = count_macs(model) if counts_macs else MacCount(None, ())
    return InspectionResult(
        opset=imports.get("ai.onnx"),
        opset_imports=imports,
        ir_version=model.ir_version,
        producer=_producer(model),
        inputs=inputs,
        outputs=outputs,
        parameter_count=parameters,
        mac_count=counted.mac_count,
        flop_count=None if counted.mac_count is None else 2 * counted.mac_count,
        uncounted_operators=counted.uncounted,
        node_count=sum(operators.values()),
        operators=operators,
    )


def hinted_inputs(files: OnnxFiles) -> tuple[TensorDescription, ...]:
    """Return the inputs of the model in ``files`` with what its graph lets one guess of them.

    Raises Rejected for what `inspect_file` refuses.
    """
    model = read_structure(files)
    # A job may come without an inspection; shape inference follows functions without end.
    check_model(model)
    return with_hints(model, _inputs(model.graph))


def _inputs(graph: GraphProto) -> tuple[TensorDescription, ...]:
    """What has to be fed: in old files the weights are listed among the inputs too."""
    given = {tensor.name for tensor in graph.initializer}
    given |= {sparse.values.name for sparse in graph.sparse_initializer}
    return _tensors(value for value in graph.input if value.name not in given)


def _operators(model: ModelProto) -> dict[str, int]:
    """How often each operator occurs, inner graphs and function bodies included."""
    counts: Counter[str] = Counter()
    bodies = (function.node for function in model.functions)
    for nodes in (nodes_within(model.graph), *bodies):
        for node in nodes:
            prefix = "" if node.domain in PLAIN_DOMAINS else f"{node.domain}."
            counts[prefix + node.op_type] += 1
    if len(counts) > MAX_OPERATOR_KINDS:
        raise Rejected(
            "too_large_structure",
            f"This model has more than {MAX_OPERATOR_KINDS:,} kinds of operators, which no "
            "honest model has. Export it again.",
        )
    return dict(counts.most_common())


def _producer(model: ModelProto) -> str:
    parts = (model.producer_name, model.producer_version)
    for part in parts:
        check_text(part)
    return " ".join(part for part in parts if part)[:MAX_PRODUCER_LENGTH]


def _tensors(values: Iterable[ValueInfoProto]) -> tuple[TensorDescription, ...]:
    return tuple(
        TensorDescription(value.name, _spoken_type(value.type), _declared_shape(value.type))
        for value in values
    )


def _spoken_type(kind: TypeProto) -> str:
    which = kind.WhichOneof("value")
    if which == "tensor_type":
        return _dtype_name(kind.tensor_type.elem_type)
    if which == "sparse_tensor_type":
        return f"sparse({_dtype_name(kind.sparse_tensor_type.elem_type)})"
    if which == "sequence_type":
        return f"sequence({_spoken_type(kind.sequence_type.elem_type)})"
    if which == "optional_type":
        return f"optional({_spoken_type(kind.optional_type.elem_type)})"
    if which == "map_type":
        key = _dtype_name(kind.map_type.key_type)
        return f"map({key}, {_spoken_type(kind.map_type.value_type)})"
    return "unknown"


def _dtype_name(dtype: int) -> str:
    if dtype in _DTYPE_NAMES:
        return _DTYPE_NAMES[dtype]
    known = {int(number): str(name) for name, number in TensorProto.DataType.items()}
    return known.get(dtype, "unknown").lower()


def _declared_shape(kind: TypeProto) -> tuple[int | str | None, ...] | None:
    """A tensor's shape; a sequence's or an optional's is that of what it holds."""
    if kind.HasField("sequence_type"):
        return _declared_shape(kind.sequence_type.elem_type)
    if kind.HasField("optional_type"):
        return _declared_shape(kind.optional_type.elem_type)
    if kind.HasField("map_type"):
        return ()
    if not kind.HasField("tensor_type") or not kind.tensor_type.HasField("shape"):
        return None
    return tuple(_declared_size(dimension) for dimension in kind.tensor_type.shape.dim)


def _declared_size(dimension: TensorShapeProto.Dimension) -> int | str | None:
    if dimension.HasField("dim_value"):
        # Some exporters write -1 for a size that is free; onnxruntime takes 0 at its word.
        return dimension.dim_value if dimension.dim_value >= 0 else None
    return declared_dimension(dimension.dim_param)
