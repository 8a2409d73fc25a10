"""How a script gets its token: for a user name and a password, unless a second factor says no."""

from allauth.account.adapter import get_adapter
from allauth.mfa.utils import is_mfa_enabled
from django.core.exceptions import ValidationError
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, Throttled
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle

from accounts import audit
from accounts.models import ApiToken, User

# How long allauth remembers failed log-ins of one name (its rate limit "login_failed").
FAILED_LOG_IN_WAIT_S = 300
MAX_PASSWORD_LENGTH = 1024


class WrongCredentials(APIException):
    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "wrong_credentials"
    default_detail = "The user name and the password do not belong together."


class MfaRequired(APIException):
    status_code = status.HTTP_403_FORBIDDEN
    default_code = "mfa_required"
    default_detail = (
        "This account has a second factor, so a password is not enough here. Log in and make "
        "the token on the page “API tokens” of the account."
    )


class TokenSerializer(serializers.Serializer):
    """What is asked of somebody who wants a token, and the token itself, shown this once."""

    username = serializers.CharField(
        write_only=True, max_length=254, help_text="The user name, or the e-mail address."
    )
    password = serializers.CharField(
        write_only=True, max_length=MAX_PASSWORD_LENGTH, trim_whitespace=False
    )
    token = serializers.CharField(read_only=True, help_text="The secret: shown once, keep it.")
    name = serializers.CharField(max_length=80, help_text="What the token is for.")
    scope = serializers.ChoiceField(choices=ApiToken.Scope, default=ApiToken.Scope.WRITE)
    expires_at = serializers.DateTimeField(allow_null=True, default=None)

    def validate_expires_at(self, expires_at):
        """Refuse a token that would be dead from the start."""
        if expires_at is not None and expires_at <= timezone.now():
            raise serializers.ValidationError("This moment has passed. Choose a later one.")
        return expires_at


class ApiTokens(GenericAPIView):
    """Make an API token for a user name and a password."""

    serializer_class = TokenSerializer
    # A password is the only key here: no session, hence no CSRF.
    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "tokens"

    @extend_schema(
        operation_id="tokens_create",
        responses={201: TokenSerializer},
        examples=[
            OpenApiExample(
                "A token for the build server",
                value={"username": "ada", "password": "…", "name": "build server"},
                request_only=True,
            )
        ],
    )
    def post(self, request):
        """Answer with a new token, whose secret is shown this once.

        Refused with `mfa_required` where the account has a second factor: make the token
        on the page “API tokens” then.
        """
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values = dict(asked.validated_data)
        # The plain Django request: allauth counts the failures of an address on it.
        owner = log_in_user(
            request._request, username=values.pop("username"), password=values.pop("password")
        )
        token, secret = ApiToken.objects.issue(owner=owner, **values)
        audit.note(audit.Action.TOKEN_MADE, actor=owner, subject=str(token), request=request)
        answer = {
            "token": secret,
            "name": token.name,
            "scope": token.scope,
            "expires_at": token.expires_at,
        }
        return Response(self.get_serializer(answer).data, status=status.HTTP_201_CREATED)


def log_in_user(request, *, username: str, password: str) -> User:
    """Return the user of that name and password, counted against allauth's rate limits.

    Raises WrongCredentials without telling which of the two was wrong, MfaRequired and
    Throttled.
    """
    try:
        user = get_adapter(request).authenticate(request, username=username, password=password)
    except ValidationError as error:
        raise Throttled(
            wait=FAILED_LOG_IN_WAIT_S, detail="Too many failed attempts to log in."
        ) from error
    if user is None or not user.is_active:
        raise WrongCredentials()
    if is_mfa_enabled(user):
        raise MfaRequired()
    return user


urlpatterns = [path("tokens/", ApiTokens.as_view(), name="api-tokens")]
