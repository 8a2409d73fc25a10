"""The files that the parent has opened for its child, read by their names in the closed cage."""

import os
from collections.abc import Mapping
from io import FileIO
from pathlib import Path

NO_FILE = -1
_descriptors: dict[Path, int] = {}


def give(descriptors: Mapping[str, int]) -> None:
    """From now on have `open_given` read these paths from these descriptors.

    NO_FILE stands for a path that the parent could not open.
    """
    _descriptors.update({Path(path): descriptor for path, descriptor in descriptors.items()})


def open_given(path: Path) -> FileIO:
    """Return the file at ``path`` from its start; one that nobody gave is opened as any other.

    Two that are open at once share their place in the file. Raises OSError where there is none.
    """
    if path not in _descriptors:
        return open(path, "rb", buffering=0)
    descriptor = _descriptors[path]
    if descriptor == NO_FILE:
        raise FileNotFoundError(path)
    file = FileIO(os.dup(descriptor))
    file.seek(0)
    return file
