"""Whom a request speaks for, by the API token that it carries."""

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed

from accounts.models import ApiToken, token_digest

SCHEMES = {b"bearer", b"token"}


class ApiTokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer cs_...``; ``Token`` is an alias of ``Bearer``.

    The header alone decides: nothing of the body is read here.
    """

    def authenticate(self, request):
        """Return the token's owner and the token; None when the header names another scheme."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() not in SCHEMES:
            return None
        token = _token_of(words)
        token.note_use()
        return token.owner, token

    def authenticate_header(self, request):
        """Return what a 401 says in ``WWW-Authenticate``."""
        return 'Bearer realm="carbonsite"'


def _token_of(words: list[bytes]) -> ApiToken:
    if len(words) != 2:
        raise AuthenticationFailed("Write the header as: Authorization: Bearer cs_...")
    digest = token_digest(words[1].decode("latin-1"))
    token = ApiToken.objects.usable().select_related("owner").filter(digest=digest).first()
    if token is None or not token.owner.is_active:
        raise AuthenticationFailed(
            "This token is unknown, has expired or was revoked. Make a new one on the page "
            "“API tokens” of your account."
        )
    return token
