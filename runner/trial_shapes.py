"""Guessed sizes tried on the graph's own shape arithmetic, so that a wrong one is not fed.

ONNX's shape inference refuses sizes that do not fit each other; what it lets pass, a Gemm on
the wrong number of values, is checked here. Bounded by counted work and not by time, so that
every machine comes to the same sizes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from onnx import GraphProto, ModelProto, shape_inference

from runner.descriptions import TensorDescription
from runner.kinds import USUAL, Guess, Guesses
from runner.weights import constant_shapes

MAX_NODES_TRIED = 30_000
MAX_MODEL_BYTES = 16 * 2**20
# Kinds that change together: a picture's height and width.
FAMILIES: tuple[tuple[str, ...], ...] = (
    ("image height", "image width"),
    ("audio",),
    ("sequence",),
    ("depth",),
)


def variants(guesses: Guesses) -> Iterator[Guesses]:
    """Yield ``guesses`` with one kind of them at another usual size, the likeliest first."""
    kinds = {guess.kind for guess in guesses.values()}
    for family in FAMILIES:
        if not kinds.intersection(family):
            continue
        for index in range(1, len(USUAL[family[0]])):
            yield {
                place: _resized(guess, USUAL[guess.kind][index]) if guess.kind in family else guess
                for place, guess in guesses.items()
            }


def _resized(guess: Guess, size: int) -> Guess:
    return replace(guess, size=size, why=f"{guess.kind}: {size:,}, found to fit")


class TrialShapes:
    """A model whose inputs can be given sizes, to see whether its shapes still fit."""

    def __init__(self, model: ModelProto, inputs: Sequence[TensorDescription]) -> None:
        self._model = model
        self._shapes = {one.name: one.shape for one in inputs if one.shape is not None}
        self._node_count = max(1, len(model.graph.node))
        self._weights = constant_shapes(model.graph)

    def fitting(self, guesses: Guesses) -> Guesses:
        """Return ``guesses``, or the first variant of them that fits where they do not."""
        trial_count = MAX_NODES_TRIED // self._node_count
        is_open = any(guess.kind in family for guess in guesses.values() for family in FAMILIES)
        if not is_open or trial_count < 2 or self._model.ByteSize() > MAX_MODEL_BYTES:
            return guesses
        if self._fits(guesses):
            return guesses
        for _, variant in zip(range(trial_count), variants(guesses), strict=False):
            if self._fits(variant):
                return variant
        return guesses

    def _fits(self, guesses: Guesses) -> bool:
        trial = self._sized(guesses)
        try:
            inferred = shape_inference.infer_shapes(trial, strict_mode=True, data_prop=True)
        # What a stranger's graph makes inference raise is no fixed set.
        except (RuntimeError, ValueError, TypeError, shape_inference.InferenceError):
            return False
        is_past_empty = any(guess.size == 0 for guess in guesses.values())
        return self._is_possible(inferred.graph, lowest=0 if is_past_empty else 1)

    def _sized(self, guesses: Guesses) -> ModelProto:
        trial = ModelProto()
        trial.CopyFrom(self._model)
        del trial.graph.value_info[:]
        for value in trial.graph.input:
            shape = self._shapes.get(value.name)
            if shape is None or not value.type.HasField("tensor_type"):
                continue
            value.type.tensor_type.ClearField("shape")
            for axis, size in enumerate(shape):
                guess = guesses.get((value.name, axis))
                fixed = size if isinstance(size, int) else guess.size if guess else 1
                value.type.tensor_type.shape.dim.add().dim_value = fixed
        for output in trial.graph.output:
            if output.type.HasField("tensor_type"):
                output.type.tensor_type.ClearField("shape")
        return trial

    def _is_possible(self, graph: GraphProto, *, lowest: int) -> bool:
        shapes = dict(self._weights)
        for value in (*graph.input, *graph.value_info, *graph.output):
            sizes = value.type.tensor_type.shape.dim
            if any(one.HasField("dim_value") and one.dim_value < lowest for one in sizes):
                return False
            if sizes and all(one.HasField("dim_value") for one in sizes):
                shapes.setdefault(value.name, tuple(one.dim_value for one in sizes))
        return all(
            _gemm_fits(shapes.get(node.input[0]), shapes.get(node.input[1]), flags)
            for node in graph.node
            if node.op_type == "Gemm" and len(node.input) > 1
            for flags in [{one.name for one in node.attribute if one.i}]
        )


def _gemm_fits(
    first: tuple[int, ...] | None, second: tuple[int, ...] | None, flags: set[str]
) -> bool:
    if first is None or second is None or len(first) != 2 or len(second) != 2:
        return True
    shared = first[0] if "transA" in flags else first[1]
    return shared == (second[1] if "transB" in flags else second[0])
