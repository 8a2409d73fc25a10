"""What a model says about an input or output, and what its graph lets one guess about it."""

from dataclasses import dataclass

from runner.errors import Nonsense
from runner.messages import decode

Dimension = int | str | None
Number = int | float

# The largest size that a dimension may have.
MAX_SIZE = 2**31 - 1


@dataclass(frozen=True, slots=True)
class InputHint:
    """What the graph shows of an input that its declaration leaves open.

    ``sizes`` has a guess for each free dimension, None where there is none or none is needed;
    ``size_whys`` a few words for each, ``kinds`` what each is (``image``, ``audio``, ...), for
    other guesses of the same kind. Where not even the rank is declared, ``sizes`` is all of it.
    ``low`` to ``high``, both included, are values that the graph accepts, ``legal`` other
    single values, ``words`` texts that it knows. ``length_of`` names an input and a place in its
    shape: the values equal that size. ``row`` is all values of an input that only steers, such
    as the axes of a sum. ``batch_axis`` is where the batch stands, when not first.
    """

    sizes: tuple[int | None, ...] = ()
    size_whys: tuple[str, ...] = ()
    low: int | float | None = None
    high: int | float | None = None
    range_why: str = ""
    kinds: tuple[str, ...] = ()
    legal: tuple[int | float, ...] = ()
    words: tuple[str, ...] = ()
    length_of: tuple[str, int] | None = None
    row: tuple[int | float, ...] = ()
    batch_axis: int | None = None

    def __post_init__(self) -> None:
        # A child that a model has taken over could answer anything.
        count = len(self.sizes)
        if len(self.size_whys) != count or len(self.kinds) not in (0, count):
            raise Nonsense("hint", "does not hold together")
        if any(size is not None and not 0 <= size <= MAX_SIZE for size in self.sizes):
            raise Nonsense("hint.sizes", "holds a size that no dimension has")
        if (self.low is None) != (self.high is None) or (self.low or 0) > (self.high or 0):
            raise Nonsense("hint", "has no range from low to high")


@dataclass(frozen=True, slots=True)
class TensorDescription:
    """An input or output as the model declares it.

    ``shape`` holds a size, a free dimension's name, or None for one without a name; it is
    None itself where not even the number of dimensions is declared. ``dtype`` is numpy's name,
    ``string``, or something like ``sequence(float32)``. An output has no ``hint``.
    """

    name: str
    dtype: str
    shape: tuple[int | str | None, ...] | None
    hint: InputHint | None = None

    def __post_init__(self) -> None:
        if self.hint is None or self.shape is None:
            return
        if len(self.hint.sizes) not in (0, len(self.shape)):
            raise Nonsense("hint.sizes", "must be as many as the shape has")


def is_left_open(one: TensorDescription) -> bool:
    """Whether ``one`` says too little to be fed: its sizes, or which numbers or texts it takes.

    A short row of numbers may be sizes or factors, and whole numbers are places in something.
    """
    if one.shape is None or any(not isinstance(size, int) for size in one.shape):
        return True
    return not one.dtype.startswith("float") or len(one.shape) < 2


def declared_dimension(declared: int | str) -> Dimension:
    """Return a declared size or name, and None for a name that says nothing.

    Paddle's exporter calls every free dimension ``?``: taken as one name, the height and the
    width of an image could only be equal.
    """
    return None if declared in ("", "?") else declared


def tensors_from_plain(value: object) -> tuple[TensorDescription, ...]:
    """Return the descriptions that a stored list of ``{name, dtype, shape}`` states.

    Raises Nonsense when it states none.
    """
    return decode(tuple[TensorDescription, ...], value, "inputs")
