"""The fields by which models and runs can be filtered."""

import django_filters

from benchmarks.models import OnnxModel, Run, Sweep


class OnnxModelFilter(django_filters.FilterSet):
    class Meta:
        model = OnnxModel
        fields = ["name", "visibility"]


class RunFilter(django_filters.FilterSet):
    # Ids that do not exist give no runs; they must not tell which ids exist.
    model = django_filters.UUIDFilter(field_name="version__onnx_model_id")
    version = django_filters.UUIDFilter(field_name="version_id")
    profile = django_filters.UUIDFilter(field_name="profile_id")
    sweep = django_filters.UUIDFilter(field_name="sweep_id")
    status = django_filters.MultipleChoiceFilter(choices=Run.Status.choices)

    class Meta:
        model = Run
        fields = ["model", "version", "profile", "sweep", "status", "effort"]


class SweepFilter(django_filters.FilterSet):
    model = django_filters.UUIDFilter(field_name="version__onnx_model_id")
    version = django_filters.UUIDFilter(field_name="version_id")
    profile = django_filters.UUIDFilter(field_name="profile_id")

    class Meta:
        model = Sweep
        fields = ["model", "version", "profile"]
