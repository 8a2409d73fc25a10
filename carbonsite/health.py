"""What the site answers to a machine that asks how it is."""

import logging
import shutil

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from benchmarks import cage
from benchmarks.models import Worker
from carbonsite.celery import app

VERSION = "0.1.0"
BROKER_TIMEOUT_S = 3
QUEUES = ("default", "measure")
logger = logging.getLogger(__name__)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer that this process lives; asks nothing else."""
    return JsonResponse({"status": "ok", "version": VERSION})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer whether the site can do its work: 503 while a part of it is away or missing."""
    state_by_part = {
        "database": "ok" if database_answers() else "unreachable",
        "broker": "ok" if broker_answers() else "unreachable",
        "disk": "ok" if disk_has_room() else "full",
        **worker_states(),
        "sandbox": "ok" if cage.holds_everywhere() else "incomplete",
    }
    is_ready = set(state_by_part.values()) == {"ok"}
    body = {"status": "ok" if is_ready else "unready", "version": VERSION, "parts": state_by_part}
    return JsonResponse(body, status=200 if is_ready else 503)


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        logger.exception("The database did not answer")
        return False
    return True


def broker_answers() -> bool:
    try:
        with app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT_S)
    except (OperationalError, OSError):
        logger.exception("The broker did not answer")
        return False
    return True


def disk_has_room() -> bool:
    """Whether an upload would be taken."""
    return shutil.disk_usage(settings.DATA_DIR).free >= settings.FREE_DISK_FLOOR_BYTES


def worker_states() -> dict[str, str]:
    """Return, for each queue, whether a living worker takes work from it."""
    try:
        served = Worker.objects.served_queues()
    except Error:
        served = set()
    return {f"worker_{queue}": "ok" if queue in served else "missing" for queue in QUEUES}
