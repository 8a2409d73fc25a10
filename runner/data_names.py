"""Which names a model's data files may have, and which of them its graph means.

Standard library alone, so that the web process checks a name by the rule by which a child does.
"""

from collections.abc import Collection
from posixpath import basename

# Each is held open while an upload is unpacked, and while a model is measured.
MAX_DATA_FILE_COUNT = 200
MAX_NAME_LENGTH = 255
# No file's name needs them; onnxruntime takes one that begins with * for an address in memory.
_NEVER = frozenset('\\*?<>|"')


def plain_name(path: str) -> str | None:
    """Return ``path`` without its dots; None where it leads elsewhere or is no readable name.

    >>> plain_name("./data/weights.bin")
    'data/weights.bin'
    >>> plain_name("../weights.bin"), plain_name("/etc/passwd"), plain_name("C:weights.bin")
    (None, None, None)
    """
    is_odd = not path.isprintable() or path.startswith("/") or not _NEVER.isdisjoint(path)
    if is_odd or path[1:2] == ":" or len(path) > MAX_NAME_LENGTH:
        return None
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return "/".join(parts) if parts and ".." not in parts else None


def meant_by(location: str, names: Collection[str]) -> str | None:
    """Return the one of ``names`` that a graph's ``location`` means; None where none does.

    A browser sends files without their folders: then the last part of the path decides, unless
    two have the same.

    >>> meant_by("data/w.bin", ["w.bin", "v.bin"])
    'w.bin'
    """
    if location in names:
        return location
    alike = [name for name in names if basename(name) == basename(location)]
    return alike[0] if len(alike) == 1 else None
