"""The API of changes: why one run comes to other grams than another, and what they do not share."""

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from benchmarks.api.compare_views import EnvironmentDifferenceSerializer
from benchmarks.api.whatif import NoResult
from benchmarks.factors import STORED, TODAY, explained
from benchmarks.models import Run
from benchmarks.overview import HEAVY_COLUMNS
from footprint.movement import CAUSES

PARAMETERS = [
    OpenApiParameter(
        "before",
        type={"type": "string", "format": "uuid"},
        required=True,
        description="The run that this one is laid beside.",
    ),
    OpenApiParameter(
        "factors",
        enum=[STORED, TODAY],
        description="The factors as stored (the default), or today's for both runs.",
    ),
]


class DifferenceQuestionSerializer(serializers.Serializer):
    """Which run to lay beside, and under which factors."""

    before = serializers.UUIDField()
    factors = serializers.ChoiceField(choices=(STORED, TODAY), default=STORED)


class PartSerializer(serializers.Serializer):
    """What one cause adds to the change."""

    cause = serializers.ChoiceField(choices=CAUSES)
    part_g = serializers.FloatField()
    ratio = serializers.FloatField(allow_null=True, help_text="Of before_g.")
    note = serializers.CharField(help_text="What changed, in words.")


class RunDifferenceSerializer(serializers.Serializer):
    """A change between two runs: its parts add up to after_g - before_g."""

    before = serializers.UUIDField(source="before.pk")
    after = serializers.UUIDField(source="after.pk")
    before_g = serializers.FloatField()
    after_g = serializers.FloatField()
    ratio = serializers.FloatField(allow_null=True)
    parts = PartSerializer(many=True, help_text="The largest first.")
    environment = EnvironmentDifferenceSerializer(
        source="differences", many=True, help_text="Only what the two do not share."
    )


class RunDifference(GenericAPIView):
    """Two finished runs, laid beside each other."""

    queryset = Run.objects.with_results().defer(*HEAVY_COLUMNS)
    serializer_class = RunDifferenceSerializer
    pagination_class = None
    more_problem_statuses = ("409",)

    def get_queryset(self):
        """Runs that the user may see."""
        return super().get_queryset().visible_to(self.request.user)

    @extend_schema(
        operation_id="runs_difference",
        parameters=PARAMETERS,
        responses={200: RunDifferenceSerializer},
    )
    def get(self, request, pk):
        """Say why this run comes to other grams than the one before; nothing is stored."""
        asked = {name: value for name, value in request.query_params.items() if value}
        question = DifferenceQuestionSerializer(data=asked)
        question.is_valid(raise_exception=True)
        before, after = self._runs(question.validated_data["before"], pk)
        factors = question.validated_data["factors"]
        change = explained(before, after, factors=factors, user=request.user)
        return Response(self.get_serializer(change).data)

    def _runs(self, *ids) -> list[Run]:
        if len(set(ids)) < len(ids):
            raise ValidationError({"before": "Name another run than this one."})
        found = {run.pk: run for run in self.get_queryset().filter(pk__in=ids)}
        if not found.keys() >= set(ids):
            raise Http404("There is no such run that you may see.")
        if any(run.estimate is None for run in found.values()):
            raise NoResult()
        return [found[one] for one in ids]
