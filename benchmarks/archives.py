"""What a zip may hold to be unpacked here: a few plain files, in proportion to its own size.

Its list of contents is believed in nothing that matters: what is unpacked is counted on the way.
"""

import errno
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from posixpath import basename

from django.core.exceptions import ValidationError

from benchmarks.received import CHUNK_BYTES, ReceivedFile, UploadTooLarge, check_room
from runner.data_names import MAX_DATA_FILE_COUNT, plain_name

ENDING = ".zip"
# The data files, the model, and folders around them.
MAX_MEMBER_COUNT = MAX_DATA_FILE_COUNT + 100
# Weights shrink by a tenth, pruned ones to a fifth; a bomb grows to a thousandfold.
MAX_RATIO = 50
UNCHECKED_BYTES = 1024 * 1024
# What a member's own header takes before its name.
HEADER_BYTES = 30
IS_ENCRYPTED = 0x1
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
# What macOS adds to every zip that it makes.
NOT_MEANT = ("__MACOSX/", ".DS_Store")
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    # Names that are no UTF-8, numbers that do not fit; what zipfile does not know.
    ValueError,
    OverflowError,
    RuntimeError,
)


class _Sparing:
    """A file that is read in pieces only: a zip's list of contents is read as one, unasked."""

    def __init__(self, received: ReceivedFile):
        self._received = received
        self.seek = received.file.seek
        self.tell = received.file.tell
        self.seekable = received.file.seekable

    def read(self, size: int = -1) -> bytes:
        """Return ``size`` bytes, all that are left where it is -1."""
        # One byte too many tells a piece that is too long, and takes no more memory than that.
        most = CHUNK_BYTES + 1
        piece = self._received.file.read(most if size < 0 else min(size, most))
        if len(piece) > CHUNK_BYTES:
            raise zipfile.BadZipFile("its list of contents is too long")
        return piece


def unpacked(archive: ReceivedFile, *, limit_bytes: int) -> dict[str, ReceivedFile]:
    """Return the files in a zip by their paths in it; each goes away when closed.

    Raises ValidationError, by ``file``, with what is wrong; UploadTooLarge where they are more
    than ``limit_bytes`` together, and NoRoom.
    """
    with ExitStack() as half_done:
        with _saying_what_is_wrong(archive.name), zipfile.ZipFile(_Sparing(archive)) as zipped:
            members = _checked(zipped, limit_bytes=limit_bytes)
            files: dict[str, ReceivedFile] = {}
            for path, member in members.items():
                files[path] = ReceivedFile(basename(path), None)
                half_done.callback(files[path].close)
                _unpack(zipped, member, files[path])
        half_done.pop_all()
    return files


@contextmanager
def _saying_what_is_wrong(name: str | None) -> Iterator[None]:
    try:
        yield
    except (*DAMAGED, OSError) as error:
        # A zip that names a place before its own beginning; anything else is the disk's.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        raise _refused(
            f"“{name}” is damaged, or no zip at all. Make it again and upload that."
        ) from error


def _unpack(zipped: zipfile.ZipFile, member: zipfile.ZipInfo, file: ReceivedFile) -> None:
    size_bytes = 0
    # Reading checks the checksum, and stops at the size that the list of contents states.
    with zipped.open(member) as source:
        while chunk := source.read(CHUNK_BYTES):
            file.append(chunk)
            size_bytes += len(chunk)
    if size_bytes != member.file_size:
        raise zipfile.BadZipFile("a file is shorter than stated")
    file.complete(size_bytes)


def _checked(zipped: zipfile.ZipFile, *, limit_bytes: int) -> dict[str, zipfile.ZipInfo]:
    members = [one for one in zipped.infolist() if not _is_left_out(one)]
    if len(zipped.infolist()) > MAX_MEMBER_COUNT:
        raise _refused(
            f"The zip holds more than {MAX_MEMBER_COUNT} files. A model may have up to "
            f"{MAX_DATA_FILE_COUNT} data files: save it with all tensors in one file."
        )
    _check_places(zipped.infolist(), end=zipped.start_dir)
    by_path: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        path = _path_of(member)
        if path in by_path:
            raise _refused(f"The zip holds two files called “{path}”. Make it again with one.")
        by_path[path] = member
    for path, member in by_path.items():
        _check_kind(path, member)
    _check_whole(members, limit_bytes=limit_bytes)
    return by_path


def _is_left_out(member: zipfile.ZipInfo) -> bool:
    name = member.filename
    return member.is_dir() or name.startswith(NOT_MEANT[0]) or basename(name) == NOT_MEANT[1]


def _check_places(members: Iterable[zipfile.ZipInfo], *, end: int) -> None:
    """Refuse members that share bytes: so a small file becomes a large one without a ratio."""
    begins = 0
    for member in sorted(members, key=lambda one: one.header_offset):
        if member.header_offset < begins:
            raise _refused("The zip holds files that overlap, as no program writes them.")
        begins = member.header_offset + HEADER_BYTES + member.compress_size
    if begins > end:
        raise zipfile.BadZipFile("a file runs on into the list of contents")


def _path_of(member: zipfile.ZipInfo) -> str:
    # zipfile ends a name at its first NUL and turns the slashes of Windows.
    path = plain_name(member.orig_filename)
    if path is None or path != plain_name(member.filename):
        raise _refused(
            "The zip holds a file whose name leads outside of it, or is no readable name. Put "
            "the model and its data files into a zip by their plain names."
        )
    return path


def _check_kind(path: str, member: zipfile.ZipInfo) -> None:
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise _refused(f"“{path}” in the zip is a link or a device, not a file.")
    if member.flag_bits & IS_ENCRYPTED:
        raise _refused("The zip is encrypted. Make it again without a password.")
    if member.compress_type not in METHODS:
        raise _refused(
            f"“{path}” is packed in a way that is not read here. Make the zip with the usual "
            "method (deflate), or without compression."
        )


def _check_whole(members: Sequence[zipfile.ZipInfo], *, limit_bytes: int) -> None:
    whole_bytes = sum(member.file_size for member in members)
    packed_bytes = sum(member.compress_size for member in members)
    if whole_bytes > max(UNCHECKED_BYTES, MAX_RATIO * packed_bytes):
        raise _refused(
            f"The zip would become more than {MAX_RATIO} times larger when it is unpacked, as "
            "weights do not. Upload the files as they are, without a zip."
        )
    if whole_bytes > limit_bytes:
        raise UploadTooLarge(limit_bytes)
    check_room(whole_bytes)


def _refused(message: str) -> ValidationError:
    return ValidationError({"file": message})
