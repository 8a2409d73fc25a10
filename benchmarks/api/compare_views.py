"""The API of comparisons: two to six versions side by side, worked out and not stored."""

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from benchmarks import comparison as comparing
from benchmarks.models import ModelVersion, Run
from benchmarks.surroundings import environment_difference

IDS = {"type": "array", "items": {"type": "string", "format": "uuid"}}
PARAMETERS = [
    OpenApiParameter("version", type=IDS, required=True, description="Two to six versions."),
    OpenApiParameter("run", type=IDS, description="Runs that are to speak for their versions."),
]


class QuestionSerializer(serializers.Serializer):
    """The ids asked for."""

    version = serializers.ListField(
        child=serializers.UUIDField(),
        min_length=comparing.MIN_VERSIONS,
        max_length=comparing.MAX_VERSIONS,
    )
    run = serializers.ListField(
        child=serializers.UUIDField(), max_length=comparing.MAX_VERSIONS, default=list
    )

    def validate_version(self, ids):
        """Refuse the same version twice."""
        if len(set(ids)) < len(ids):
            raise serializers.ValidationError("Name each version once.")
        return ids


class ComparedVersionSerializer(serializers.Serializer):
    id = serializers.UUIDField(source="version.pk")
    model = serializers.UUIDField(source="version.onnx_model_id")
    title = serializers.CharField()
    run = serializers.UUIDField(source="run.pk", allow_null=True, default=None)


class ComparedValueSerializer(serializers.Serializer):
    version = serializers.UUIDField(source="entry.version.pk")
    value = serializers.FloatField(allow_null=True)
    reason = serializers.CharField(help_text="Why there is no value; empty where there is one.")
    is_best = serializers.BooleanField()
    is_within_noise = serializers.BooleanField(
        help_text="The samples, or the items of an evaluation set, cannot tell it from the best."
    )
    behind_best_ratio = serializers.FloatField(
        source="behind_ratio", allow_null=True, help_text="1 is the best; more is worse."
    )
    ratio_low = serializers.FloatField(source="ratio.low", allow_null=True, default=None)
    ratio_high = serializers.FloatField(source="ratio.high", allow_null=True, default=None)
    value_low = serializers.FloatField(
        source="interval.low",
        allow_null=True,
        default=None,
        help_text="The 95 % interval of the value, where it is an accuracy that was measured.",
    )
    value_high = serializers.FloatField(source="interval.high", allow_null=True, default=None)


class ComparedCriterionSerializer(serializers.Serializer):
    name = serializers.CharField(source="criterion.name")
    better = serializers.ChoiceField(source="criterion.better", choices=["lower", "higher"])
    values = ComparedValueSerializer(source="cells", many=True)


class ParetoPointSerializer(serializers.Serializer):
    version = serializers.UUIDField(source="entry.version.pk")
    accuracy_ratio = serializers.FloatField()
    accuracy_low_ratio = serializers.FloatField(
        source="interval.low", allow_null=True, default=None
    )
    accuracy_high_ratio = serializers.FloatField(
        source="interval.high", allow_null=True, default=None
    )
    cost = serializers.FloatField()
    is_efficient = serializers.BooleanField()


class ParetoSerializer(serializers.Serializer):
    """Versions by accuracy and cost; efficient ones are beaten by none in both."""

    latency_s = ParetoPointSerializer(many=True)
    emission_g = ParetoPointSerializer(many=True)


class EnvironmentDifferenceSerializer(serializers.Serializer):
    name = serializers.CharField()
    first = serializers.CharField()
    second = serializers.CharField()


class EnvironmentSerializer(serializers.Serializer):
    """What two runs do not share."""

    first_run = serializers.UUIDField()
    second_run = serializers.UUIDField()
    differences = EnvironmentDifferenceSerializer(many=True)


class ComparisonSerializer(serializers.Serializer):
    """Two to six versions on the seven criteria."""

    summary = serializers.CharField()
    versions = ComparedVersionSerializer(source="entries", many=True)
    criteria = ComparedCriterionSerializer(source="rows", many=True)
    differing_settings = serializers.ListField(source="differences", child=serializers.CharField())
    pareto = serializers.SerializerMethodField()
    environments = serializers.SerializerMethodField()

    @extend_schema_field(ParetoSerializer)
    def get_pareto(self, comparison) -> dict:
        """Return both charts' points."""
        names = (comparing.LATENCY, comparing.EMISSION)
        return ParetoSerializer({name: comparison.pareto(name) for name in names}).data

    @extend_schema_field(EnvironmentSerializer(many=True))
    def get_environments(self, comparison) -> list:
        """Return the first run's surroundings beside those of each other."""
        user = self.context["request"].user
        first, *others = comparison.runs or [None]
        return EnvironmentSerializer(
            [
                {
                    "first_run": first.pk,
                    "second_run": other.pk,
                    "differences": environment_difference(first, other, user=user),
                }
                for other in others
            ],
            many=True,
        ).data


class Compare(GenericAPIView):
    """Two to six versions side by side."""

    queryset = ModelVersion.objects.for_tables().select_related("onnx_model__owner", "evaluation")
    serializer_class = ComparisonSerializer
    pagination_class = None

    @extend_schema(
        operation_id="compare", parameters=PARAMETERS, responses={200: ComparisonSerializer}
    )
    def get(self, request):
        """Say who is better on what, and where the samples cannot tell; nothing is stored."""
        asked = {name: request.query_params.getlist(name) for name in ("version", "run")}
        question = QuestionSerializer(data=asked)
        question.is_valid(raise_exception=True)
        ids = question.validated_data
        versions = _all_of(self.get_queryset().visible_to(request.user), ids["version"])
        done = Run.objects.visible_to(request.user).done().select_related("measurement")
        answer = comparing.compare(
            versions, user=request.user, chosen_runs=_all_of(done, ids["run"])
        )
        return Response(self.get_serializer(answer).data)


def _all_of(rows, ids) -> list:
    """Return the rows in the order of ``ids``; Http404 where one is not among them."""
    found = {row.pk: row for row in rows.filter(pk__in=ids)} if ids else {}
    if len(found) < len(set(ids)):
        raise Http404
    return [found[one] for one in dict.fromkeys(ids)]
