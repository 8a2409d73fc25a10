"""Small files of the kernel's that are opened once and read again and again."""

import os
from pathlib import Path

MAX_BYTES = 65_536


class KeptOpen:
    """Reads text files; each stays open, so that it can be read when none can be opened."""

    def __init__(self) -> None:
        self._descriptors: dict[Path, int] = {}

    def __call__(self, path: Path) -> str:
        """Return what ``path`` says now; raises OSError."""
        if path not in self._descriptors:
            self._descriptors[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        # From the start each time: only then does the kernel write it anew.
        return os.pread(self._descriptors[path], MAX_BYTES, 0).decode("utf-8", "replace")

    def __del__(self) -> None:
        for descriptor in self._descriptors.values():
            os.close(descriptor)
