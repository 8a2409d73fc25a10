"""What a ``.npy`` file says of its array, read by its grammar and evaluated by nothing.

Python's own parser would do, but it is not safe to be called on what strangers write: it can run
out of stack, and several threads at once have made it fail (CPython issue 106905).
"""

import re
from dataclasses import dataclass
from typing import IO

MAX_HEADER_BYTES = 16_384
_MAGIC = b"\x93NUMPY"
# As numpy and others write it: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
_KEY = r"""['"](?P<key>descr|fortran_order|shape)['"]\s*:\s*"""
_VALUE = r"""(?:['"](?P<text>[^'"\\]{0,100})['"]|(?P<truth>True|False)|\((?P<sizes>[0-9,\s]*)\))"""
_PAIR = re.compile(rf"\s*{_KEY}{_VALUE}\s*(?:,|(?=\}}))")
_SIZE = re.compile(r"\s*([0-9]{1,19})\s*")
# An array of records: its type is a list of names and types.
_RECORDS = re.compile(r"""\{\s*['"]descr['"]\s*:\s*\[""")
_KINDS = {"descr": "text", "fortran_order": "truth", "shape": "sizes"}


@dataclass(frozen=True, slots=True)
class NpyHeader:
    """An array's type as numpy codes it (``<f4``), its shape, and how long the header is.

    ``is_by_columns`` says that the first index moves fastest. ``code`` is None for an array of
    records, of which the rest is of no interest.
    """

    code: str | None
    shape: tuple[int, ...]
    byte_count: int
    is_by_columns: bool = False


def read_header(file: IO[bytes]) -> NpyHeader:
    """Return what the ``.npy`` file that begins here says of itself.

    Raises ValueError when it is no such file.
    Source of the format: numpy's documentation, numpy.lib.format.
    """
    start = file.read(8)
    if len(start) < 8 or not start.startswith(_MAGIC) or start[6] not in (1, 2, 3):
        raise ValueError("not an array")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(file.read(width), "little")
    if not 0 < length <= MAX_HEADER_BYTES:
        raise ValueError("a header of an impossible length")
    text = file.read(length).decode("latin1" if start[6] < 3 else "utf-8")
    return _parsed(text.strip(), 8 + width + length)


def _parsed(text: str, byte_count: int) -> NpyHeader:
    if _RECORDS.match(text):
        return NpyHeader(None, (), byte_count)
    found: dict[str, str] = {}
    place = 1 if text.startswith("{") else 0
    while place and (pair := _PAIR.match(text, place)):
        key = pair["key"]
        if key in found or pair.lastgroup != _KINDS[key]:
            raise ValueError("a header that contradicts itself")
        found[key] = pair[_KINDS[key]]
        place = pair.end()
    if found.keys() != _KINDS.keys() or text[place:].strip() != "}":
        raise ValueError("a header that is none")
    is_by_columns = found["fortran_order"] == "True"
    return NpyHeader(found["descr"], _shape(found["shape"]), byte_count, is_by_columns)


def _shape(text: str) -> tuple[int, ...]:
    """The sizes in what stands between the brackets; one alone has a comma behind it."""
    parts = text.split(",")
    if not parts[-1].strip():
        parts.pop()
    elif len(parts) == 1:
        raise ValueError("a size, and no shape")
    sizes = [_SIZE.fullmatch(part) for part in parts]
    if not all(sizes):
        raise ValueError("a shape that is none")
    return tuple(int(size[1]) for size in sizes if size)
