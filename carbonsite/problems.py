"""How the API says no: every refusal is an ``application/problem+json`` of one shape (RFC 9457)."""

import math
from dataclasses import dataclass, field
from http import HTTPStatus

from django.core import exceptions as django_errors
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.db.models import ProtectedError
from django.http import Http404, JsonResponse
from django.http.request import RawPostDataException, UnreadablePostError
from rest_framework.exceptions import APIException, NotAuthenticated
from rest_framework.fields import get_error_detail
from rest_framework.views import set_rollback

from benchmarks.uploads import NoRoom, UploadTooLarge
from carbonsite.outage import RETRY_AFTER_S

MEDIA_TYPE = "application/problem+json"
API_PREFIX = "/api/"
WHOLE_REQUEST = ("non_field_errors", "__all__")


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal: its status, a code that scripts may test for, and a sentence for people."""

    status: int
    code: str
    detail: str
    errors: list[dict] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def as_response(self) -> JsonResponse:
        """Return the problem as a page of JSON."""
        content = {
            "type": self.code,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "errors": self.errors,
        }
        return JsonResponse(
            content, status=self.status, content_type=MEDIA_TYPE, headers=self.headers
        )


NOT_FOUND = Problem(
    404,
    "not_found",
    "There is nothing at this address, or it is not yours to see. Addresses of the API end "
    "with a slash.",
)
UNAVAILABLE = Problem(
    503,
    "unavailable",
    "The site cannot reach its database just now. Try again in half a minute.",
    headers={"Retry-After": str(RETRY_AFTER_S)},
)
# What the outside world may provoke below the API's own code, and how that is answered.
PROBLEM_BY_ERROR: dict[type[Exception], Problem] = {
    Http404: NOT_FOUND,
    django_errors.PermissionDenied: Problem(403, "permission_denied", "You may not do this."),
    django_errors.RequestDataTooBig: Problem(413, "too_large", "The body is too long."),
    django_errors.SuspiciousOperation: Problem(
        400, "bad_request", "The request could not be read."
    ),
    django_errors.BadRequest: Problem(400, "bad_request", "The request could not be read."),
    UnreadablePostError: Problem(400, "incomplete", "The body did not arrive whole."),
    RawPostDataException: Problem(400, "bad_request", "The body could not be read."),
    ProtectedError: Problem(409, "conflict", "Something else still uses this."),
    IntegrityError: Problem(
        409, "conflict", "Another request changed the same thing at the same time. Try again."
    ),
    DataError: Problem(400, "bad_value", "A value is out of the range that can be stored."),
    OperationalError: UNAVAILABLE,
    InterfaceError: UNAVAILABLE,
}
# Said where no view of the API was reached, or where one broke.
PLAIN_PROBLEM_BY_STATUS = {
    404: NOT_FOUND,
    400: Problem(
        400,
        "bad_request",
        "The request could not be read: it is malformed, holds a NUL character, or has too many "
        "parameters.",
    ),
    503: UNAVAILABLE,
    500: Problem(500, "server_error", "Something went wrong on our side. Please try again."),
}
LENGTH_WANTED = Problem(411, "length_required", "Say in Content-Length how long the body is.")
HOW_TO_LOG_IN = (
    "This needs a log-in, or a token: send the header “Authorization: Bearer cs_...”. Tokens are "
    "made on the page “API tokens” of your account."
)
STATUS_BY_ERROR = {UploadTooLarge: (413, "too_large"), NoRoom: (507, "no_room")}


def problem_response(error: Exception, context) -> JsonResponse | None:
    """Answer an exception raised by a view of the API; None for a fault of our own."""
    problem = _problem_of(error)
    if problem is None:
        return None
    set_rollback()
    return problem.as_response()


def _problem_of(error: Exception) -> Problem | None:
    if isinstance(error, django_errors.ValidationError):
        return _refused_values(get_error_detail(error), status=400)
    if isinstance(error, APIException):
        return _framework_problem(error)
    for kind, (status, code) in STATUS_BY_ERROR.items():
        if isinstance(error, kind):
            return Problem(status, code, str(error))
    return next(
        (problem for kind, problem in PROBLEM_BY_ERROR.items() if isinstance(error, kind)), None
    )


def _framework_problem(error: APIException) -> Problem:
    headers = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if wait_s := getattr(error, "wait", None):
        headers["Retry-After"] = str(math.ceil(wait_s))
    if isinstance(error.detail, dict | list):
        return _refused_values(error.detail, status=error.status_code)
    detail = HOW_TO_LOG_IN if isinstance(error, NotAuthenticated) else str(error.detail)
    return Problem(error.status_code, error.get_codes(), detail, headers=headers)


def _refused_values(details, *, status: int) -> Problem:
    errors = list(_flat(details, ""))
    detail = (
        errors[0]["message"]
        if len(errors) == 1
        else f"{len(errors)} values were refused: see “errors”."
    )
    return Problem(status, "bad_value", detail, errors)


def _flat(details, place: str):
    """Yield the messages of nested dicts and lists, each with the path of its field."""
    if isinstance(details, dict):
        for name, inner in details.items():
            here = "" if name in WHOLE_REQUEST else str(name)
            yield from _flat(inner, ".".join(filter(None, (place, here))))
    elif isinstance(details, list | tuple):
        for inner in details:
            yield from _flat(inner, place)
    else:
        yield {"field": place, "message": str(details)}


class ApiProblemMiddleware:
    """Keep what is said outside the API's views in its shape too."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if not request.path_info.startswith(API_PREFIX):
            return self.get_response(request)
        if _has_unknown_length(request):
            return LENGTH_WANTED.as_response()
        response = self.get_response(request)
        if response.status_code < 400 or response.get("Content-Type") == MEDIA_TYPE:
            return response
        return _plain_problem(response.status_code).as_response()


def _plain_problem(status: int) -> Problem:
    phrase = HTTPStatus(status)
    return PLAIN_PROBLEM_BY_STATUS.get(status) or Problem(
        status, phrase.name.lower(), f"{phrase.phrase}."
    )


def _has_unknown_length(request) -> bool:
    meta = request.META
    return bool(meta.get("HTTP_TRANSFER_ENCODING")) and not meta.get("CONTENT_LENGTH")
