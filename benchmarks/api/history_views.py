"""The API of histories: a model's runs over time, one by one or summed up in buckets."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from benchmarks.api.history_shape import HistorySerializer, history_plain
from benchmarks.api.whatif import PARAMETERS, QuestionSerializer
from benchmarks.buckets import chart_of
from benchmarks.factors import STORED, TODAY
from benchmarks.models import OnnxModel
from benchmarks.pricing import Factors, pricing_of
from benchmarks.timeline import TimeRange, timeline_of
from benchmarks.whatif import Question


class HistoryQuestionSerializer(QuestionSerializer):
    """Which time, under which factors."""

    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    factors = serializers.ChoiceField([STORED, TODAY], default=STORED)
    inferences_per_day = None

    def validate(self, asked):
        """Refuse a time that ends before it begins."""
        if "since" in asked and "until" in asked and asked["since"] > asked["until"]:
            raise serializers.ValidationError({"until": "This is before `since`."})
        return asked


class ModelHistory(GenericAPIView):
    """A model's finished runs over time."""

    queryset = OnnxModel.objects.all()
    serializer_class = HistorySerializer

    @extend_schema(
        operation_id="models_history",
        parameters=[
            OpenApiParameter(
                "since", type={"type": "string", "format": "date-time"}, description="From then on."
            ),
            OpenApiParameter(
                "until", type={"type": "string", "format": "date-time"}, description="Up to then."
            ),
            OpenApiParameter(
                "factors",
                type={"type": "string"},
                enum=[STORED, TODAY],
                description="As stored (the default), or all at today's reference tables.",
            ),
            *(one for one in PARAMETERS if one.name != "inferences_per_day"),
        ],
    )
    def get(self, request, pk):
        """Answer with the lines of a model's history: short ones run by run, long ones in buckets.

        A shorter time has shorter buckets, and single runs in the end.
        """
        onnx_model = get_object_or_404(self.get_queryset().visible_to(request.user), pk=pk)
        sent = HistoryQuestionSerializer(data=request.query_params, context={"request": request})
        sent.is_valid(raise_exception=True)
        asked = dict(sent.validated_data)
        time_range = TimeRange(asked.pop("since", None), asked.pop("until", None))
        factors = Factors(asked.pop("factors"), Question(**asked))
        chart = chart_of(timeline_of(onnx_model, time_range, user=request.user))
        prices = pricing_of([one.circumstances for one in chart.stretches], factors)
        return Response(history_plain(chart, prices))
