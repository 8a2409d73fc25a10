"""Which request a line of the log belongs to, followed from the web server into the workers."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from celery.signals import before_task_publish, setup_logging, task_postrun, task_prerun
from django.http import HttpRequest, HttpResponse
from django.utils.encoding import escape_uri_path

HEADER = "X-Request-ID"
MESSAGE_HEADER = "carbonsite_request_id"
# What a proxy in front may say; anything else could forge lines of the log.
ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
request_id: ContextVar[str] = ContextVar("request_id", default="")
logger = logging.getLogger("carbonsite.requests")


class RequestIdFilter(logging.Filter):
    """Adds the request's id to each line, and a dash where there is none."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get() or "-"
        return True


class RequestIdMiddleware:
    """Gives each request an id, or keeps its proxy's, and says how the request ended."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get(HEADER, "")
        known_as = offered if ACCEPTABLE_ID.fullmatch(offered) else uuid.uuid4().hex
        token = request_id.set(known_as)
        start_s = time.monotonic()
        try:
            response = self.get_response(request)
            response[HEADER] = known_as
            logger.info(
                "%s %s %s",
                request.method,
                # The path alone: a query may hold what somebody searched for. As it was sent:
                # decoded it may hold the end of a line.
                escape_uri_path(request.path),
                response.status_code,
                extra={
                    "status": response.status_code,
                    "duration_s": round(time.monotonic() - start_s, 4),
                },
            )
            return response
        finally:
            request_id.reset(token)


@before_task_publish.connect
def send_the_id_along(headers: dict, **_) -> None:
    if known_as := request_id.get():
        headers[MESSAGE_HEADER] = known_as


@task_prerun.connect
def take_the_id_up(task, **_) -> None:
    # A worker finds a message's own headers among the request's facts, `apply` under "headers".
    facts = {**(task.request.headers or {}), **vars(task.request)}
    request_id.set(str(facts.get(MESSAGE_HEADER) or ""))


@task_postrun.connect
def put_the_id_down(**_) -> None:
    request_id.set("")


@setup_logging.connect
def leave_logging_as_it_is(**_) -> None:
    """Keep Celery from replacing what the settings say."""
