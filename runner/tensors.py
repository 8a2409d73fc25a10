"""Every tensor that a model holds, wherever in it."""

from collections.abc import Iterable, Iterator

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, SparseTensorProto, TensorProto


def tensors_within(model: ModelProto) -> Iterator[TensorProto]:
    """Yield the weights of the model's own graph, then `inner_tensors`."""
    yield from model.graph.initializer
    yield from inner_tensors(model)


def inner_tensors(model: ModelProto) -> Iterator[TensorProto]:
    """Yield the tensors in attributes, inner graphs, functions and sparse tensors."""
    yield from _of_sparse(model.graph.sparse_initializer)
    yield from _of_nodes(model.graph.node)
    for function in model.functions:
        yield from _of_nodes(function.node)
        yield from _of_attributes(function.attribute_proto)


def _of_graph(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    yield from _of_sparse(graph.sparse_initializer)
    yield from _of_nodes(graph.node)


def _of_nodes(nodes: Iterable[NodeProto]) -> Iterator[TensorProto]:
    for node in nodes:
        yield from _of_attributes(node.attribute)


def _of_attributes(attributes: Iterable[AttributeProto]) -> Iterator[TensorProto]:
    for attribute in attributes:
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
        if attribute.HasField("sparse_tensor"):
            yield from _of_sparse([attribute.sparse_tensor])
        yield from _of_sparse(attribute.sparse_tensors)
        if attribute.HasField("g"):
            yield from _of_graph(attribute.g)
        for graph in attribute.graphs:
            yield from _of_graph(graph)


def _of_sparse(sparse_tensors: Iterable[SparseTensorProto]) -> Iterator[TensorProto]:
    for sparse in sparse_tensors:
        yield from (sparse.values, sparse.indices)
