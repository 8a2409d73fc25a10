"""What the graph tells of the nodes in a profile: equations, and which of them are constant.

onnxruntime calls a node by its name, or by its operator and its place where it has none.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from onnx import GraphProto, ModelProto, NodeProto

from runner.mac_rules import EINSUM
from runner.profile_file import NodeCall, clean_name
from runner.weights import inner_graphs, nodes_within, parameter_count, weight_bytes

# Constant operands or not, these give something new each time, or are kept as they are.
_NEVER_CONSTANT = frozenset(
    {
        *("RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli"),
        *("Multinomial", "Dropout", "DequantizeLinear"),
    }
)
_LOOPS = frozenset({"Loop", "Scan", "SequenceMap"})
_FIRST_WITH_REPLACEABLE_WEIGHTS = 4


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """A graph, seen from its profile; nodes go by the names that the profile gives them.

    ``constant_nodes`` work with constants alone: they are worked out once, at loading, when
    the graph is optimised, as it is when it is measured.
    """

    parameter_count: int
    weight_bytes: int
    constant_nodes: frozenset[str]
    equation_by_node: dict[str, str]
    node_by_name: dict[str, NodeProto]
    output_names: frozenset[str]
    has_loops: bool

    @classmethod
    def of(cls, model: ModelProto) -> "GraphFacts":
        """Read ``model``, which may lack its weights' values."""
        graph = model.graph
        node_by_name = _unambiguous(graph)
        return cls(
            parameter_count=parameter_count(graph),
            weight_bytes=weight_bytes(graph),
            constant_nodes=frozenset(_constant_nodes(model, node_by_name)),
            equation_by_node=dict(_equations(graph)),
            node_by_name=node_by_name,
            output_names=frozenset(output.name for output in graph.output),
            has_loops=any(node.op_type in _LOOPS for node in nodes_within(graph)),
        )

    def peak_bytes(self, calls: Sequence[NodeCall]) -> int | None:
        """Return the most bytes of the nodes' outputs that are needed at one time.

        An output is needed until the last node that takes it has run; those of the model, and
        all where a node shares memory with its operand, count in full. None where a node of
        the profile is not found in the graph, as after a function was written out, and where
        nodes run inside others, as in a loop.
        """
        if any(call.depth for call in calls):
            return None
        nodes = [self.node_by_name.get(call.name) for call in calls]
        needed_until: dict[str, float] = {}
        for place, node in enumerate(nodes):
            if node is None:
                return None
            needed_until.update((name, place) for name in _names_used(node))
        needed_until.update((name, math.inf) for name in self.output_names)
        return _highest(calls, [node for node in nodes if node is not None], needed_until)


def _highest(
    calls: Sequence[NodeCall], nodes: Sequence[NodeProto], needed_until: Mapping[str, float]
) -> int:
    present = highest = 0
    freed_at: dict[float, int] = {}
    for place, (call, node) in enumerate(zip(calls, nodes, strict=True)):
        present += call.output_bytes
        highest = max(highest, present)
        # Of several outputs only the sum is known: it is held as long as any of them is.
        until = max((needed_until.get(name, place) for name in node.output), default=place)
        freed_at[until] = freed_at.get(until, 0) + call.output_bytes
        present -= freed_at.pop(place, 0)
    return highest


def _names_used(node: NodeProto) -> Iterator[str]:
    yield from node.input
    for graph in inner_graphs(node):
        for inner in nodes_within(graph):
            yield from inner.input
        yield from (output.name for output in graph.output)


def _profiled_names(graph: GraphProto) -> Iterator[tuple[str, NodeProto]]:
    index = 0
    for node in graph.node:
        # A Constant becomes a weight when the model is loaded, and takes no place.
        if node.op_type == "Constant":
            continue
        yield clean_name(node.name) or f"{node.op_type}_{index}", node
        index += 1


def _unambiguous(graph: GraphProto) -> dict[str, NodeProto]:
    found: dict[str, NodeProto] = {}
    twice: set[str] = set()
    for name, node in _profiled_names(graph):
        (twice.add(name) if name in found else found.setdefault(name, node))
    return {name: node for name, node in found.items() if name not in twice}


def _constant_nodes(model: ModelProto, node_by_name: dict[str, NodeProto]) -> Iterator[str]:
    graph = model.graph
    # Up to version 3 of the format every weight was listed as an input too.
    lists_weights = model.ir_version < _FIRST_WITH_REPLACEABLE_WEIGHTS
    fed = set() if lists_weights else {value.name for value in graph.input}
    constants = {tensor.name for tensor in graph.initializer} - fed
    constants |= {sparse.values.name for sparse in graph.sparse_initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            constants.update(node.output)
    for name, node in _profiled_names(graph):
        is_constant = (
            node.op_type not in _NEVER_CONSTANT
            and all(used in constants for used in node.input if used)
            and not any(inner_graphs(node))
        )
        if is_constant:
            constants.update(node.output)
            if node_by_name.get(name) is node:
                yield name


def _equations(graph: GraphProto) -> Iterator[tuple[str, str]]:
    for nested in _all_graphs(graph):
        for name, node in _profiled_names(nested):
            if node.op_type == EINSUM:
                for attribute in node.attribute:
                    if attribute.name == "equation":
                        yield name, attribute.s.decode("utf-8", "replace")


def _all_graphs(graph: GraphProto) -> Iterator[GraphProto]:
    yield graph
    for node in nodes_within(graph):
        yield from inner_graphs(node)
