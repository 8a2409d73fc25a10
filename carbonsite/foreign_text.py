"""What text no part of the site can read is refused at the door: other charsets, and NUL."""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_header_parameters

from carbonsite.problems import Problem

ACCEPTED_CHARSETS = {"utf-8", "utf8", "us-ascii"}
REFUSAL = Problem(415, "unsupported_media_type", "Send text as UTF-8, and say so or say nothing.")


def refuse_foreign_text(application: Callable[..., Iterable[bytes]]) -> Callable[..., Any]:
    """Return the WSGI ``application`` behind a check of the charset in ``Content-Type``.

    Django decodes the address by that charset while it makes the request object, before any
    middleware: "base64" or an unknown name would end in its crash.
    """

    def checked(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if _is_plain(environ.get("CONTENT_TYPE", "")):
            return application(environ, start_response)
        response = REFUSAL.as_response()
        start_response(f"415 {response.reason_phrase}", list(response.items()))
        return [response.content]

    return checked


class NulRefusingMiddleware:
    """Answer an address or a cookie that holds a NUL character with a 400.

    PostgreSQL takes none in any text, so that each search and each session key would be a 500.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        parts = [(name, *values) for name, values in request.GET.lists()]
        if any("\x00" in text for text in (*chain(*parts), *request.COOKIES.values())):
            raise BadRequest("The request holds a NUL character.")
        return self.get_response(request)


def _is_plain(content_type: str) -> bool:
    try:
        _, parameters = parse_header_parameters(content_type)
    except ValueError:
        return False
    charset = parameters.get("charset", "utf-8").lower().replace("_", "-")
    return charset in ACCEPTED_CHARSETS
