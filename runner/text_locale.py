"""Which language setting a child gets: onnxruntime's StringNormalizer needs en_US.UTF-8."""

import ctypes
import functools
import sys
from typing import Any

WANTED = "en_US.UTF-8"
FALLBACK = "C.UTF-8"
_LC_CTYPE_MASK = 1
# The twelve categories of glibc, but for LC_ALL itself.
_LC_ALL_MASK = 0b1_1111_1011_1111


@functools.cache
def child_locale() -> str:
    """The wanted setting where the machine has it, else one that at least is UTF-8."""
    return WANTED if _has_locale(WANTED) else FALLBACK


def hold_locale() -> None:
    """Load the wanted setting for good, where there is one: later its files cannot be opened."""
    _open_locale(WANTED, categories=_LC_ALL_MASK)


def _has_locale(name: str) -> bool:
    found = _open_locale(name, categories=_LC_CTYPE_MASK)
    if found is None:
        return False
    _library().freelocale(found)
    return True


def _open_locale(name: str, *, categories: int) -> int | None:
    # newlocale asks without changing this process, which setlocale would.
    if not sys.platform.startswith("linux"):
        return None
    found: int | None = _library().newlocale(categories, name.encode(), None)
    return found


@functools.cache
def _library() -> Any:
    library = ctypes.CDLL(None)
    library.newlocale.restype = ctypes.c_void_p
    library.newlocale.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
    library.freelocale.argtypes = (ctypes.c_void_p,)
    return library
