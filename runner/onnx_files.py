"""Where a model lies: its .onnx file, and the data files in which it keeps its weights."""

import mmap
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner.given_files import open_given
from runner.wire import Buffer


@dataclass(frozen=True, slots=True)
class OnnxFiles:
    """The files of one model; ``data`` are the paths of its data files by their names.

    A name is that under which the file came, which the graph knows it by.
    """

    onnx: Path
    data: Mapping[str, Path] = field(default_factory=dict)

    def mapped_data(self) -> dict[str, Buffer]:
        """Return what the data files hold, by their names, read only when it is looked at.

        Raises OSError where one cannot be opened.
        """
        return {name: _mapped(path) for name, path in self.data.items()}


def _mapped(path: Path) -> Buffer:
    with open_given(path) as file:
        # Nothing cannot be mapped.
        if os.fstat(file.fileno()).st_size == 0:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
