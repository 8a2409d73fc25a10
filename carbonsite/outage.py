"""The page for what went wrong on our side, which tells an outage from a fault."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.defaults import server_error

RETRY_AFTER_S = 30


def answer_fault(request: HttpRequest) -> HttpResponse:
    """Answer 503 while the database cannot be reached, and 500 for everything else."""
    if not isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return server_error(request)
    # No request in the context: whatever asks who is logged in would ask the database.
    page = loader.get_template("503.html").render()
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER_S)})
