"""What a cell of a reference file may say, and the sentence when it says something else."""

import math
import unicodedata
from collections.abc import Callable, Iterable

# A spreadsheet takes a cell that begins so for a formula (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
SHOWN_CHARACTERS = 40

Reader = Callable[[str], object]


class BadCell(ValueError):
    """A cell that cannot be read; the message is the reason, for people."""


def plain_cell(text: str) -> str:
    """Return ``text`` so that no spreadsheet takes it for a formula.

    >>> plain_cell("=1+1"), plain_cell("1+1")
    ("'=1+1", '1+1')
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def shown(text: str) -> str:
    """Return ``text`` in quotation marks, cut to a length that fits a table."""
    is_long = len(text) > SHOWN_CHARACTERS
    plain = "".join(c if c.isprintable() else "\ufffd" for c in text[:SHOWN_CHARACTERS])
    return f"“{plain}…”" if is_long else f"“{plain}”"


def text_cell(max_length: int, *, may_be_empty: bool = False) -> Reader:
    """Return the reader of a plain text of at most ``max_length`` characters."""

    def read(cell: str) -> str:
        if not cell and not may_be_empty:
            raise BadCell("The cell is empty.")
        if cell.startswith(FORMULA_STARTS):
            raise BadCell(f"{shown(cell)} begins as a spreadsheet's formula does.")
        if any(unicodedata.category(character) == "Cc" for character in cell):
            raise BadCell(f"{shown(cell)} holds a control character.")
        if len(cell) > max_length:
            raise BadCell(f"{shown(cell)} is longer than {max_length} characters.")
        return cell

    return read


def number_cell(*, low: float, high: float, may_be_empty: bool = False) -> Reader:
    """Return the reader of a decimal number from ``low`` to ``high``; None for an empty cell."""

    def read(cell: str) -> float | None:
        if not cell and may_be_empty:
            return None
        number = _number(cell)
        if number < 0:
            raise BadCell(f"{shown(cell)} is negative.")
        if not low <= number <= high:
            raise BadCell(f"{shown(cell)} is not between {low:,g} and {high:,g}.")
        return number

    return read


def whole_cell(*, low: int, high: int, may_be_empty: bool = False) -> Reader:
    """Return the reader of a whole number from ``low`` to ``high``; None for an empty cell."""

    def read(cell: str) -> int | None:
        if not cell and may_be_empty:
            return None
        number = _number(cell)
        if number != int(number):
            raise BadCell(f"{shown(cell)} is not a whole number.")
        if not low <= number <= high:
            raise BadCell(f"{shown(cell)} is not between {low} and {high}.")
        return int(number)

    return read


def choice_cell(choices: Iterable[str]) -> Reader:
    """Return the reader of one of ``choices``."""
    known = tuple(choices)

    def read(cell: str) -> str:
        if cell not in known:
            raise BadCell(f"{shown(cell)} is none of {', '.join(known)}.")
        return cell

    return read


def is_zero(cell: str) -> bool:
    """Answer whether ``cell`` is a zero, however it is written.

    >>> is_zero("0.00"), is_zero(""), is_zero("-0.1")
    (True, False, False)
    """
    try:
        return float(cell) == 0
    except ValueError:
        return False


def _number(cell: str) -> float:
    if not cell:
        raise BadCell("The cell is empty.")
    # float() would take digits of every script, underscores, "nan" and "infinity".
    if not set(cell) <= set("0123456789.+-eE"):
        raise BadCell(f"{shown(cell)} is not a number: write it as 27.29, without separators.")
    try:
        number = float(cell)
    except ValueError as unreadable:
        raise BadCell(f"{shown(cell)} is not a number.") from unreadable
    if not math.isfinite(number):
        raise BadCell(f"{shown(cell)} is beyond all bounds.")
    return number
