"""An input followed through the graph, into conditions, loops and functions, to what uses it."""

import math
from collections import ChainMap
from collections.abc import Iterable, MutableMapping

from onnx import FunctionProto, GraphProto, ModelProto, NodeProto

from runner.constants import Constant, constant_of_node, constants_of
from runner.descriptions import TensorDescription
from runner.facts import Fact
from runner.operator_rules import facts_of
from runner.traces import Trace, Use, traces_after
from runner.weights import inner_graphs

MAX_STEPS = 100_000
MAX_FACTS = 20_000
MAX_CALL_DEPTH = 8

_Traced = MutableMapping[str, tuple[Trace, ...]]
_Constants = MutableMapping[str, Constant]


def facts_within(model: ModelProto, inputs: Iterable[TensorDescription]) -> list[Fact]:
    """Return what the graph of ``model`` tells of ``inputs``, in the order of its nodes."""
    traced: _Traced = {
        one.name: (Trace(one.name, None if one.shape is None else tuple(range(len(one.shape)))),)
        for one in inputs
    }
    flow = _Flow(model)
    flow.follow(model.graph.node, traced, constants_of(model.graph))
    return flow.facts


class _Flow:
    def __init__(self, model: ModelProto) -> None:
        self.facts: list[Fact] = []
        self._functions = {(one.domain, one.name): one for one in model.functions}
        self._steps_left = MAX_STEPS
        self._call_depth = 0

    def follow(self, nodes: Iterable[NodeProto], traced: _Traced, constants: _Constants) -> None:
        """Go through ``nodes`` in order, adding what they give to ``traced`` and ``constants``."""
        for node in nodes:
            self._steps_left -= 1
            if self._steps_left < 0 or len(self.facts) > MAX_FACTS:
                return
            if node.op_type == "Constant" and node.output:
                found = constant_of_node(node)
                if found is not None:
                    constants[node.output[0]] = found
            else:
                self._step(node, traced, constants)

    def _step(self, node: NodeProto, traced: _Traced, constants: _Constants) -> None:
        function = self._functions.get((node.domain, node.op_type))
        if function is not None:
            self._call(node, function, traced, constants)
            return
        for graph in inner_graphs(node):
            self._enter(node, graph, traced, constants)
        if not any(name in traced for name in node.input):
            _pass_constant(node, constants)
            return
        use = Use.of(node, traced, constants)
        self.facts.extend(facts_of(use))
        after = traces_after(use)
        if after:
            for name in node.output:
                traced[name] = after

    def _enter(
        self, node: NodeProto, graph: GraphProto, traced: _Traced, constants: _Constants
    ) -> None:
        inner: _Traced = ChainMap({}, traced)
        known: _Constants = ChainMap(constants_of(graph), constants)
        # A loop's body has the loop's own operands; a scan's, the first of its axes gone.
        if node.op_type == "Loop":
            _hand_over(zip(graph.input[2:], node.input[2:], strict=False), traced, inner)
        elif node.op_type == "Scan":
            _hand_over_scanned(node, graph, traced, inner)
        self.follow(graph.node, inner, known)
        if node.op_type == "If":
            for own, name in zip(graph.output, node.output, strict=False):
                traced[name] = (*traced.get(name, ()), *inner.get(own.name, ()))[:8]

    def _call(
        self, node: NodeProto, function: FunctionProto, traced: _Traced, constants: _Constants
    ) -> None:
        if self._call_depth >= MAX_CALL_DEPTH:
            return
        pairs = list(zip(function.input, node.input, strict=False))
        inner: _Traced = {own: traced[given] for own, given in pairs if given in traced}
        known: _Constants = {own: constants[given] for own, given in pairs if given in constants}
        if not inner:
            return
        self._call_depth += 1
        self.follow(function.node, inner, known)
        self._call_depth -= 1
        for own, name in zip(function.output, node.output, strict=False):
            if own in inner:
                traced[name] = inner[own]


def _hand_over(pairs: Iterable[tuple[object, str]], traced: _Traced, inner: _Traced) -> None:
    for own, given in pairs:
        if given in traced:
            inner[own.name] = traced[given]  # type: ignore[attr-defined]


def _hand_over_scanned(node: NodeProto, graph: GraphProto, traced: _Traced, inner: _Traced) -> None:
    scanned = next((one.i for one in node.attribute if one.name == "num_scan_inputs"), 0)
    state_count = len(node.input) - scanned
    for place, (own, given) in enumerate(zip(graph.input, node.input, strict=False)):
        traces = traced.get(given, ())
        if place >= state_count:
            traces = tuple(
                Trace(one.input, one.axes[1:] if one.axes else None, one.is_value) for one in traces
            )
        inner[own.name] = traces


def _pass_constant(node: NodeProto, constants: _Constants) -> None:
    """A constant that only changes its type or its axes is a constant still."""
    given = constants.get(node.input[0]) if node.input and node.output else None
    if given is None:
        return
    if node.op_type in ("Identity", "Cast"):
        constants[node.output[0]] = given
    elif node.op_type in ("DequantizeLinear", "QuantizeLinear"):
        constants[node.output[0]] = Constant(given.shape, None)
    elif node.op_type in ("Mul", "Sub", "Add") and all(name in constants for name in node.input):
        shapes = [constants[name].shape for name in node.input]
        constants[node.output[0]] = Constant(max(shapes, key=lambda shape: math.prod(shape)), None)
    elif node.op_type == "Transpose":
        order = next((tuple(one.ints) for one in node.attribute if one.name == "perm"), None)
        order = tuple(reversed(range(len(given.shape)))) if order is None else order
        if sorted(order) == list(range(len(given.shape))):
            shape = tuple(given.shape[place] for place in order)
            constants[node.output[0]] = Constant(shape, None)
