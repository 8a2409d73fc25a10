"""The API of real inputs; nobody but the owner of the model sees them here."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import DestroyAPIView, ListAPIView
from rest_framework.permissions import SAFE_METHODS
from rest_framework.response import Response

from benchmarks.api.idempotency import KEY_PARAMETER
from benchmarks.api.input_serializers import InputSetSerializer, InputSetUploadSerializer
from benchmarks.api.model_views import UploadView
from benchmarks.input_sets import delete_input_set, receive_input_set
from benchmarks.models import InputSet, OnnxModel


class InputSets(UploadView, ListAPIView):
    """The real inputs that lie with one of your models, newest first."""

    queryset = InputSet.objects.all()
    serializer_class = InputSetSerializer
    upload_serializer_class = InputSetUploadSerializer

    def get_queryset(self):
        """Real inputs of this model."""
        found = super().get_queryset().visible_to(self.request.user)
        return found.filter(onnx_model_id=self.kwargs["pk"])

    @extend_schema(operation_id="models_inputs_list")
    def get(self, request, pk):
        """List the real inputs of one of your models."""
        self._own_model(pk)
        return self.list(request)

    @extend_schema(
        operation_id="models_inputs_create",
        parameters=[KEY_PARAMETER],
        request=InputSetUploadSerializer,
        responses={201: InputSetSerializer},
    )
    def post(self, request, pk):
        """Store arrays with one of your models, after a check of names, types and shapes."""
        onnx_model = self._own_model(pk)
        input_set_id = self.made_once(
            request,
            f"models/{pk}/inputs",
            lambda values: receive_input_set(onnx_model, values["file"], values.get("name", "")),
        )
        input_set = get_object_or_404(self.get_queryset(), pk=input_set_id)
        return Response(self.get_serializer(input_set).data, status=status.HTTP_201_CREATED)

    def _own_model(self, pk) -> OnnxModel:
        user = self.request.user
        if self.request.method in SAFE_METHODS and user.is_staff:
            return get_object_or_404(OnnxModel, pk=pk)
        return get_object_or_404(OnnxModel.objects.editable_by(user), pk=pk)


class InputSetDetail(DestroyAPIView):
    """Real inputs of one of your models."""

    queryset = InputSet.objects.select_related("onnx_model")
    serializer_class = InputSetSerializer
    lookup_url_kwarg = "input_id"

    def get_queryset(self):
        """Real inputs of this model, where it is the user's."""
        found = super().get_queryset().editable_by(self.request.user)
        return found.filter(onnx_model_id=self.kwargs["pk"])

    @extend_schema(operation_id="models_inputs_destroy")
    def delete(self, request, pk, input_id):
        """Delete them with their file; runs that were fed them keep their result and the name."""
        return self.destroy(request)

    def perform_destroy(self, instance):
        """Delete the row and the file."""
        delete_input_set(instance)
