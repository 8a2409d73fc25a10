"""How often one user may change things, wherever they do it: on the pages and over the API."""

from django.http import JsonResponse
from rest_framework.permissions import SAFE_METHODS
from rest_framework.throttling import UserRateThrottle

from accounts.too_often import retry_after, too_often_page

API_PREFIX = "/api/"
TOO_OFTEN = "You have changed a great many things within a minute. Wait a little, then go on."


class WriteRateThrottle(UserRateThrottle):
    """Count a user's writes in the cache, which all web processes share."""

    scope = "writes"

    def allow_request(self, request, view):
        """Whether the request may go on; reading always may."""
        return request.method in SAFE_METHODS or super().allow_request(request, view)

    def get_cache_key(self, request, view):
        """Return the user's key; None for strangers, whose forms have limits of their own."""
        return super().get_cache_key(request, view) if request.user.is_authenticated else None


class WriteLimitMiddleware:
    """Answer 429 to a page's write too many, before its body is read."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        # The API learns only inside whom a token speaks for, and asks the throttle itself.
        if request.method in SAFE_METHODS or request.path_info.startswith(API_PREFIX):
            return self.get_response(request)
        throttle = WriteRateThrottle()
        if throttle.allow_request(request, None):
            return self.get_response(request)
        if request.headers.get("Accept") == "application/json":
            errors = {"errors": {"file": [TOO_OFTEN]}}
            return JsonResponse(errors, status=429, headers=retry_after(throttle.wait()))
        return too_often_page(request, TOO_OFTEN, throttle.wait())
