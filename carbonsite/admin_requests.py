"""What the admin cannot make sense of is the sender's mistake: a 400, not a crash."""

import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest, ValidationError
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.utils.encoding import escape_uri_path

logger = logging.getLogger(__name__)

ADMIN = "/admin/"
# Each word of a search makes a condition of the query, and SQLite nests no deeper than 1,000.
SEARCH_CHARACTER_LIMIT = 200
SENDERS_MISTAKES = (OverflowError, ValidationError, DataError)


class AdminRequestMiddleware:
    """Refuse text that no table takes, and answer what the admin's own code lets through.

    Its forms check what is typed into them; its lists take years of thirty digits, keys that are
    none and NUL characters as they come, and hand them to the database.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        """Look at an admin's request once it is known who sends it, before the view does."""
        if not request.path_info.startswith(ADMIN):
            return
        sent = [request.path_info]
        if request.method == "POST":
            sent += [value for _, values in request.POST.lists() for value in values]
        if any("\x00" in text for text in sent):
            raise BadRequest("The request holds a NUL character.")
        if len(request.GET.get("q", "")) > SEARCH_CHARACTER_LIMIT:
            raise BadRequest(f"Search for {SEARCH_CHARACTER_LIMIT} characters at most.")

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return a 400 for a value that the database or a field cannot hold."""
        is_mistake = isinstance(exception, SENDERS_MISTAKES)
        if not (is_mistake and request.path_info.startswith(ADMIN)):
            return None
        logger.warning("Refused %s", escape_uri_path(request.path_info), exc_info=exception)
        return HttpResponseBadRequest("A value of this request is not one that the table can hold.")
