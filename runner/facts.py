"""One thing that an operator's use of an input tells of it, and how rules say such things."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from runner.descriptions import MAX_SIZE
from runner.traces import Use

# What a loop, a repetition or a list of boxes is asked for where the graph leaves it open.
SMALL_COUNT = 10


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing about an input: about its size along ``axis``, or about its values (None).

    ``kind`` of a size: ``exactly`` or ``at_least`` the number, ``broadcast`` the number or 1, or
    what it is (``image height``,
    ``signal``, ``sequence``, ``batch``). Of values: ``range`` and ``divisor`` from the first
    number to the second, ``exactly``, ``choice``, ``words``, ``shape``; ``length`` of the input
    in ``words`` along the axis in ``numbers``; ``row`` of the kind in ``words``, where
    ``numbers`` is what it speaks of.
    """

    input: str
    axis: int | None
    kind: str
    numbers: tuple[int | float, ...] = ()
    why: str = ""
    words: tuple[str, ...] = ()


Facts = Iterator[Fact]
Rule = Callable[[Use], Facts]


def kind_at(use: Use, place: int, axis: int, kind: str) -> Facts:
    for trace in use.traces(place):
        source = trace.source_axis(axis)
        if source is not None:
            yield Fact(trace.input, source, kind)


def size_at(use: Use, at: tuple[int, int], kind: str, size: int, why: str) -> Facts:
    """A size along the axis ``at[1]`` of the operand at ``at[0]``."""
    for trace in use.traces(at[0]):
        source = trace.source_axis(at[1])
        if source is not None and 0 < size <= MAX_SIZE:
            yield Fact(trace.input, source, kind, (size,), why)


def values_at(
    use: Use,
    place: int,
    kind: str,
    *numbers: int | float,
    why: str = "",
    words: tuple[str, ...] = (),
) -> Facts:
    for trace in use.traces(place):
        if trace.is_value:
            yield Fact(trace.input, None, kind, numbers, why, words)


def weight_shape(use: Use, place: int, *, rank: int) -> tuple[int, ...] | None:
    constant = use.constant(place)
    if constant is None or len(constant.shape) < rank:
        return None
    return constant.shape


def row_at(use: Use, place: int, kind: str, why: str) -> Facts:
    """A row of numbers that steers, such as axes; ``kind`` says how to fill it."""
    of = tuple(trace.input for trace in use.traces(0) if trace.is_value)[:1]
    yield from values_at(use, place, "row", why=why, words=(kind, *of))


def rows_at(*rows: tuple[int, str, str]) -> Rule:
    def rule(use: Use) -> Facts:
        for place, kind, why in rows:
            yield from row_at(use, place, kind, why)

    return rule


def fixed_at(*values: tuple[int, int | float, str]) -> Rule:
    def rule(use: Use) -> Facts:
        for place, number, why in values:
            yield from values_at(use, place, "exactly", number, why=why)

    return rule
