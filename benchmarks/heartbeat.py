"""A worker's sign of life, so that the site can say whether anybody will measure a run."""

import logging
import os
import socket
import threading
from collections.abc import Iterable

from django.db import Error, connection
from django.db.models.functions import Now
from django.utils import timezone

from benchmarks.models import Worker

BEAT_S = 10.0
logger = logging.getLogger(__name__)


class Heartbeat:
    """Says every 10 s, beside the worker's task, that its process lives.

    In a thread of its own: a measurement of some minutes is one long call in the worker's.
    """

    def __init__(self, name: str, queues: Iterable[str]):
        self._name = name[:200]
        self._queues = sorted(queues)
        self._started_at = timezone.now()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Say it now, and go on saying it."""
        self._thread.start()

    def stop(self) -> None:
        """Take the worker off the list."""
        self._is_over.set()
        self._thread.join(timeout=BEAT_S)
        Worker.objects.filter(name=self._name).delete()

    def _beat(self) -> None:
        while True:
            self._say()
            if self._is_over.wait(BEAT_S):
                return

    def _say(self) -> None:
        try:
            Worker.objects.update_or_create(
                name=self._name,
                defaults={
                    "queues": self._queues,
                    "host": socket.gethostname()[:120],
                    "process_id": os.getpid(),
                    "started_at": self._started_at,
                    "seen_at": Now(),
                },
            )
        # The database may be away for a while; the worker itself waits for it elsewhere.
        except Error:
            logger.warning("The heartbeat of %s could not be stored", self._name, exc_info=True)
        finally:
            connection.close()
