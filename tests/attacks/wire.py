"""Requests as bytes on a socket: what no well-behaved client would send."""

import socket
import uuid
from dataclasses import dataclass

ANSWER_WITHIN_S = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """A connection to the web process, spoken byte by byte."""

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_WITHIN_S)
        self._read = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *parts: bytes) -> None:
        self.socket.sendall(b"".join(parts))

    def answer(self) -> Answer:
        """The next answer; status 0 when the connection ends without one."""
        head = self._until(b"\r\n\r\n")
        if not head:
            return Answer(0, {}, b"")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in filter(None, lines):
            name, _, value = line.partition(":")
            name = name.strip().lower()
            headers[name] = (
                f"{headers[name]}; {value.strip()}" if name in headers else value.strip()
            )
        length = int(headers.get("content-length", 0))
        while len(self._read) < length and self._more():
            pass
        body, self._read = self._read[:length], self._read[length:]
        return Answer(int(first.split()[1]), headers, body)

    def _until(self, end: bytes) -> bytes:
        while end not in self._read:
            if not self._more():
                return b""
        head, _, self._read = self._read.partition(end)
        return head + b"\r\n"

    def _more(self) -> bool:
        try:
            chunk = self.socket.recv(65536)
        except ConnectionError:
            return False
        self._read += chunk
        return bool(chunk)


def head(method: str, path: str, *lines: str, host: str) -> bytes:
    """The beginning of a request, up to the empty line."""
    every = [f"{method} {path} HTTP/1.1", f"Host: {host}", *lines, "", ""]
    return "\r\n".join(every).encode("latin-1")


def form(*parts: tuple[str, str | None, bytes]) -> tuple[bytes, str]:
    """The body and type of a form of (name, file name or None, content)."""
    border = uuid.uuid4().hex
    written = []
    for name, file_name, content in parts:
        more = "" if file_name is None else f'; filename="{file_name}"'
        written.append(
            f'--{border}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode()
            + content
            + b"\r\n"
        )
    written.append(f"--{border}--\r\n".encode())
    return b"".join(written), f"multipart/form-data; boundary={border}"
