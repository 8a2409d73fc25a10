"""Dimensions whose names say that they are the sum of others."""

from collections.abc import Mapping

from runner.descriptions import MAX_SIZE


def derived_size(symbol: str, known: Mapping[str, int]) -> tuple[int, str] | None:
    """Return the size that ``symbol`` states as a sum of the ``known`` ones, and why.

    Exporters write ``past_length + length`` for what a model that continues texts attends to,
    or call it ``total_length``. None for a plain name, and for a sum that no dimension can have.

    >>> derived_size("past_length + 1", {"past_length": 0})
    (1, 'guessed: past_length + 1')
    """
    parts = [part.strip() for part in symbol.split("+")]
    if len(parts) == 1:
        if not symbol.startswith("total_"):
            return None
        rest = symbol.removeprefix("total_")
        parts = [f"past_{rest}", rest]
        if not all(part in known for part in parts):
            return None
    sizes = [int(part) if part.isdecimal() else known.get(part) for part in parts]
    if any(size is None for size in sizes):
        return None
    total = sum(size for size in sizes if size is not None)
    return (total, f"guessed: {' + '.join(parts)}") if total <= MAX_SIZE else None
