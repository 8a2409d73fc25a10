"""Where the site listens: an address nobody else has, and none that strangers reach by accident."""

import errno
import ipaddress
import socket
from http.client import HTTPConnection, HTTPException

PORTS_TRIED = 50
PROBE_TIMEOUT_S = 2


class CannotListen(Exception):
    """No address to listen on; the message says why and what to do."""


def is_loopback(host: str) -> bool:
    """Whether ``host`` is reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket on ``port`` of ``host``, or on the next free port after it.

    Raises CannotListen when the host is not this machine's or no port near is free.
    """
    for candidate in range(port, min(port + PORTS_TRIED, 65536)):
        try:
            return socket.create_server(
                (host, candidate), family=family_of(host), backlog=512, reuse_port=False
            )
        except PermissionError as error:
            raise CannotListen(
                f"This user may not listen on port {candidate}. Choose one above 1023: --port 8000."
            ) from error
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise CannotListen(
                    f"Cannot listen on {host}: {error.strerror}. Is it an address of this machine?"
                ) from error
    raise CannotListen(f"Ports {port} to {port + PORTS_TRIED - 1} are all taken: choose --port.")


def family_of(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def url_of(listener: socket.socket) -> str:
    """Return the address to type into a browser on this machine."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared with, not bound to
        host = "127.0.0.1"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def answers(listener: socket.socket, *, path: str, host_header: str) -> bool:
    """Whether a GET of ``path`` on ``listener`` is answered with 200."""
    host, port = listener.getsockname()[:2]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    probe = HTTPConnection(reachable, port, timeout=PROBE_TIMEOUT_S)
    try:
        probe.request("GET", path, headers={"Host": host_header})
        return probe.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        probe.close()
