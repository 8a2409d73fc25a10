"""How a caged child speaks to its parent: through a piece of memory of fixed size.

The child may write no file, and a pipe fills up while nobody empties it. The parent makes the
memory, sealed so that it cannot change its size; the child writes, the parent reads a copy.
"""

import contextlib
import fcntl
import mmap
import os
import struct
import tempfile
import zlib
from dataclasses import dataclass

# Where the child is told who waits for it.
PARENT_PID_VARIABLE = "CARBONSITE_RUNNER_PARENT"
_CLOSED = -1
MAX_PROGRESS_BYTES = 4_096
MAX_ANSWER_BYTES = 4 * 2**20
MAX_COMPLAINT_BYTES = 16_384
_PIPE_BYTES = 65_536
_MAX_READS = 16
# How long the text is, and its checksum: a text that is just being written is told from a whole.
_HEADER = struct.Struct("=II")


@dataclass(frozen=True, slots=True)
class _Slot:
    """One place for a text, with its header before it."""

    start: int
    max_bytes: int

    @property
    def end(self) -> int:
        return self.start + _HEADER.size + self.max_bytes


_PROGRESS = _Slot(0, MAX_PROGRESS_BYTES)
_ANSWER = _Slot(_PROGRESS.end, MAX_ANSWER_BYTES)


class Listener:
    """The parent's end; close it once the child is gone."""

    def __init__(self) -> None:
        self.descriptor = _fixed_memory(_ANSWER.end)

    @property
    def is_open(self) -> bool:
        """Whether it can be listened to still."""
        return self.descriptor != _CLOSED

    def progress(self) -> bytes | None:
        """The last whole progress text, None where there is none just now."""
        return self._read(_PROGRESS)

    def answer(self) -> bytes | None:
        """The answer's text, None where the child gave none that is whole."""
        return self._read(_ANSWER)

    def close(self) -> None:
        """Let go of the memory."""
        if self.is_open:
            os.close(self.descriptor)
            self.descriptor = _CLOSED

    def _read(self, slot: _Slot) -> bytes | None:
        if not self.is_open:
            return None
        length, checksum = _HEADER.unpack(os.pread(self.descriptor, _HEADER.size, slot.start))
        if not 0 < length <= slot.max_bytes:
            return None
        text = os.pread(self.descriptor, length, slot.start + _HEADER.size)
        return text if zlib.crc32(text) == checksum else None


class Complaints:
    """What the child says on stderr, where the C++ runtime tells that memory ran out.

    A pipe, because the child may not make a file longer. One that says more than is listened
    to waits until its time is up.
    """

    def __init__(self) -> None:
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        self._last = b""

    def listen(self) -> None:
        """Take in what was said since, without waiting for more."""
        if self._read_end == _CLOSED:
            return
        with contextlib.suppress(BlockingIOError):
            for _ in range(_MAX_READS):
                heard = os.read(self._read_end, _PIPE_BYTES)
                if not heard:
                    return
                self._last = (self._last + heard)[-MAX_COMPLAINT_BYTES:]

    def text(self) -> str:
        """The last of what was said."""
        return self._last.decode("utf-8", "replace")

    def close_write_end(self) -> None:
        """Leave it to the child, which has its own by now."""
        os.close(self.write_end)

    def close(self) -> None:
        """Stop listening."""
        if self._read_end != _CLOSED:
            os.close(self._read_end)
            self._read_end = _CLOSED


class Speaker:
    """The child's end: it only writes to memory, which no rule can forbid."""

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, _ANSWER.end)
        os.close(descriptor)

    def tell(self, text: str) -> None:
        """Put ``text`` in the place of the progress told before."""
        self._write(_PROGRESS, text)

    def answer(self, text: str) -> None:
        """Give the one answer; raises ValueError where it is longer than any honest one."""
        self._write(_ANSWER, text)

    def _write(self, slot: _Slot, text: str) -> None:
        encoded = text.encode("utf-8", "replace")
        if len(encoded) > slot.max_bytes:
            raise ValueError(f"{len(encoded)} bytes are more than {slot.max_bytes}")
        body = slot.start + _HEADER.size
        self._memory[body : body + len(encoded)] = encoded
        header = _HEADER.pack(len(encoded), zlib.crc32(encoded))
        self._memory[slot.start : body] = header


def _fixed_memory(size_bytes: int) -> int:
    if not hasattr(os, "memfd_create"):
        # Other systems: a file without a name does as well, but for the seals.
        with tempfile.TemporaryFile() as file:
            os.ftruncate(file.fileno(), size_bytes)
            return os.dup(file.fileno())
    descriptor = os.memfd_create("channel", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, size_bytes)
    # Else the child could shrink it under the parent's hands, or fill all memory with it.
    seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor
