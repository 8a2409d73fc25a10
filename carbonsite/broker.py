"""A message broker made of folders, for a site without Redis.

kombu's own ``filesystem`` transport writes a message in place and takes one without a lock;
with two workers it lost 1 message in 900 to 1,500 and stopped the worker
(https://github.com/celery/kombu/issues/1551). Here a message gets its name only when it is
complete, and is taken by a rename, which exactly one taker wins.
"""

import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any
from urllib.parse import quote

from kombu.transport import TRANSPORT_ALIASES, virtual
from kombu.utils.json import dumps, loads

SCHEME = "folder"
SUFFIX = ".json"


class Channel(virtual.Channel):
    """One folder per queue, one file per message, oldest name first."""

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex}{SUFFIX}"
        folder = self._folder(queue)
        draft = folder / f".{name}"
        draft.write_text(dumps(message), encoding="utf-8")
        os.replace(draft, folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        folder = self._folder(queue)
        for name in self._waiting(folder):
            taken = folder / f".taken-{name}"
            try:
                os.rename(folder / name, taken)
            except FileNotFoundError:
                continue  # another worker was quicker
            text = taken.read_text(encoding="utf-8")
            taken.unlink()
            return loads(text)
        raise Empty

    def _size(self, queue: str) -> int:
        return len(self._waiting(self._folder(queue)))

    def _purge(self, queue: str) -> int:
        purged_count = 0
        while True:
            try:
                self._get(queue)
            except Empty:
                return purged_count
            purged_count += 1

    def _waiting(self, folder: Path) -> list[str]:
        """Names of the complete messages that nobody has taken, oldest first."""
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))

    def _folder(self, queue: str) -> Path:
        root = Path(self.connection.client.transport_options["folder"])
        folder = root / quote(queue, safe="@")
        folder.mkdir(parents=True, exist_ok=True)
        return folder


class Transport(virtual.Transport):
    """What ``folder://`` names as a broker; its options are ``folder`` and ``polling_interval``.

    Exchanges and bindings live in each process: Celery declares the queue it publishes to.
    """

    Channel = Channel
    driver_type = driver_name = SCHEME
    default_connection_params: dict[str, Any] = {}

    def driver_version(self) -> str:
        return "1"


def register() -> None:
    """Make ``folder://`` known to kombu."""
    TRANSPORT_ALIASES[SCHEME] = "carbonsite.broker:Transport"
