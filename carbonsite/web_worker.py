"""How web connections are held: the slow wait outside, or are cut off, and stop nobody else.

Gunicorn's threads read a request's head and body themselves, so as many clients as there are
threads, each sending a byte now and then, would stop the site (tried: twelve half-sent heads, and
/healthz was silent). Here a connection gets a thread when its head has come, with the body if that
is small; large bodies get half of the threads, one after the other; and whoever then sends, or
takes an answer, more slowly than 4 KiB/s is cut off. A body also has to keep up the rate of
``UPLOAD_SLOWEST_BYTES_PER_S``, or a file of some gigabytes would hold its thread for days.
"""

import errno
import re
import select
import socket
import sys
import time
from collections import deque
from functools import partial
from typing import BinaryIO

from django.conf import settings
from gunicorn.workers.gthread import TConn, ThreadWorker

from carbonsite.whole_body import TooSlow

# How long a head and a small body may take to arrive.
WHOLE_WITHIN_S = 15.0
SMALL_BODY_BYTES = 64 * 1024
# More than the lines and fields that gunicorn takes; it answers what is longer.
MAX_HEAD_BYTES = 64 * 1024
# What is waited for a sender in all: so long, and as long as its bytes take at the slowest rate.
PATIENCE_S = 15.0
SLOWEST_BYTES_PER_S = 4096
SENT_AT_ONCE_BYTES = 256 * 1024
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r?\n", re.IGNORECASE)
_EXPECTS = re.compile(rb"\nexpect:", re.IGNORECASE)


class PacedSocket:
    """A socket to receive from, for as long as its sender keeps up two rates.

    The slowest one may be missed for a moment only, that of uploads for longer: a line may be
    slow for a minute. Only what is waited for the sender counts, not what is done with its bytes.
    """

    def __init__(self, connection: socket.socket):
        self._socket = connection
        self._ready = select.poll()
        self._ready.register(connection, select.POLLIN)
        self._timeout_s: float | None = None
        self._upload_bytes_per_s = max(SLOWEST_BYTES_PER_S, settings.UPLOAD_SLOWEST_BYTES_PER_S)
        self._grace_s = settings.UPLOAD_GRACE_S
        self.start_again()

    def start_again(self) -> None:
        """Have new patience: another request begins."""
        self._left_s = PATIENCE_S
        self._grace_left_s = self._grace_s

    def recv(self, size: int) -> bytes:
        """Return up to ``size`` bytes; raises TooSlow, and TimeoutError where one is set."""
        left_s = min(self._left_s, self._grace_left_s)
        if left_s <= 0:
            raise TooSlow()
        wait_s = min(left_s, self._timeout_s or PATIENCE_S)
        began_s = time.monotonic()
        if not self._ready.poll(wait_s * 1000):
            if self._timeout_s is not None:
                raise TimeoutError("Nothing came.")
            raise TooSlow()
        chunk = self._socket.recv(size)
        waited_s = time.monotonic() - began_s
        self._left_s += len(chunk) / SLOWEST_BYTES_PER_S - waited_s
        self._left_s = min(self._left_s, PATIENCE_S)
        # Nor do the bytes of a fast beginning buy hours of dawdling.
        self._grace_left_s += len(chunk) / self._upload_bytes_per_s - waited_s
        self._grace_left_s = min(self._grace_left_s, self._grace_s)
        return chunk

    def gettimeout(self) -> float | None:
        """The timeout of a single read, which gunicorn sets where it discards a body."""
        return self._timeout_s

    def settimeout(self, timeout_s: float | None) -> None:
        self._timeout_s = timeout_s


class PacedSender:
    """A socket to send an answer with, for as long as its reader keeps up the slowest rate.

    In all else it is the socket itself.
    """

    def __init__(self, connection: socket.socket):
        self._socket = connection
        self._ready = select.poll()
        self._ready.register(connection, select.POLLOUT)
        self._left_s = PATIENCE_S

    def __getattr__(self, name):
        return getattr(self._socket, name)

    def sendall(self, content: bytes) -> None:
        """Send all of ``content``; raises TooSlow."""
        rest = memoryview(content)
        while rest:
            rest = rest[self._send(rest) :]

    def sendfile(self, file: BinaryIO, offset: int = 0, count: int | None = None) -> None:
        """Send ``count`` bytes of ``file``, all of them without one; raises TooSlow."""
        file.seek(offset)
        left_bytes = sys.maxsize if count is None else count
        while left_bytes and (block := file.read(min(left_bytes, SENT_AT_ONCE_BYTES))):
            self.sendall(block)
            left_bytes -= len(block)

    def _send(self, rest: memoryview) -> int:
        began_s = time.monotonic()
        if self._left_s <= 0 or not self._ready.poll(self._left_s * 1000):
            raise TooSlow()
        try:
            sent_bytes = self._socket.send(rest, socket.MSG_DONTWAIT)
        except BlockingIOError:
            sent_bytes = 0
        waited_s = time.monotonic() - began_s
        self._left_s += sent_bytes / SLOWEST_BYTES_PER_S - waited_s
        self._left_s = min(self._left_s, PATIENCE_S)
        return sent_bytes


