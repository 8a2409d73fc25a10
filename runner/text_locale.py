"""Which language setting a child gets: onnxruntime's StringNormalizer needs en_US.UTF-8."""

import ctypes
import functools
import sys

WANTED = "en_US.UTF-8"
FALLBACK = "C.UTF-8"
_LC_CTYPE_MASK = 1


@functools.cache
def child_locale() -> str:
    """The wanted setting where the machine has it, else one that at least is UTF-8."""
    return WANTED if _has_locale(WANTED) else FALLBACK


def _has_locale(name: str) -> bool:
    # newlocale asks without changing this process, which setlocale would.
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    library.newlocale.restype = ctypes.c_void_p
    library.newlocale.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
    library.freelocale.argtypes = (ctypes.c_void_p,)
    found = library.newlocale(_LC_CTYPE_MASK, name.encode(), None)
    if not found:
        return False
    library.freelocale(found)
    return True
