"""The API of models and their versions."""

from django.db.models import Prefetch
from django.shortcuts import get_object_or_404
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import (
    GenericAPIView,
    ListAPIView,
    RetrieveAPIView,
    RetrieveUpdateDestroyAPIView,
)
from rest_framework.permissions import SAFE_METHODS
from rest_framework.response import Response

from benchmarks import uploads
from benchmarks.api.filters import OnnxModelFilter
from benchmarks.api.idempotency import KEY_PARAMETER, Attempt, drain
from benchmarks.api.model_serializers import (
    OnnxModelSerializer,
    OnnxModelUploadSerializer,
    VersionChangeSerializer,
    VersionSerializer,
    VersionUploadSerializer,
)
from benchmarks.api.parsers import UploadParser
from benchmarks.models import ModelVersion, OnnxModel
from hardware.api.filters import KnownOrdering, NameSearch

# Each version with its accuracy, in the one query that fetches them.
VERSIONS = Prefetch(
    "versions",
    ModelVersion.objects.select_related("evaluation").prefetch_related("data_files"),
)


class UploadView(GenericAPIView):
    """A view whose POST carries a file: who sends it is known before a byte of it is read."""

    upload_serializer_class = None
    parser_classes = [UploadParser]

    def made_once(self, request, action: str, make):
        """Return the id of what ``make(values)`` makes, or of what the key made before.

        Raises UploadTooLarge and NoRoom before the body is read.
        """
        attempt = Attempt(request, action)
        if (earlier_id := attempt.earlier_id()) is not None:
            drain(request)
            return earlier_id
        uploads.check_announced_length(request.user, int(request.META.get("CONTENT_LENGTH") or 0))
        sent = self.upload_serializer_class(data=request.data)
        sent.is_valid(raise_exception=True)
        return attempt.make_once(lambda: make(dict(sent.validated_data)))


class OnnxModels(UploadView, ListAPIView):
    """Models with their versions: the public ones and your own."""

    queryset = OnnxModel.objects.prefetch_related(VERSIONS)
    serializer_class = OnnxModelSerializer
    upload_serializer_class = OnnxModelUploadSerializer
    filter_backends = [DjangoFilterBackend, NameSearch, KnownOrdering]
    filterset_class = OnnxModelFilter
    search_field = "name"
    ordering_fields = ["name", "created_at", "updated_at"]

    def get_queryset(self):
        """Models that the user may see."""
        return super().get_queryset().visible_to(self.request.user)

    @extend_schema(
        operation_id="models_create",
        parameters=[KEY_PARAMETER],
        request=OnnxModelUploadSerializer,
        responses={201: OnnxModelSerializer},
    )
    def post(self, request):
        """Upload a file as a new model; it is inspected at once, without being run."""
        model_id = self.made_once(
            request,
            "models",
            lambda values: (
                uploads.receive_model(
                    owner=request.user, uploaded=values.pop("file"), **values
                ).onnx_model
            ),
        )
        onnx_model = get_object_or_404(self.get_queryset(), pk=model_id)
        return Response(self.get_serializer(onnx_model).data, status=status.HTTP_201_CREATED)


class OnnxModelDetail(RetrieveUpdateDestroyAPIView):
    """One model with its versions; only its owner may change it."""

    queryset = OnnxModel.objects.prefetch_related(VERSIONS)
    serializer_class = OnnxModelSerializer
    http_method_names = ["get", "patch", "delete", "head", "options"]

    def get_queryset(self):
        """Models that the user may see, or may change."""
        if self.request.method in SAFE_METHODS:
            return super().get_queryset().visible_to(self.request.user)
        return super().get_queryset().editable_by(self.request.user)

    def perform_destroy(self, instance):
        """Delete the model with its versions, runs and files."""
        uploads.delete_model(instance)


class ModelVersions(UploadView):
    """Where the next version of a model goes."""

    queryset = OnnxModel.objects.all()
    serializer_class = VersionSerializer
    upload_serializer_class = VersionUploadSerializer

    @extend_schema(
        operation_id="models_versions_create",
        parameters=[KEY_PARAMETER],
        request=VersionUploadSerializer,
        responses={201: VersionSerializer},
    )
    def post(self, request, pk):
        """Upload a file as the next version of one of your models."""
        onnx_model = get_object_or_404(self.get_queryset().editable_by(request.user), pk=pk)
        version_id = self.made_once(
            request,
            f"models/{pk}/versions",
            lambda values: uploads.receive_version(
                onnx_model, values.pop("file"), uploads.VersionDetails(**values)
            ),
        )
        version = get_object_or_404(ModelVersion.objects.editable_by(request.user), pk=version_id)
        return Response(self.get_serializer(version).data, status=status.HTTP_201_CREATED)


class VersionDetail(RetrieveAPIView):
    """One version: its status, what reading its file told, and what its owner says of it."""

    queryset = ModelVersion.objects.select_related("onnx_model", "evaluation")
    serializer_class = VersionSerializer

    def get_queryset(self):
        """Versions that the user may see."""
        return super().get_queryset().visible_to(self.request.user)

    @extend_schema(
        operation_id="versions_partial_update",
        request=VersionChangeSerializer,
        responses={200: VersionSerializer},
    )
    def patch(self, request, pk):
        """Set the label, accuracy or training time of one of your versions, or forget a measured
        accuracy."""
        version = get_object_or_404(ModelVersion.objects.editable_by(request.user), pk=pk)
        sent = VersionChangeSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        uploads.change_details(version, **sent.validated_data)
        return Response(self.get_serializer(version).data)
