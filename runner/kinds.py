"""What a free dimension is likely to be, by its name and its neighbours, and which size is usual.

Sizes: 224 is what most image classifiers were trained at (AlexNet on), 128 a usual length for
sentence models, 16,000 one second of speech at the rate that most speech models take.
"""

import re
from dataclasses import dataclass

from runner.descriptions import TensorDescription

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Guess:
    """A size for one free dimension, a few words of why, and its kind ("" where it is sure)."""

    size: int
    why: str
    kind: str = ""


# By the input's name and the axis.
Guesses = dict[Place, Guess]

# By kind, the size tried first and the others, in the order in which they are tried.
USUAL: dict[str, tuple[int, ...]] = {
    "past": (0, 1),
    "audio": (16_000, 8_000, 32_000, 48_000, 1_536, 1_280, 1_024, 512, 400, 256),
    # Height and width belong together, place by place: 48 x 320 is a line of text.
    "image height": (
        *(224, 48, 32, 640, 320, 256, 512, 32, 28, 64, 96, 112, 128, 160, 192, 299, 384, 416),
        *(448, 227, 48, 8, 1),
    ),
    "image width": (
        *(224, 320, 320, 640, 320, 256, 512, 32, 28, 64, 96, 112, 128, 160, 192, 299, 384, 416),
        *(448, 227, 48, 8, 1),
    ),
    "depth": (32, 64, 16, 8, 1),
    "sequence": (128, 64, 32, 16, 100, 8, 256, 1),
    "points": (10, 1),
    "channels": (3, 1, 4),
}
KIND_BY_FACT = {
    **{"image height": "image height", "image width": "image width", "depth": "depth"},
    **{"signal": "audio", "sequence": "sequence"},
}
_WORDS = {
    "past": "an empty past",
    "audio": "audio samples: {size:,}{second}",
    "image height": "image height, {size} is usual",
    "image width": "image width, {size} is usual",
    "depth": "depth of a volume: {size}",
    "sequence": "sequence length: {size}",
    "points": "a number of things: {size}",
    "channels": "channels of a picture: {size}",
}
_BY_SYMBOL: tuple[tuple[str, str], ...] = (
    ("past", r"past|cache"),
    ("image height", r"height|(^|_)h($|_)|rows"),
    ("image width", r"width|(^|_)w($|_)|cols"),
    ("audio", r"samples|wav|audio"),
    ("sequence", r"seq|token|time|frame|length|(^|_)len|words?$|chars?$|(^|_)[tls]$|steps|prompt"),
    ("points", r"num_?(box|class|label|point|mask|word|span|query|node|edge)|boxes|points|spans"),
)
_BY_INPUT_NAME: tuple[tuple[str, str], ...] = (
    ("past", r"^past|past_key|past_value|^cache"),
    ("audio", r"audio|wav|speech|pcm|sound|signal"),
    ("sequence", r"ids?$|tokens?$|mask|text|feats?$|features?$|mel|fbank|spec|phone|segment"),
)
_FLOATS = ("float16", "bfloat16", "float32", "float64")


def sentence_of(kind: str, size: int) -> str:
    """Return the few words that say what a size of this kind is.

    >>> sentence_of("audio", 16000)
    'audio samples: 16,000 = 1 s at 16 kHz'
    """
    second = " = 1 s at 16 kHz" if size == 16_000 else ""
    return _WORDS[kind].format(size=size, second=second)


def kind_by_name(one: TensorDescription, axis: int) -> str:
    """Return what the dimension's own name says that it is, "" where it says nothing."""
    symbol = (one.shape or ())[axis]
    if not isinstance(symbol, str) or "batch" in symbol.lower() or "+" in symbol:
        return ""
    return _matching(_BY_SYMBOL, symbol.lower())


def kind_by_declaration(one: TensorDescription, axis: int) -> str:
    """Return what the input's name, type and other dimensions say that the dimension is."""
    rank = len(one.shape or ())
    if rank == 4 and one.dtype in (*_FLOATS, "uint8"):
        return _image_axis(one, axis)
    kind = _matching(_BY_INPUT_NAME, one.name.lower())
    if kind == "past" and rank >= 3:
        return "past" if axis == rank - 2 else ""
    if kind == "audio" and axis == rank - 1 and one.dtype in (*_FLOATS, "int16"):
        return "audio"
    if kind == "sequence" and axis == 1 and rank >= 2:
        return "sequence"
    if one.dtype in ("int64", "int32") and axis == 1 and rank >= 2:
        return "sequence"
    # (batch, time, features): what is between the first and a declared last one.
    if rank == 3 and axis == 1 and isinstance((one.shape or ())[2], int):
        return "sequence"
    if rank == 3 and one.dtype == "uint8":
        return ("image height", "image width", "channels")[axis]
    return ""


def _image_axis(one: TensorDescription, axis: int) -> str:
    shape = one.shape or ()
    is_last = shape[3] in (1, 3, 4) and shape[1] not in (1, 3, 4)
    if is_last:
        return ("", "image height", "image width", "")[axis]
    return ("", "channels", "image height", "image width")[axis]


def _matching(patterns: tuple[tuple[str, str], ...], name: str) -> str:
    return next((kind for kind, pattern in patterns if re.search(pattern, name)), "")
