"""A graph's constants as its skeleton still has them: dims always, values where they are small."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, numpy_helper

Attribute = int | float | str | tuple[int, ...] | tuple[float, ...] | tuple[str, ...]
MAX_VALUE_COUNT = 4_096


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant's shape, and its values where the skeleton has them."""

    shape: tuple[int, ...]
    values: NDArray[np.generic] | None

    @property
    def integers(self) -> tuple[int, ...] | None:
        """Its values as whole numbers in one row, None where they are none."""
        if self.values is None or self.values.dtype.kind not in "iu":
            return None
        return tuple(int(one) for one in self.values.ravel())

    @property
    def numbers(self) -> tuple[float, ...] | None:
        """Its values in one row, None where they are no finite numbers."""
        if self.values is None or self.values.dtype.kind not in "iuf":
            return None
        flat = tuple(one.item() for one in self.values.ravel())
        return flat if all(abs(one) < float("inf") for one in flat) else None


def constants_of(graph: GraphProto) -> dict[str, Constant]:
    """Return what ``graph`` itself, not its inner graphs, stores beside its nodes."""
    found = {tensor.name: constant_of(tensor) for tensor in graph.initializer}
    for sparse in graph.sparse_initializer:
        found[sparse.values.name] = Constant(tuple(sparse.dims), None)
    return found


def constant_of(tensor: TensorProto) -> Constant:
    """Return a stored tensor; a payload that was left out or does not fit gives no values."""
    shape = tuple(tensor.dims)
    count = int(np.prod(shape, dtype=np.float64)) if shape else 1
    if not 0 < count <= MAX_VALUE_COUNT or tensor.data_location == TensorProto.EXTERNAL:
        return Constant(shape, None)
    try:
        return Constant(shape, numpy_helper.to_array(tensor))
    # A stranger's tensor may contradict itself in ways of its own.
    except (ValueError, TypeError, KeyError, AttributeError):
        return Constant(shape, None)


def constant_of_node(node: NodeProto) -> Constant | None:
    """Return what a Constant node holds."""
    for attribute in node.attribute:
        if attribute.name == "value":
            return constant_of(attribute.t)
        if attribute.name in ("value_int", "value_float"):
            number = attribute.i if attribute.name == "value_int" else attribute.f
            return Constant((), np.array(number))
        if attribute.name in ("value_ints", "value_floats"):
            numbers = attribute.ints if attribute.name == "value_ints" else attribute.floats
            return Constant((len(numbers),), np.array(list(numbers)))
        if attribute.name == "sparse_value":
            return Constant(tuple(attribute.sparse_tensor.dims), None)
    return None


def attributes_of(node: NodeProto) -> dict[str, Attribute]:
    """Return the plain attributes of ``node`` by name: numbers, texts, and rows of them."""
    found: dict[str, Attribute] = {}
    for attribute in node.attribute:
        value = _plain(attribute)
        if value is not None:
            found[attribute.name] = value
    return found


def _plain(attribute: AttributeProto) -> Attribute | None:
    kind = attribute.type
    if kind == AttributeProto.INT:
        return int(attribute.i)
    if kind == AttributeProto.FLOAT:
        return float(attribute.f)
    if kind == AttributeProto.STRING:
        return bytes(attribute.s).decode("utf-8", "replace")
    if kind == AttributeProto.INTS:
        return tuple(attribute.ints)
    if kind == AttributeProto.FLOATS:
        return tuple(attribute.floats)
    if kind == AttributeProto.STRINGS:
        return tuple(bytes(one).decode("utf-8", "replace") for one in attribute.strings)
    return None
