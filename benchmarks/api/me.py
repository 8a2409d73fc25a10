"""Who a request speaks for, and how much of what they may use is used."""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import ApiToken
from benchmarks.models import Run
from benchmarks.uploads import remaining_quota_bytes, stored_bytes, upload_limit_bytes


class TokenInUseSerializer(serializers.ModelSerializer):
    class Meta:
        model = ApiToken
        fields = ["name", "scope", "expires_at"]
        read_only_fields = fields


class MeSerializer(serializers.Serializer):
    """The user, the token in use (null for a browser's session), and the quota."""

    id = serializers.UUIDField()
    username = serializers.CharField()
    email = serializers.CharField(allow_null=True)
    token = TokenInUseSerializer(allow_null=True)
    quota_bytes = serializers.IntegerField()
    used_bytes = serializers.IntegerField()
    remaining_bytes = serializers.IntegerField()
    upload_limit_bytes = serializers.IntegerField(help_text="The largest file to upload now.")
    queued_run_limit = serializers.IntegerField()
    queued_run_count = serializers.IntegerField()


class Me(APIView):
    """You."""

    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="me", responses=MeSerializer)
    def get(self, request):
        """Answer with the user whom the token speaks for, the quota and its use."""
        user = request.user
        answer = {
            "id": user.pk,
            "username": user.username,
            "email": user.email or None,
            "token": request.auth if isinstance(request.auth, ApiToken) else None,
            "quota_bytes": settings.USER_QUOTA_BYTES,
            "used_bytes": stored_bytes(user),
            "remaining_bytes": remaining_quota_bytes(user),
            "upload_limit_bytes": upload_limit_bytes(user),
            "queued_run_limit": settings.USER_QUEUED_RUN_LIMIT,
            "queued_run_count": Run.objects.waiting().filter(owner=user).count(),
        }
        return Response(MeSerializer(answer).data)
