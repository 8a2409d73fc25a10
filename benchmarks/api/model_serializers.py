"""The JSON of models and their versions."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts import audit
from benchmarks import input_choices
from benchmarks.api.accuracy_serializers import MeasuredAccuracySerializer, NothingField
from benchmarks.api.run_serializers import InputsSerializer
from benchmarks.data_files import DataFile
from benchmarks.models import ModelVersion, OnnxModel
from benchmarks.whose_values import are_told_to, told_of

TEXT_LIMIT = 80


class TensorSerializer(serializers.Serializer):
    """An input or output: its element type, and its shape with free dimensions by name."""

    name = serializers.CharField()
    dtype = serializers.CharField()
    shape = serializers.JSONField(
        allow_null=True, help_text="Sizes, names of free dimensions, and null for unnamed ones."
    )


class KnownWhenReadyField(serializers.JSONField):
    """What only an inspection tells: null until then."""

    def get_attribute(self, instance):
        """Return the value, or None while the version is not ready."""
        return super().get_attribute(instance) if instance.is_ready else None


@extend_schema_field(
    {"type": "object", "additionalProperties": {"type": "integer"}, "nullable": True}
)
class OperatorsField(KnownWhenReadyField):
    pass


@extend_schema_field(TensorSerializer(many=True, allow_null=True))
class TensorsField(KnownWhenReadyField):
    """Inputs or outputs as the model declares them, without what the site guesses of them."""

    def to_representation(self, value):
        """Return the declared parts of each."""
        return TensorSerializer(super().to_representation(value), many=True).data


class SavedInputsSerializer(InputsSerializer):
    """What runs of a model are fed when nothing else is said; null for nothing but guesses."""

    def get_attribute(self, instance):
        """Return what is saved, None for nothing."""
        return super().get_attribute(instance) or None


class TextOrNullField(serializers.CharField):
    """A text, null where there is none."""

    def get_attribute(self, instance):
        """Return the text, or None for an empty one."""
        return super().get_attribute(instance) or None


class DataFileSerializer(serializers.ModelSerializer):
    """A file beside the .onnx file, in which a model keeps weights."""

    class Meta:
        model = DataFile
        fields = ["name", "sha256", "size_bytes"]
        read_only_fields = fields


class VersionSerializer(serializers.ModelSerializer):
    """One upload of a model, and what reading it told."""

    model = serializers.UUIDField(source="onnx_model_id")
    data_files = DataFileSerializer(
        source="own_data_files", many=True, help_text="The files that its weights lie in, if any."
    )
    whole_bytes = serializers.IntegerField(help_text="The .onnx file and its data files together.")
    content_sha256 = serializers.CharField(
        help_text="The same for two versions that have the same bytes in all their files."
    )
    rejection_reason = TextOrNullField(allow_null=True)
    producer = TextOrNullField(allow_null=True)
    operators = OperatorsField()
    inputs = TensorsField()
    outputs = TensorsField()
    measured_accuracy = MeasuredAccuracySerializer(
        source="evaluation",
        allow_null=True,
        help_text="Goes before accuracy_ratio, which is what its owner states.",
    )

    class Meta:
        model = ModelVersion
        fields = [
            "id",
            "model",
            "number",
            "label",
            "status",
            "rejection_reason",
            "sha256",
            "size_bytes",
            "data_files",
            "whole_bytes",
            "content_sha256",
            "opset",
            "producer",
            "parameter_count",
            "mac_count",
            "flop_count",
            "node_count",
            "operators",
            "inputs",
            "outputs",
            "accuracy_ratio",
            "measured_accuracy",
            "training_time_s",
            "created_at",
        ]
        read_only_fields = fields

    def to_representation(self, version):
        """Return the JSON of ``version``; what its evaluation set is called is its owner's."""
        plain = super().to_representation(version)
        if plain["measured_accuracy"] is not None:
            is_told = are_told_to(self.context["request"].user, version.onnx_model)
            plain["measured_accuracy"] |= told_of(version.evaluation, is_told=is_told)
        return plain


class ModelFilesField(serializers.ListField):
    """The files of one model: the field comes once, or once for each."""

    def __init__(self, **kwargs):
        super().__init__(
            child=serializers.FileField(allow_empty_file=True),
            allow_empty=False,
            help_text="The .onnx file. A model that keeps its weights in files beside it: all of "
            "them, by coming several times, or one .zip.",
            **kwargs,
        )


class VersionUploadSerializer(serializers.Serializer):
    """What comes with the next version of a model."""

    file = ModelFilesField()
    label = serializers.CharField(max_length=TEXT_LIMIT, required=False, allow_blank=True)
    accuracy_ratio = serializers.FloatField(min_value=0, max_value=1, required=False)
    training_time_s = serializers.FloatField(min_value=0, required=False)


class VersionChangeSerializer(serializers.Serializer):
    """What may be said anew about a version; null for not known."""

    label = serializers.CharField(max_length=TEXT_LIMIT, required=False, allow_blank=True)
    accuracy_ratio = serializers.FloatField(
        min_value=0, max_value=1, required=False, allow_null=True
    )
    measured_accuracy = NothingField(
        source="evaluation", help_text="null forgets it, so that accuracy_ratio counts again."
    )
    training_time_s = serializers.FloatField(min_value=0, required=False, allow_null=True)


class OnnxModelUploadSerializer(serializers.Serializer):
    """What makes a new model."""

    name = serializers.CharField(max_length=120)
    file = ModelFilesField()
    visibility = serializers.ChoiceField(
        choices=OnnxModel.Visibility, default=OnnxModel.Visibility.PRIVATE
    )


class OnnxModelSerializer(serializers.ModelSerializer):
    """A model with its versions, newest first; ``url`` is its page."""

    url = serializers.SerializerMethodField()
    latest_version = serializers.SerializerMethodField()
    versions = VersionSerializer(many=True, read_only=True)
    inputs = SavedInputsSerializer(
        source="saved_inputs",
        required=False,
        allow_null=True,
        help_text="Sizes and ranges for every run that gives none of its own; null for guesses.",
    )

    class Meta:
        model = OnnxModel
        fields = [
            "id",
            "name",
            "visibility",
            "url",
            "created_at",
            "updated_at",
            "inputs",
            "latest_version",
            "versions",
        ]
        read_only_fields = ["id", "created_at", "updated_at"]

    @extend_schema_field(serializers.URLField())
    def get_url(self, onnx_model):
        """Return the address of the model's page."""
        return self.context["request"].build_absolute_uri(onnx_model.get_absolute_url())

    @extend_schema_field(VersionSerializer(allow_null=True))
    def get_latest_version(self, onnx_model):
        """Return the version with the highest number."""
        versions = onnx_model.versions.all()
        return VersionSerializer(versions[0], context=self.context).data if versions else None

    def validate_name(self, name):
        """Refuse a name that another model of the owner's has."""
        namesakes = OnnxModel.objects.filter(owner_id=self.instance.owner_id, name=name)
        if namesakes.exclude(pk=self.instance.pk).exists():
            raise serializers.ValidationError(
                f"You already have a model called “{name}”. Choose another name."
            )
        return name

    def update(self, instance, validated_data):
        """Store the new name, visibility or inputs.

        Raises ValidationError, by setting, for inputs that the newest version does not take.
        """
        if "saved_inputs" in validated_data:
            input_choices.save(instance, validated_data.pop("saved_inputs") or {})
        for name, value in validated_data.items():
            setattr(instance, name, value)
        audit.note_visibility(instance, actor=instance.owner)
        instance.save(update_fields=[*validated_data, "updated_at"])
        return instance
