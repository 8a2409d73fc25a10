"""What whoever asks too often is told: why that is refused, and when to come again."""

import math

from django.http import HttpResponse
from django.shortcuts import render


def retry_after(wait_s: float | None) -> dict[str, str]:
    """Return the header that says when to come again; soon where that is not known."""
    return {"Retry-After": str(math.ceil(wait_s or 1))}


def too_often_page(request, why: str, wait_s: float | None) -> HttpResponse:
    """Answer 429 with a page that says ``why``."""
    response = render(request, "429.html", {"why": why}, status=429)
    for name, value in retry_after(wait_s).items():
        response[name] = value
    return response
