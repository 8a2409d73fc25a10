"""The API of sweeps."""

from django.shortcuts import get_object_or_404
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.response import Response

from benchmarks.api.filters import SweepFilter
from benchmarks.api.idempotency import KEY_PARAMETER, Attempt
from benchmarks.api.sweep_serializers import (
    SweepDetailSerializer,
    SweepRequestSerializer,
    SweepSerializer,
)
from benchmarks.input_sets import batch_size_in
from benchmarks.models import Run, Sweep
from benchmarks.sweep_reports import sweep_report
from benchmarks.sweeps import SweepSettings, cancel_sweep, submit_sweep

EXAMPLE_ID = "0198f0a1-7c1e-7d44-9f2b-3a1f5c2e8b10"


class SweepIsOver(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "sweep_is_over"
    default_detail = "Every run of this sweep is over already, so there is nothing to cancel."


class Sweeps(ListAPIView):
    """Sweeps of your models and of the public ones, newest first."""

    queryset = Sweep.objects.with_counts().order_by("-created_at", "-id")
    serializer_class = SweepSerializer
    filter_backends = [DjangoFilterBackend]
    filterset_class = SweepFilter

    def get_queryset(self):
        """Sweeps that the user may see."""
        return super().get_queryset().visible_to(self.request.user)

    @extend_schema(
        operation_id="sweeps_create",
        parameters=[KEY_PARAMETER],
        request=SweepRequestSerializer,
        responses={201: SweepDetailSerializer},
        examples=[
            OpenApiExample(
                "Three batch sizes on one and two threads",
                value={
                    "version": EXAMPLE_ID,
                    "profile": EXAMPLE_ID,
                    "batch_sizes": [1, 4, 16],
                    "intra_op_threads": [1, 2],
                    "effort": "quick",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request):
        """Queue a run for each batch size with each thread count, all of them or none."""
        attempt = Attempt(request, "sweeps")
        sweep_id = attempt.earlier_id()
        if sweep_id is None:
            asked = SweepRequestSerializer(data=request.data, context={"request": request})
            asked.is_valid(raise_exception=True)
            values = dict(asked.validated_data)
            sweep_id = attempt.make_once(lambda: _submit(request.user, values))
        answer = _detail(self.get_queryset(), sweep_id, request)
        return Response(answer, status=status.HTTP_201_CREATED)


class SweepDetail(GenericAPIView):
    """One sweep, with its runs and its knee."""

    queryset = Sweep.objects.with_counts()
    serializer_class = SweepDetailSerializer

    @extend_schema(operation_id="sweeps_retrieve")
    def get(self, request, pk):
        """Answer with the sweep, its runs and, from two results on, its knee."""
        return Response(_detail(self.get_queryset().visible_to(request.user), pk, request))


class SweepCancel(GenericAPIView):
    """Where a sweep is called off."""

    queryset = Sweep.objects.with_counts()
    serializer_class = SweepDetailSerializer

    @extend_schema(operation_id="sweeps_cancel", request=None)
    def post(self, request, pk):
        """Cancel what is left of one of your sweeps; 409 when every run is over already."""
        mine = self.get_queryset().editable_by(request.user)
        sweep = get_object_or_404(mine, pk=pk)
        is_cancelled = sweep.runs.filter(status=Run.Status.CANCELLED)
        if not cancel_sweep(sweep) and not is_cancelled.exists():
            raise SweepIsOver()
        return Response(_detail(mine, pk, request))


def _detail(sweeps, pk, request) -> dict:
    report = sweep_report(get_object_or_404(sweeps, pk=pk))
    return SweepDetailSerializer(report, context={"request": request}).data


def _submit(owner, values: dict) -> Sweep:
    if (input_set := values.get("values")) is not None and "batch_sizes" not in values:
        values["batch_sizes"] = [batch_size_in(values["version"], input_set) or 1]
    return submit_sweep(
        owner=owner,
        version=values.pop("version"),
        profile=values.pop("profile"),
        settings=SweepSettings(**values),
    )
