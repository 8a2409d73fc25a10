"""Sizes and values to feed a model with, guessed from its graph, its names and what is usual."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from onnx import ModelProto

from runner.descriptions import Dimension, InputHint, TensorDescription, is_left_open
from runner.facts import Fact
from runner.flow import facts_within
from runner.kinds import (
    KIND_BY_FACT,
    USUAL,
    Guess,
    Guesses,
    Place,
    kind_by_declaration,
    kind_by_name,
    sentence_of,
)
from runner.trial_shapes import TrialShapes
from runner.value_hints import value_hint

# Dimensions beyond these are not looked at; no input that can be fed has more.
MAX_RANK = 32


def with_hints(
    model: ModelProto, inputs: Sequence[TensorDescription]
) -> tuple[TensorDescription, ...]:
    """Return ``inputs``, those of ``model``, each with what its graph lets one guess.

    ``model`` may lack its weights' values, and is not changed.
    """
    if not any(is_left_open(one) for one in inputs):
        return tuple(inputs)
    facts = facts_within(model, inputs)
    by_input: dict[str, list[Fact]] = {one.name: [] for one in inputs}
    for fact in facts:
        by_input[fact.input].append(fact)
    shaped = [_with_rank(one, by_input[one.name]) for one in inputs]
    guesses = _guesses(shaped, by_input)
    guesses = TrialShapes(model, shaped).fitting(guesses)
    hinted = [_with_sizes(one, guesses) for one in shaped]
    found = [replace(one, hint=value_hint(one, by_input[one.name], hinted)) for one in hinted]
    return tuple(
        _without_rank(one) if given.shape is None else one
        for one, given in zip(found, inputs, strict=True)
    )


def _with_rank(one: TensorDescription, facts: Iterable[Fact]) -> TensorDescription:
    """``one`` with a rank, where only its use tells one; 0 stands for a free dimension."""
    if one.shape is not None:
        return one
    found = next((fact for fact in facts if fact.kind == "shape"), None)
    if found is None:
        return replace(one, shape=(None,))
    shape: list[Dimension] = [int(size) if size else None for size in found.numbers]
    return replace(one, shape=(None, *shape[1:]))


def _without_rank(one: TensorDescription) -> TensorDescription:
    """``one`` as it was declared, the rank that was found for it being in its hint."""
    hint = one.hint or InputHint()
    sizes = tuple(
        size if isinstance(size, int) else guess or 1
        for size, guess in zip(one.shape or (), hint.sizes, strict=True)
    )
    whys = tuple(why or "the model does not declare a shape" for why in hint.size_whys)
    return replace(one, shape=None, hint=replace(hint, sizes=sizes, size_whys=whys))


def _guesses(inputs: Sequence[TensorDescription], facts: Mapping[str, Sequence[Fact]]) -> Guesses:
    found: Guesses = {}
    for one in inputs:
        for axis, dimension in enumerate((one.shape or ())[:MAX_RANK]):
            if isinstance(dimension, int):
                continue
            guess = _guess(one, axis, [fact for fact in facts[one.name] if fact.axis == axis])
            if guess is not None:
                found[one.name, axis] = guess
    return _agreed(inputs, found)


def _guess(one: TensorDescription, axis: int, facts: Sequence[Fact]) -> Guess | None:
    if _is_batch_name((one.shape or ())[axis]):
        return None
    sure = [fact for fact in facts if fact.kind == "exactly"]
    least = [fact for fact in facts if fact.kind == "at_least"]
    if axis == 0 and len(one.shape or ()) > 1 and not sure:
        return _first(one, facts)
    if sure:
        return Guess(int(sure[0].numbers[0]), sure[0].why)
    if least:
        fact = max(least, key=lambda one: one.numbers[0])
        return Guess(int(fact.numbers[0]), fact.why)
    if any(fact.kind == "batch" for fact in facts):
        return None
    by_use = {KIND_BY_FACT[fact.kind] for fact in facts if fact.kind in KIND_BY_FACT}
    kind = next((kind for kind in USUAL if kind in by_use), "")
    # A convolution over one channel of samples knows better than a name such as "sequence".
    if kind != "audio":
        kind = kind_by_name(one, axis) or kind or kind_by_declaration(one, axis)
    if kind:
        return _usual(one, axis, kind)
    found = next((fact for fact in facts if fact.kind == "broadcast"), None)
    return Guess(int(found.numbers[0]), found.why) if found else None


def _is_batch_name(dimension: Dimension) -> bool:
    return isinstance(dimension, str) and ("batch" in dimension.lower() or dimension in "Bb")


def _first(one: TensorDescription, facts: Sequence[Fact]) -> Guess | None:
    """The first of several dimensions is the batch, but where its name or use says otherwise."""
    kind = kind_by_name(one, 0)
    if not kind and any(fact.kind == "sequence" for fact in facts):
        kind = "sequence"
    return _usual(one, 0, kind) if kind else None


def _usual(one: TensorDescription, axis: int, kind: str) -> Guess:
    size = USUAL[kind][0]
    if kind in ("image height", "image width"):
        declared = [size for size in (one.shape or ())[1:] if isinstance(size, int) and size > 4]
        # A picture whose other side is declared is square, unless that is a line of text.
        if len(declared) == 1:
            size = 320 if 16 < declared[0] <= 64 else declared[0]
    return Guess(size, sentence_of(kind, size), kind)


def _agreed(inputs: Sequence[TensorDescription], guesses: Guesses) -> Guesses:
    """One guess for a dimension that several places share by name: the surest."""
    surest: dict[str, Guess] = {}
    for place, guess in guesses.items():
        symbol = _symbol(inputs, place)
        known = surest.get(symbol)
        if symbol and (known is None or (known.kind and not guess.kind)):
            surest[symbol] = guess
    agreed: Guesses = {}
    for one in inputs:
        for axis, dimension in enumerate(one.shape or ()):
            place = (one.name, axis)
            if isinstance(dimension, str) and dimension in surest:
                agreed[place] = surest[dimension]
            elif place in guesses:
                agreed[place] = guesses[place]
    return agreed


def _symbol(inputs: Sequence[TensorDescription], place: Place) -> str:
    shape = next(one.shape for one in inputs if one.name == place[0]) or ()
    symbol = shape[place[1]]
    return symbol if isinstance(symbol, str) else ""


def _with_sizes(one: TensorDescription, guesses: Guesses) -> TensorDescription:
    axes = range(len(one.shape or ()))
    found = [guesses.get((one.name, axis)) for axis in axes]
    hint = InputHint(
        sizes=tuple(guess.size if guess else None for guess in found),
        size_whys=tuple(guess.why if guess else "" for guess in found),
        kinds=tuple(guess.kind if guess else "" for guess in found),
    )
    return replace(one, hint=hint)
