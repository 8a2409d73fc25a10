"""What a node does to an input that reaches it: where its axes and its values go on to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from onnx import NodeProto

from runner.constants import Attribute, Constant, attributes_of

# More inputs than this meet in one value only far behind anything that says much of them.
MAX_TRACES = 8


@dataclass(frozen=True, slots=True)
class Trace:
    """An input seen from inside the graph.

    ``axes`` has for each axis here the one of the input that it is, None for one that is new;
    it is None where not even the rank is known. ``is_value`` says that the numbers here are
    still the input's own, if reordered or fewer.
    """

    input: str
    axes: tuple[int | None, ...] | None
    is_value: bool = True

    def source_axis(self, axis: int) -> int | None:
        """The input's axis that ``axis`` here is; negative ones count from the end."""
        if self.axes is None or not -len(self.axes) <= axis < len(self.axes):
            return None
        return self.axes[axis]


@dataclass(slots=True)
class Use:
    """One node with what is known of its operands."""

    node: NodeProto
    traced: Mapping[str, tuple[Trace, ...]]
    constants: Mapping[str, Constant]
    attributes: dict[str, Attribute] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        node: NodeProto,
        traced: Mapping[str, tuple[Trace, ...]],
        constants: Mapping[str, Constant],
    ) -> "Use":
        return cls(node, traced, constants, attributes_of(node))

    def traces(self, place: int) -> tuple[Trace, ...]:
        """The inputs that reach the operand at ``place``."""
        name = self._name(place)
        return self.traced.get(name, ()) if name else ()

    def constant(self, place: int) -> Constant | None:
        """The constant at ``place``, None where there is none."""
        name = self._name(place)
        return self.constants.get(name) if name else None

    def integer(self, name: str, default: int) -> int:
        """An attribute that is one whole number."""
        value = self.attributes.get(name, default)
        return value if isinstance(value, int) else default

    def integers(self, name: str) -> tuple[int, ...] | None:
        """An attribute that is a row of whole numbers."""
        value = self.attributes.get(name)
        if not isinstance(value, tuple) or not all(isinstance(one, int) for one in value):
            return None
        return tuple(int(one) for one in value)

    def row(self, name: str) -> tuple[object, ...]:
        """An attribute that is a row, empty where there is none."""
        value = self.attributes.get(name, ())
        return value if isinstance(value, tuple) else ()

    def axes_wanted(self, place: int = 1) -> tuple[int, ...] | None:
        """The axes that are an attribute in old opsets and a constant in new ones."""
        constant = self.constant(place)
        return constant.integers if constant is not None else self.integers("axes")

    def _name(self, place: int) -> str:
        return self.node.input[place] if place < len(self.node.input) else ""


Spread = Callable[[Use], tuple[Trace, ...]]


def traces_after(use: Use) -> tuple[Trace, ...]:
    """Return what reaches the outputs of a node; nothing where its operator is not known."""
    spread = _SPREADS.get(use.node.op_type)
    return spread(use)[:MAX_TRACES] if spread else ()


def _same(use: Use) -> tuple[Trace, ...]:
    return use.traces(0)


def _computed(use: Use) -> tuple[Trace, ...]:
    return tuple(replace(trace, is_value=False) for trace in use.traces(0))


def _elementwise(use: Use) -> tuple[Trace, ...]:
    ranks = [
        len(constant.shape)
        for place in range(len(use.node.input))
        if (constant := use.constant(place)) is not None
    ]
    found = [trace for place in range(len(use.node.input)) for trace in use.traces(place)]
    ranks += [len(trace.axes) for trace in found if trace.axes is not None]
    rank = max(ranks, default=0)
    return tuple(replace(trace, is_value=False, axes=_padded(trace.axes, rank)) for trace in found)


def _padded(axes: tuple[int | None, ...] | None, rank: int) -> tuple[int | None, ...] | None:
    return None if axes is None else (None,) * (rank - len(axes)) + axes


def _with_axes(
    use: Use, changed: Callable[[tuple[int | None, ...]], tuple[int | None, ...] | None]
) -> tuple[Trace, ...]:
    return tuple(
        replace(trace, axes=None if trace.axes is None else changed(trace.axes))
        for trace in use.traces(0)
    )


def _transposed(use: Use) -> tuple[Trace, ...]:
    order = use.integers("perm")

    def changed(axes: tuple[int | None, ...]) -> tuple[int | None, ...] | None:
        wanted = tuple(reversed(range(len(axes)))) if order is None else order
        if sorted(wanted) != list(range(len(axes))):
            return None
        return tuple(axes[place] for place in wanted)

    return _with_axes(use, changed)


def _unsqueezed(use: Use) -> tuple[Trace, ...]:
    wanted = use.axes_wanted()

    def changed(axes: tuple[int | None, ...]) -> tuple[int | None, ...] | None:
        if wanted is None or len(wanted) > 8:
            return None
        rank = len(axes) + len(wanted)
        new = {place % rank for place in wanted}
        rest = iter(axes)
        return tuple(None if place in new else next(rest, None) for place in range(rank))

    return _with_axes(use, changed)


def _squeezed(use: Use) -> tuple[Trace, ...]:
    wanted = use.axes_wanted()

    def changed(axes: tuple[int | None, ...]) -> tuple[int | None, ...] | None:
        if wanted is None or not axes:
            return None
        gone = {place % len(axes) for place in wanted}
        return tuple(axis for place, axis in enumerate(axes) if place not in gone)

    return _with_axes(use, changed)


