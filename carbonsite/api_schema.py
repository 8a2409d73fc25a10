"""How the API documents itself: each call with the refusals that it may give."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS, IsAuthenticated

from carbonsite.problems import MEDIA_TYPE


class FieldErrorSerializer(serializers.Serializer):
    field = serializers.CharField(
        help_text="The field's name, with dots for what is inside it; empty for the whole.",
        allow_blank=True,
    )
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer):
    """Why a request was refused (RFC 9457)."""

    type = serializers.CharField(help_text="A code that scripts may test for.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What happened and what to do, in a sentence.")
    errors = FieldErrorSerializer(many=True)


MEANING_BY_STATUS = {
    "400": "A value is bad.",
    "401": "No token, or one that is unknown, expired or revoked.",
    "403": "The token may only read, or the account asks for a second factor.",
    "404": "It does not exist, or is not yours to see.",
    "409": "It conflicts with how things stand.",
    "411": "The length of the body was not announced.",
    "413": "The file or the body is too large.",
    "415": "The body is not of the media type that is taken here.",
    "429": "Too many requests: wait as long as Retry-After says.",
    "507": "The site has no room for more files.",
}
RETRY_AFTER = {
    "Retry-After": {
        "schema": {"type": "integer"},
        "description": "Seconds to wait.",
    }
}


class ApiTokenScheme(OpenApiAuthenticationExtension):
    """Tell the schema's readers how a token is sent."""

    target_class = "accounts.authentication.ApiTokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema):
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token (cs_...), made on the page “API tokens”.",
        }


class ProblemAutoSchema(AutoSchema):
    """Add to each operation the problems that it may answer with."""

    def get_tags(self):
        """Name the group by the first word of the path."""
        return [self.path.removeprefix("/api/v1/").split("/")[0] or "root"]

    def get_auth(self):
        """Say that reading needs no token, where it does not."""
        auths = super().get_auth()
        needs_user = any(isinstance(one, IsAuthenticated) for one in self.view.get_permissions())
        if self.method in SAFE_METHODS and not needs_user and {} not in auths:
            auths.append({})
        return auths

    def _get_response_bodies(self, direction="response"):
        bodies = super()._get_response_bodies(direction)
        for status in self._problem_statuses():
            answer = OpenApiResponse(ProblemSerializer, MEANING_BY_STATUS[status])
            body = self._get_response_for_code(answer, status, [MEDIA_TYPE], direction)
            if status == "429":
                body = {**body, "headers": RETRY_AFTER}
            bodies.setdefault(status, body)
        return bodies

    def _problem_statuses(self) -> list[str]:
        statuses = {"400", "401", "404", "429"}
        if self.method not in SAFE_METHODS:
            statuses |= {"403", "409", "411", "413", "415"}
            if "multipart/form-data" in self.map_parsers():
                statuses.add("507")
        statuses.update(getattr(self.view, "more_problem_statuses", ()))
        return sorted(statuses)
