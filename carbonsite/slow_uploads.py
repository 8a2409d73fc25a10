"""Whoever sends a file too slowly is told so, whatever else was made of the half that came."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from benchmarks.views.uploads import refused
from carbonsite.problems import API_PREFIX, Problem
from footprint.units import format_quantity

# No 408, which says what happened: browsers send the same request again by themselves then.
STATUS = 400


class SlowUploadMiddleware:
    """Answer a body that came too slowly with the reason.

    Django's check of a form's token takes one that broke off for a form without a token.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        body = request.META.get("wsgi.input")
        if not getattr(body, "was_too_slow", False):
            return response
        if request.path_info.startswith(API_PREFIX):
            return Problem(STATUS, "too_slow", _sentence()).as_response()
        return refused(request, _sentence(), status=STATUS)


def _sentence() -> str:
    rate = format_quantity(settings.UPLOAD_SLOWEST_BYTES_PER_S, "B")
    return (
        "The upload came too slowly, so the site stopped waiting and kept nothing of it. It takes "
        f"what comes at {rate} per second or faster, without a long pause. Send it again over a "
        "faster line, or send a smaller file."
    )
