"""The JSON of real inputs, and of the sizes and ranges that are saved with a model."""

from rest_framework import serializers

from benchmarks.api.model_serializers import TensorSerializer
from benchmarks.models import InputSet


class InputSetSerializer(serializers.ModelSerializer):
    """Real inputs that lie with a model."""

    tensors = TensorSerializer(many=True, help_text="The arrays, by what their headers say.")
    has_labels = serializers.BooleanField(
        help_text="Whether one array is called labels: it is kept, and fed to no input."
    )

    class Meta:
        model = InputSet
        fields = ["id", "name", "sha256", "size_bytes", "tensors", "has_labels", "created_at"]
        read_only_fields = fields


class InputSetUploadSerializer(serializers.Serializer):
    """One ``.npz``, or several ``.npy``, each called as its input."""

    file = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        allow_empty=False,
        help_text="One .npz, or a .npy per input: the field may come several times.",
    )
    name = serializers.CharField(
        max_length=120, required=False, help_text="Left out, the file's name is taken."
    )
