"""How often somebody may load pages that take much arithmetic: as often as they may ask the API."""

import functools
from collections.abc import Callable

from django.http import HttpResponse
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle

from accounts.too_often import too_often_page

WORKED_OUT_ANEW = (
    "Comparisons and rankings are worked out anew each time, so there are only so many of them a "
    "minute. Wait a minute, then load the page again."
)


def costly(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Count requests for ``view`` together with those to the API; answer 429 to one too many.

    What they ask for is the same either way. The counts, one per address without a log-in and
    one per user with one, are in the cache, which all web processes share.
    """

    @functools.wraps(view)
    def limited(request, *args, **kwargs):
        for throttle in (AnonRateThrottle(), UserRateThrottle()):
            if not throttle.allow_request(request, None):
                return too_often_page(request, WORKED_OUT_ANEW, throttle.wait())
        return view(request, *args, **kwargs)

    return limited
