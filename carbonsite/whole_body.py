"""A request whose body ends before its announced length is an error, not a short file."""

import errno
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO


class TooSlow(ConnectionResetError):
    """The client did not send its request, or take its answer, in any sensible time."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "The client is too slow.")


class WholeBody:
    """A request's body that must reach ``length_bytes``.

    Servers answer a lost connection with an empty read, which Django's multipart parser takes
    for the end of the file: an upload cut off half way would look complete.
    """

    def __init__(self, stream: BinaryIO, length_bytes: int) -> None:
        self._stream = stream
        self._missing_bytes = length_bytes
        # Django makes the same error of it as of a client that has gone; this one still listens.
        self.was_too_slow = False

    def read(self, size: int = -1) -> bytes:
        return self._taken(self._stream.read, size)

    def readline(self, size: int = -1) -> bytes:
        return self._taken(self._stream.readline, size)

    def _taken(self, take: Callable[[int], bytes], size: int) -> bytes:
        try:
            chunk = take(size)
        except TooSlow:
            self.was_too_slow = True
            raise
        return self._count(chunk, wanted_bytes=size)

    def _count(self, chunk: bytes, *, wanted_bytes: int) -> bytes:
        self._missing_bytes -= len(chunk)
        if not chunk and wanted_bytes != 0 and self._missing_bytes > 0:
            raise ConnectionResetError(f"{self._missing_bytes} bytes of the body never came")
        return chunk


def insist_on_whole_bodies(application: Callable[..., Iterable[bytes]]) -> Callable[..., Any]:
    """Return the WSGI ``application`` with every body of announced length checked for it."""

    def checked(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or ""
        if length.isdigit():
            environ["wsgi.input"] = WholeBody(environ["wsgi.input"], int(length))
        return application(environ, start_response)

    return checked
