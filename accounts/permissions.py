"""What a request may do at all; which objects it may do it to, the querysets decide."""

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission

from accounts.models import ApiToken


class ScopedOrReadOnly(BasePermission):
    """Anyone may read what is public; writing takes a log-in, or a token that may write."""

    def has_permission(self, request, view) -> bool:
        if request.method in SAFE_METHODS:
            return True
        if isinstance(request.auth, ApiToken) and not request.auth.can_write:
            raise PermissionDenied(
                "This token may only read. Use one with the scope “read and write”."
            )
        return request.user.is_authenticated
