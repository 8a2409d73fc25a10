"""How bytes arrive: streamed to a file of ours and hashed on the way, under a limit."""

import errno
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from benchmarks.data_files import DataFile
from benchmarks.folders import incoming_folder
from benchmarks.models import InputSet, ModelVersion
from footprint.units import format_quantity

CHUNK_BYTES = 1024 * 1024
# What a form's other fields and the multipart borders may add to the length of a request.
FORM_ALLOWANCE_BYTES = 1024 * 1024
PART_SUFFIX = ".part"
DISK_IS_FULL = {errno.ENOSPC, errno.EDQUOT}
# A slow line may pause, but a file that has not grown for this long has been given up.
ABANDONED_AFTER = timedelta(hours=2)


class UploadTooLarge(Exception):
    """The file is larger than the site or the user's quota allows (HTTP 413)."""

    def __init__(self, limit_bytes: int):
        super().__init__(
            f"The file is larger than you may upload now ({format_quantity(limit_bytes, 'B')}). "
            "Upload a smaller file, or delete models that you no longer need."
        )


class NoRoom(Exception):
    """The site's own disk is nearly full (HTTP 507)."""

    def __init__(self):
        super().__init__(
            "The site has no room for more files at the moment. Nothing was stored; "
            "please try again later."
        )


@contextmanager
def room_needed() -> Iterator[None]:
    """Raise NoRoom where a write inside finds no room: others may fill the disk meanwhile."""
    try:
        yield
    except OSError as error:
        if error.errno in DISK_IS_FULL:
            raise NoRoom() from error
        raise


def stored_bytes(user) -> int:
    """Return how many bytes of models, their data files and real inputs ``user`` stores."""
    kinds = (ModelVersion, DataFile, InputSet)
    return sum(kind.objects.stored_bytes(user) for kind in kinds)


def remaining_quota_bytes(user) -> int:
    """Return how many more bytes ``user`` may store."""
    return max(0, settings.USER_QUOTA_BYTES - stored_bytes(user))


def upload_limit_bytes(user) -> int:
    """Return the largest file that ``user`` may upload now, in bytes."""
    return min(settings.MAX_UPLOAD_BYTES, remaining_quota_bytes(user))


def check_announced_length(user, content_length: int | None) -> None:
    """Refuse a request by its announced length, before its body is read.

    Raises UploadTooLarge and NoRoom.
    """
    limit_bytes = upload_limit_bytes(user)
    if content_length is not None and content_length > limit_bytes + FORM_ALLOWANCE_BYTES:
        raise UploadTooLarge(limit_bytes)
    check_room(content_length or 0)


def check_room(more_bytes: int) -> None:
    """Raise NoRoom where ``more_bytes`` would leave less of the disk free than has to be."""
    free_bytes = shutil.disk_usage(settings.DATA_DIR).free
    if free_bytes - more_bytes < settings.FREE_DISK_FLOOR_BYTES:
        raise NoRoom()


class ReceivedFile(TemporaryUploadedFile):
    """A file that has arrived whole; it goes away when closed, unless it was stored before."""

    def __init__(self, name: str, content_type: str | None, size: int | None = None):
        part = tempfile.NamedTemporaryFile(  # noqa: SIM115 (closed with the request)
            dir=incoming_folder(), suffix=PART_SUFFIX
        )
        UploadedFile.__init__(self, part, name, content_type, size)
        self._digest = hashlib.sha256()

    def append(self, chunk: bytes) -> None:
        """Add what has arrived; raises NoRoom."""
        with room_needed():
            self.file.write(chunk)
        self._digest.update(chunk)

    def complete(self, size: int) -> None:
        """Note that the last byte has arrived, and have it on the disk; raises NoRoom."""
        with room_needed():
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.seek(0)
        self.size = size

    def close(self) -> None:
        """Let the file go; what could not be written for want of room is let go too."""
        with suppress(NoRoom), room_needed():
            super().close()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def received_from_bytes(content: bytes, name: str) -> ReceivedFile:
    """Return ``content`` as if it had been uploaded: for the sample models."""
    received = ReceivedFile(name, "application/octet-stream")
    received.append(content)
    received.complete(len(content))
    return received


class HashingUploadHandler(FileUploadHandler):
    """Stream each uploaded file to disk and hash it: memory does not grow with its size."""

    chunk_size = CHUNK_BYTES

    def __init__(self, request=None):
        super().__init__(request)
        self._all_received: list[ReceivedFile] = []
        self._received_bytes = 0

    def handle_raw_input(self, input_data, META, content_length, boundary, encoding=None):  # noqa: N803
        """Refuse before the body is read what can be refused by now."""
        user = getattr(self.request, "user", None)
        self.limit_bytes = 0
        if user is not None and user.is_authenticated:
            self.limit_bytes = upload_limit_bytes(user)
            check_announced_length(user, content_length)

    def new_file(self, *args, **kwargs):
        """Begin a file; only somebody who is signed in may send one."""
        super().new_file(*args, **kwargs)
        if not self.request.user.is_authenticated:
            raise PermissionDenied("Log in before you upload a file.")
        self.received = ReceivedFile(self.file_name, self.content_type)
        self._all_received.append(self.received)

    def receive_data_chunk(self, raw_data, start):
        """Write and hash a chunk, up to the limit for all files of the request together."""
        self._received_bytes += len(raw_data)
        if self._received_bytes > self.limit_bytes:
            self.close()
            raise UploadTooLarge(self.limit_bytes)
        self.received.append(raw_data)

    def file_complete(self, file_size):
        """Hand over the file."""
        self.received.complete(file_size)
        return self.received

    def upload_interrupted(self):
        """Leave nothing behind of a file that did not arrive whole."""
        self.close()

    def close(self):
        """Delete every file that has begun to arrive and was not stored."""
        for received in self._all_received:
            received.close()


class UploadClosingMiddleware:
    """Let no file of an upload outlive its request, however that ends.

    Django's parser drops a file when reading it breaks off, but the exception's traceback keeps
    it, and its room on the disk, until the next collection of garbage.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        try:
            return self.get_response(request)
        finally:
            for handler in request.upload_handlers:
                handler.close()


def sweep_incoming() -> int:
    """Delete what aborted uploads left behind, and return how many files that were."""
    swept_count = 0
    for path in incoming_folder().glob(f"*{PART_SUFFIX}"):
        try:
            if time.time() - path.stat().st_mtime > ABANDONED_AFTER.total_seconds():
                path.unlink()
                swept_count += 1
        except FileNotFoundError:
            continue
    return swept_count