class PacedConnection(TConn):
    """A connection whose sender is held to a rate, and which may count as an upload."""

    is_upload = False
    whole_by_s = 0.0
    awaited_bytes = 0

    def init(self):
        """Make the parser, and have it read at the client's pace only so far."""
        if not self.initialized:
            super().init()
            self.parser.unreader.sock = PacedSocket(self.sock)
        self.parser.unreader.sock.start_again()

    def wanted_bytes(self) -> int | None:
        """How many bytes have to be there before a thread is worth it; None to wait no longer.

        Notes on the way whether the request counts as an upload.
        """
        self.sock.setblocking(False)
        try:
            seen = self.sock.recv(MAX_HEAD_BYTES + SMALL_BODY_BYTES, socket.MSG_PEEK)
        except BlockingIOError:
            return 1
        except OSError:
            return None
        self.is_upload = False
        if len(seen) < self.awaited_bytes:
            # Woken all the same: the client has hung up, or the kernel keeps no more for us.
            return None
        head = _END_OF_HEAD.search(seen)
        if head is None:
            return len(seen) + 1 if 0 < len(seen) < MAX_HEAD_BYTES else None
        length = _LENGTH.search(seen, 0, head.end())
        body_bytes = int(length[1]) if length else 0
        self.is_upload = body_bytes > SMALL_BODY_BYTES or bool(_EXPECTS.search(seen[: head.end()]))
        whole_bytes = head.end() + body_bytes
        return None if self.is_upload or len(seen) >= whole_bytes else whole_bytes


class PatientWorker(ThreadWorker):
    """Gunicorn's threads, with everything that is slow kept outside of them."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.arriving: dict[socket.socket, PacedConnection] = {}
        self.waiting_uploads: deque[PacedConnection] = deque()
        self.upload_count = 0

    @property
    def upload_slots(self) -> int:
        """How many threads may read large bodies at once."""
        return max(1, self.cfg.threads // 2)

    def accept(self, listener):
        """Take a connection, as gunicorn does, but let it arrive first."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        self.nr_conns += 1
        self.enqueue_req(PacedConnection(self.cfg, client, address, listener.getsockname()))

    def enqueue_req(self, conn):
        """Give the connection a thread once its request is there."""
        conn.awaited_bytes = 0
        conn.whole_by_s = time.monotonic() + WHOLE_WITHIN_S
        self._dispatch(conn)

    def _dispatch(self, conn):
        wanted_bytes = conn.wanted_bytes()
        if wanted_bytes is not None:
            # The kernel wakes us when so much has come, or the client has gone.
            conn.awaited_bytes = wanted_bytes
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, wanted_bytes)
            self.arriving[conn.sock] = conn
            self.poller.register(conn.sock, select.POLLIN, partial(self._on_more, conn))
        elif conn.is_upload and self.upload_count >= self.upload_slots:
            self.waiting_uploads.append(conn)
        else:
            self._start(conn)

    def _on_more(self, conn, client):
        self.poller.unregister(client)
        del self.arriving[client]
        self._dispatch(conn)

    def _start(self, conn):
        self.upload_count += conn.is_upload
        conn.data_ready = True
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        super().enqueue_req(conn)

    def handle_request(self, req, conn):
        """Answer a request, at the pace of whoever reads the answer."""
        plain, conn.sock = conn.sock, PacedSender(conn.sock)
        try:
            return super().handle_request(req, conn)
        finally:
            conn.sock = plain

    def finish_request(self, conn, fs):
        """Keep or close the connection, as gunicorn does, and let the next upload in."""
        self.upload_count -= conn.is_upload
        if self.waiting_uploads and self.upload_count < self.upload_slots:
            self._start(self.waiting_uploads.popleft())
        if conn.parser is not None and conn.parser.unreader.buf.getvalue():
            # Requests sent before their turn: no browser does, and a half one would hold a thread.
            self._drop(conn)
        else:
            super().finish_request(conn, fs)

    def murder_pending(self):
        """Let go of whoever has not sent a whole request in time, or at all when we stop."""
        super().murder_pending()
        now_s = time.monotonic()
        late = [one for one in self.arriving.values() if now_s > one.whole_by_s or not self.alive]
        for conn in late:
            self.poller.unregister(conn.sock)
            del self.arriving[conn.sock]
            self._drop(conn)
        while self.waiting_uploads and not self.alive:
            self._drop(self.waiting_uploads.popleft())

    def _drop(self, conn):
        self.nr_conns -= 1
        conn.close()
