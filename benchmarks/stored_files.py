"""Where a file that has arrived stays: named by its hash, once per owner, as long as needed.

The storage may be a folder or far away; who reads a file gets it as one of this machine.
"""

import hashlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from benchmarks.data_files import DataFile
from benchmarks.folders import work_folder
from benchmarks.models import InputSet, ModelVersion

CHUNK_BYTES = 1024 * 1024
GONE = "The model's file is no longer stored. Upload it again."
DAMAGED = "The model's stored file has been damaged. Upload it again."
_OWNER_FOLDER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class UnusableFile(Exception):
    """The storage no longer has the file, or gave back something else than was put in."""


@contextmanager
def on_this_machine(name: str, *, sha256: str) -> Iterator[Path]:
    """Give the path of a stored file: its own where the storage is a folder, else of a copy.

    The copy lasts as long as the context. Either is checked: a store far away may answer with
    half a file, and disks forget. Raises UnusableFile, and what a storage raises that cannot be
    reached.
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
        _check(path, sha256=sha256)
        yield path


@contextmanager
def paths_of(version: ModelVersion) -> Iterator[dict[str, Any]]:
    """Give the paths of a version's files, named as a job has them; raises as above."""
    with ExitStack() as stack:

        def path_of(row: ModelVersion | DataFile) -> str:
            return str(stack.enter_context(on_this_machine(row.file.name, sha256=row.sha256)))

        data_paths = {one.name: path_of(one) for one in version.own_data_files()}
        yield {"onnx_path": path_of(version), "data_paths": data_paths}


def _fetch(name: str, copy: Path, *, sha256: str) -> None:
    digest = hashlib.sha256()
    try:
        with default_storage.open(name) as stored, copy.open("wb") as file:
            for chunk in stored.chunks(CHUNK_BYTES):
                digest.update(chunk)
                file.write(chunk)
    except FileNotFoundError as error:
        raise UnusableFile(GONE) from error
    if digest.hexdigest() != sha256:
        raise UnusableFile(DAMAGED)


def _check(path: Path, *, sha256: str) -> None:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
    except FileNotFoundError as error:
        raise UnusableFile(GONE) from error
    if digest.hexdigest() != sha256:
        raise UnusableFile(DAMAGED)


def hold_files_of(owner_id) -> None:
    """Let no one else add or delete files of this owner until the transaction ends.

    So that versions' numbers are unique, the quota holds for uploads at once, and a file is not
    deleted while the same bytes come in again.
    """
    # An account that is gone has nobody who could add anything.
    User.objects.select_for_update().filter(pk=owner_id).first()


def store(name: str, uploaded) -> None:
    """Move the file to its place, named by its hash: the same bytes of one owner once."""
    if not default_storage.exists(name):
        default_storage.save(name, uploaded)
    uploaded.close()


def delete_unused(file_names: set[str], owner_id) -> None:
    """Delete those of an owner's files that no version and no set of inputs needs any more."""
    with transaction.atomic():
        hold_files_of(owner_id)
        for name in file_names - _needed_names(file__in=file_names):
            default_storage.delete(name)


def stray_files(*, older_than: timedelta) -> list[str]:
    """Return the names of stored files that nothing refers to, except young ones.

    A web process that is killed between storing a file and storing its row leaves one.
    """
    latest, needed = timezone.now() - older_than, _needed_names()
    return [
        name
        for name in _stored_names()
        if name not in needed and default_storage.get_modified_time(name) < latest
    ]


def delete_strays(names: list[str]) -> None:
    """Delete stored files, except those that have come to be needed meanwhile."""
    for name in names:
        delete_unused({name}, name.partition("/")[0])


def _needed_names(**among) -> set[str]:
    return {
        name
        for kind in (ModelVersion, DataFile, InputSet)
        for name in kind.objects.filter(**among).values_list("file", flat=True)
    }


def _stored_names() -> Iterator[str]:
    """Every stored file's name: a folder per owner, and in it files named by their hash."""
    try:
        owners, _ = default_storage.listdir("")
    # Nothing has been uploaded yet.
    except FileNotFoundError:
        return
    for owner_id in owners:
        if _OWNER_FOLDER.fullmatch(owner_id):
            yield from (f"{owner_id}/{name}" for name in default_storage.listdir(owner_id)[1])