def _reshaped(use: Use) -> tuple[Trace, ...]:
    shape = use.constant(1)
    wanted = shape.integers if shape is not None else use.integers("shape")

    def changed(axes: tuple[int | None, ...]) -> tuple[int | None, ...] | None:
        if wanted is None:
            return None
        return tuple(
            axes[place] if size == 0 and place < len(axes) else None
            for place, size in enumerate(wanted)
        )

    return _with_axes(use, changed)


def _flattened(use: Use) -> tuple[Trace, ...]:
    at = use.integer("axis", 1)

    def changed(axes: tuple[int | None, ...]) -> tuple[int | None, ...] | None:
        split = at % len(axes) if axes else 0
        front, back = axes[:split], axes[split:]
        return (front[0] if len(front) == 1 else None, back[0] if len(back) == 1 else None)

    return _with_axes(use, changed)


def _joined(use: Use) -> tuple[Trace, ...]:
    at = use.integer("axis", 0)
    found = []
    for place in range(len(use.node.input)):
        for trace in use.traces(place):
            found.append(replace(trace, axes=_without(trace.axes, at)))
    return tuple(found)


def _without(axes: tuple[int | None, ...] | None, at: int) -> tuple[int | None, ...] | None:
    """``axes`` with the one at ``at`` no longer the input's own."""
    if axes is None or not -len(axes) <= at < len(axes):
        return axes
    place = at % len(axes)
    return (*axes[:place], None, *axes[place + 1 :])


def _sliced(use: Use) -> tuple[Trace, ...]:
    cut = use.axes_wanted(3)
    if cut is None:
        starts = use.constant(1)
        given = starts.integers if starts is not None else use.integers("starts")
        cut = tuple(range(len(given))) if given is not None else None

    def changed(axes: tuple[int | None, ...]) -> tuple[int | None, ...] | None:
        found: tuple[int | None, ...] | None = (None,) * len(axes) if cut is None else axes
        for at in cut or ():
            found = _without(found, at)
        return found

    return _with_axes(use, changed)


def _picked(use: Use) -> tuple[Trace, ...]:
    at, indices = use.integer("axis", 0), use.constant(1)

    def changed(axes: tuple[int | None, ...]) -> tuple[int | None, ...] | None:
        if indices is None or not axes or not -len(axes) <= at < len(axes):
            return None
        place = at % len(axes)
        return (*axes[:place], *(None for _ in indices.shape), *axes[place + 1 :])

    return _with_axes(use, changed)


def _split(use: Use) -> tuple[Trace, ...]:
    at = use.integer("axis", 0)
    return _with_axes(use, lambda axes: _without(axes, at))


def _first_axis_kept(use: Use) -> tuple[Trace, ...]:
    found = []
    for trace in use.traces(0):
        if trace.axes:
            rest = (None,) * (len(trace.axes) - 1)
            found.append(Trace(trace.input, (trace.axes[0], *rest), is_value=False))
    return tuple(found)


def _multiplied(use: Use) -> tuple[Trace, ...]:
    found = []
    for trace in use.traces(0):
        if trace.axes and use.constant(1) is not None:
            found.append(Trace(trace.input, (*trace.axes[:-1], None), is_value=False))
    return tuple(found)


def _bordered(use: Use) -> tuple[Trace, ...]:
    """Padding and resizing: the rank stays, and the sizes that a graph may ask of them."""
    return tuple(replace(trace, is_value=use.node.op_type == "Pad") for trace in use.traces(0))


def _many(spread: Spread, names: Sequence[str]) -> dict[str, Spread]:
    return dict.fromkeys(names, spread)


_SPREADS: dict[str, Spread] = {
    **_many(_same, ("Identity", "Cast", "CastLike", "Dropout", "Optional", "OptionalGetElement")),
    **_many(_same, ("Reciprocal", "SequenceAt", "SequenceInsert", "Expand", "Tile")),
    **_many(
        _computed,
        (
            *("Relu", "LeakyRelu", "Sigmoid", "Tanh", "Exp", "Log", "Sqrt", "Abs", "Neg", "Erf"),
            *("Floor", "Ceil", "Round", "Clip", "Gelu", "Softmax", "LogSoftmax", "HardSigmoid"),
            *("LayerNormalization", "BatchNormalization", "InstanceNormalization", "Softplus"),
            *("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Elu", "Not"),
            *("Scaler", "Normalizer", "Imputer", "Binarizer", "CumSum", "Sign", "IsNaN", "Sin"),
            *("Cos", "LpNormalization", "MeanVarianceNormalization", "LRN", "HardSwish", "Selu"),
        ),
    ),
    **_many(
        _elementwise,
        (
            *("Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Sum", "Mean", "Mod", "Where"),
            *("Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "And", "Or", "Xor"),
            "PRelu",
        ),
    ),
    "Transpose": _transposed,
    "Unsqueeze": _unsqueezed,
    "Squeeze": _squeezed,
    "Reshape": _reshaped,
    "Flatten": _flattened,
    "Concat": _joined,
    "FeatureVectorizer": _joined,
    "Slice": _sliced,
    "Gather": _picked,
    "ArrayFeatureExtractor": lambda use: _with_axes(use, lambda axes: (*axes[:-1], None)),
    "Split": _split,
    **_many(_first_axis_kept, ("Conv", "MaxPool", "AveragePool", "ConvTranspose")),
    **_many(_multiplied, ("MatMul", "MatMulInteger", "Gemm")),
    **_many(_bordered, ("Pad", "Resize", "Upsample")),
}
