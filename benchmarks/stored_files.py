"""Stored files as files of this machine, wherever the storage keeps them."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.files.storage import default_storage

from benchmarks.folders import work_folder

CHUNK_BYTES = 1024 * 1024


class UnusableFile(Exception):
    """The storage no longer has the file, or gave back something else than was put in."""


@contextmanager
def on_this_machine(name: str, *, sha256: str) -> Iterator[Path]:
    """Give the path of a stored file: its own where the storage is a folder, else of a copy.

    The copy lasts as long as the context, and is checked: a store far away may answer with
    half a file. Raises UnusableFile, and what a storage raises that cannot be reached.
    """
    try:
        path = Path(default_storage.path(name))
    # What a storage without paths raises by contract.
    except NotImplementedError:
        with tempfile.TemporaryDirectory(prefix="copy-", dir=work_folder()) as folder:
            copy = Path(folder) / "file"
            _fetch(name, copy, sha256=sha256)
            yield copy
    else:
        yield path


def _fetch(name: str, copy: Path, *, sha256: str) -> None:
    digest = hashlib.sha256()
    try:
        with default_storage.open(name) as stored, copy.open("wb") as file:
            for chunk in stored.chunks(CHUNK_BYTES):
                digest.update(chunk)
                file.write(chunk)
    except FileNotFoundError as error:
        raise UnusableFile("The model's file is no longer stored. Upload it again.") from error
    if digest.hexdigest() != sha256:
        raise UnusableFile("The model's stored file has been damaged. Upload it again.")
