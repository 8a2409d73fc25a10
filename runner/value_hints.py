"""Which values an input takes: what the graph's operators allow, then what its name says."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from runner.descriptions import InputHint, Number, TensorDescription
from runner.facts import Fact
from runner.picture_blocks import picture_and_block

_MASK = re.compile(r"mask")
_LENGTH = re.compile(r"(^|[_.])(len|length|lengths|lens|seqlens?)$|length")
_RATE = re.compile(r"^(sr|fs|rate|sample_?rate|sampling_?rate)$")
_SIZE_OF_IMAGE = re.compile(r"(image|img|im|orig|target)_?(size|shape)s?$")
_SEGMENTS = re.compile(r"token_type|segment")
_USUAL_RATES = (16_000, 8_000)
_MAX_LEGAL = 8
_MAX_ROW = 32
# Each is tried, and there are only so many attempts.
_MAX_OTHERS = 3


def value_hint(
    one: TensorDescription, facts: Sequence[Fact], inputs: Sequence[TensorDescription]
) -> InputHint:
    """Return the hint of ``one`` with the values that it takes.

    ``inputs`` are all of the model's, with the sizes that were guessed for them.
    """
    hint = one.hint or InputHint()
    hint = replace(hint, batch_axis=_batch_axis(facts))
    about_values = [fact for fact in facts if fact.axis is None]
    # A map from texts has a range too, of its numbers: its keys are what the graph knows.
    words = next((fact for fact in about_values if fact.kind == "words"), None)
    if words is not None:
        return replace(hint, words=words.words, range_why=words.why)
    if one.dtype == "string":
        return hint
    is_float = "float" in one.dtype
    for found in (
        _by_mask(one, hint),
        _by_choice(one, hint, about_values),
        _by_length(one, hint, about_values, inputs),
        _by_row(one, hint, about_values, inputs),
        _by_exact(hint, about_values, is_float=is_float),
        None if is_float else _by_range(hint, about_values),
        _by_name(one, hint),
    ):
        if found is not None:
            return _within_type(one.dtype, found)
    return hint


def _batch_axis(facts: Sequence[Fact]) -> int | None:
    return next((fact.axis for fact in facts if fact.kind == "batch" and fact.axis), None)


def _set(hint: InputHint, low: Number, high: Number, why: str) -> InputHint:
    return replace(hint, low=low, high=high, range_why=why)


def _by_mask(one: TensorDescription, hint: InputHint) -> InputHint | None:
    if _MASK.search(one.name.lower()) and (one.dtype.startswith("int") or one.dtype == "bool"):
        return _set(hint, 1, 1, "a mask: all ones")
    return None


def _element_count(one: TensorDescription) -> int:
    """How many values ``one`` holds for one item, a dimension that is not guessed being 1."""
    return math.prod(sizes_of(one))


def _by_choice(one: TensorDescription, hint: InputHint, facts: Sequence[Fact]) -> InputHint | None:
    """A lone number that the graph compares with constants is one of these."""
    is_rate = _RATE.search(one.name.lower()) is not None
    if _element_count(one) != 1 or one.dtype == "bool" or not (one.shape in ((), (1,)) or is_rate):
        return None
    legal = list(dict.fromkeys(fact.numbers[0] for fact in facts if fact.kind == "choice"))
    if is_rate:
        legal = [*(rate for rate in _USUAL_RATES if rate in legal or not legal), *legal]
        legal = list(dict.fromkeys(legal))
        spoken = " or ".join(f"{rate:,}" for rate in sorted(legal))
        why = f"sampling rate: {spoken}"
    elif legal:
        spoken = ", ".join(f"{number:,}" for number in legal[:_MAX_LEGAL])
        why = f"the graph compares it with {spoken}"
    if not legal:
        return None
    return replace(_set(hint, legal[0], legal[0], why), legal=tuple(legal[:_MAX_LEGAL]))


def _by_length(
    one: TensorDescription,
    hint: InputHint,
    facts: Sequence[Fact],
    inputs: Sequence[TensorDescription],
) -> InputHint | None:
    sure = next((fact for fact in facts if fact.kind == "length"), None)
    if sure is not None:
        place = (sure.words[0], int(sure.numbers[0]))
        return replace(hint, length_of=place, range_why="length: equals the sequence")
    is_named_so = _LENGTH.search(one.name.lower()) is not None and "float" not in one.dtype
    if not is_named_so or len(one.shape or ()) > 1 or one.dtype == "bool":
        return None
    measured = _measured_place(one, inputs)
    if measured is None:
        return None
    return replace(hint, length_of=measured, range_why="length: equals the sequence")


def _measured_place(
    one: TensorDescription, inputs: Sequence[TensorDescription]
) -> tuple[str, int] | None:
    """Where the sequence is that a length speaks of: first a guessed one, then the second axis."""
    others = [other for other in inputs if other is not one and len(other.shape or ()) > 1]
    # "text_lengths" speaks of "text", where there is one.
    stem = re.split(r"[_.]?len", one.name.lower())[0]
    others.sort(key=lambda other: not (stem and other.name.lower().startswith(stem)))
    for other in others:
        for axis, kind in enumerate(other.hint.kinds if other.hint else ()):
            if kind in ("sequence", "audio"):
                return other.name, axis
    return (others[0].name, 1) if others else None


def _by_row(
    one: TensorDescription,
    hint: InputHint,
    facts: Sequence[Fact],
    inputs: Sequence[TensorDescription],
) -> InputHint | None:
    """Numbers that only steer: axes, factors, sizes, each another one."""
    fact = next((fact for fact in facts if fact.kind == "row"), None)
    count = _element_count(one)
    if fact is None or not 0 < count <= _MAX_ROW or len(one.shape or ()) > 1:
        return None
    of = next((other for other in inputs if other.name in fact.words[1:]), None)
    row = _row(fact, count, sizes_of(of) if of else ())
    if not row:
        return None
    found = replace(_set(hint, min(row), max(row), fact.why), row=row)
    return _with_others(found, facts)


def _row(fact: Fact, count: int, sizes: Sequence[int]) -> tuple[Number, ...]:
    """``count`` numbers of the kind that ``fact`` names, none where it cannot be told.

    ``sizes`` are those of what they steer, where known.
    """
    kind = fact.words[0]
    if kind in ("picture of blocks", "block"):
        fitting = picture_and_block(sizes, count, fact.numbers)
        return () if fitting is None else fitting[kind == "block"]
    if kind == "axes":
        return tuple(range(count))
    if kind == "free first":
        return (-1, *(1,) * (count - 1))
    # The first two dimensions, batch and channels, stay as they are.
    kept = max(0, count - 2) if count < 4 else 2
    if kind == "factors":
        return (1,) * kept + (2,) * (count - kept)
    known = sizes if len(sizes) == count else (8,) * count
    if kind == "doubled":
        return (*known[:kept], *(2 * size for size in known[kept:]))
    if kind == "picture":
        return (sizes[0] if sizes else 1, 1, *(8,) * (count - 2))[:count]
    axis = int(kind.rpartition(" ")[2])
    whole = sizes[axis] if -len(sizes) <= axis < len(sizes) else count
    part, rest = divmod(whole, count)
    return tuple(part + (place < rest) for place in range(count))


def sizes_of(one: TensorDescription) -> tuple[int, ...]:
    """Return the sizes declared or guessed, 1 for what is neither."""
    guessed = one.hint.sizes if one.hint else ()
    return tuple(
        size if isinstance(size, int) else (guessed[axis] if axis < len(guessed) else None) or 1
        for axis, size in enumerate(one.shape or ())
    )


def _by_exact(hint: InputHint, facts: Sequence[Fact], *, is_float: bool) -> InputHint | None:
    fact = next((fact for fact in facts if fact.kind == "exactly"), None)
    if fact is None:
        return None
    if is_float and fact.why.startswith(("an axis", "a size", "boxes", "how many")):
        return None
    return _with_others(_set(hint, fact.numbers[0], fact.numbers[0], fact.why), facts)


def _with_others(hint: InputHint, facts: Sequence[Fact]) -> InputHint:
    """``hint`` with the values that other uses show, for where its own do not fit."""
    shown = [fact.numbers[0] for fact in facts if fact.kind == "exactly"]
    is_one_value = hint.low == hint.high
    others = [one for one in dict.fromkeys(shown) if not (is_one_value and one == hint.low)]
    if hint.low is None or not others:
        return hint
    return replace(hint, legal=(hint.low, *others[:_MAX_OTHERS]))


def _by_range(hint: InputHint, facts: Sequence[Fact]) -> InputHint | None:
    """The values that every use allows; a guess counts only where no use is sure."""
    ranges = [fact for fact in facts if fact.kind == "range"]
    ranges = ranges or [fact for fact in facts if fact.kind == "divisor"]
    ranges = ranges or [fact for fact in facts if fact.kind == "weak"]
    if not ranges:
        return None
    tightest = min(ranges, key=lambda fact: fact.numbers[1])
    low = max(fact.numbers[0] for fact in ranges)
    high = tightest.numbers[1]
    if high - low > 1_000 and tightest.why.startswith("the embedding"):
        return _set(hint, low, high, f"token ids: {tightest.why}")
    return _set(hint, min(low, high), high, tightest.why)


def _by_name(one: TensorDescription, hint: InputHint) -> InputHint | None:
    name = one.name.lower()
    if _SEGMENTS.search(name) and "int" in one.dtype:
        return _set(hint, 0, 0, "segments: all in the first")
    if "position" in name and "int" in one.dtype:
        return _set(hint, 0, 1, "positions: the first ones")
    if _SIZE_OF_IMAGE.search(name) and one.dtype != "bool":
        return _set(hint, 224, 224, "the size of a picture: 224")
    if one.dtype == "uint8" and any("image" in kind for kind in hint.kinds):
        return _set(hint, 0, 255, "pixels: 0 to 255")
    if name == "use_cache_branch" and one.dtype == "bool":
        return _set(hint, 0, 0, "the past is empty")
    if one.dtype == "bool":
        return None
    return None


def _within_type(dtype: str, hint: InputHint) -> InputHint:
    """``hint`` with numbers that ``dtype`` can hold: whole ones, and not too large."""
    if hint.low is None or hint.high is None:
        return hint
    if "float" in dtype:
        return replace(hint, low=float(hint.low), high=float(hint.high))
    limits = {"bool": 1, "int8": 127, "uint8": 255, "int16": 2**15 - 1, "uint16": 2**16 - 1}
    highest = limits.get(dtype, 2**31 - 1)
    low, high = int(hint.low), int(hint.high)
    lowest = 0 if dtype.startswith("u") or dtype == "bool" else -highest - 1
    return replace(hint, low=min(max(low, lowest), highest), high=max(min(high, highest), lowest))
