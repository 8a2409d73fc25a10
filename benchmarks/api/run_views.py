"""The API of runs."""

from django.shortcuts import get_object_or_404
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.generics import GenericAPIView, ListAPIView, RetrieveAPIView
from rest_framework.response import Response

from benchmarks.api.filters import RunFilter
from benchmarks.api.idempotency import KEY_PARAMETER, Attempt
from benchmarks.api.pagination import RunCursorPagination
from benchmarks.api.run_detail import RunDetailSerializer
from benchmarks.api.run_serializers import RunRequestSerializer, RunSerializer
from benchmarks.input_sets import batch_size_in
from benchmarks.models import Run
from benchmarks.reproduction import job_plain
from benchmarks.submission import RunSettings, submit_run
from hardware.api.filters import NameSearch

# Two thousand numbers, for the histogram of the run's page alone.
SAMPLES = "measurement__samples_s"
# Two hundred layers and all tensors, for one run alone.
LAYERS = tuple(f"measurement__{name}" for name in ("composition", "inputs_used", "outputs_seen"))
EXAMPLE_ID = "0198f0a1-7c1e-7d44-9f2b-3a1f5c2e8b10"


class RunIsOver(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "run_is_over"
    default_detail = "This run is over already, so there is nothing to cancel."


class Runs(ListAPIView):
    """Runs of your models and of the public ones, newest first, page by page along a cursor."""

    queryset = Run.objects.with_results().defer(SAMPLES, *LAYERS)
    serializer_class = RunSerializer
    pagination_class = RunCursorPagination
    filter_backends = [DjangoFilterBackend, NameSearch]
    filterset_class = RunFilter
    search_field = "version__onnx_model__name"

    def get_queryset(self):
        """Runs that the user may see."""
        return super().get_queryset().visible_to(self.request.user)

    @extend_schema(
        operation_id="runs_create",
        parameters=[KEY_PARAMETER],
        request=RunRequestSerializer,
        responses={201: RunSerializer},
        examples=[
            OpenApiExample(
                "A quick run",
                value={"version": EXAMPLE_ID, "profile": EXAMPLE_ID, "effort": "quick"},
                request_only=True,
            )
        ],
    )
    def post(self, request):
        """Queue a measurement of one of your versions, for a profile that you may see."""
        attempt = Attempt(request, "runs")
        run_id = attempt.earlier_id()
        if run_id is None:
            asked = RunRequestSerializer(data=request.data, context={"request": request})
            asked.is_valid(raise_exception=True)
            run_id = attempt.make_once(lambda: _submit(request.user, dict(asked.validated_data)))
        run = get_object_or_404(self.get_queryset(), pk=run_id)
        return Response(self.get_serializer(run).data, status=status.HTTP_201_CREATED)


class RunDetail(RetrieveAPIView):
    """One run, with its result once it has one."""

    queryset = Run.objects.with_results().defer(SAMPLES)
    serializer_class = RunDetailSerializer

    def get_queryset(self):
        """Runs that the user may see."""
        return super().get_queryset().visible_to(self.request.user)


class RunJob(GenericAPIView):
    """What repeats a run on another machine."""

    queryset = Run.objects.with_results().defer(SAMPLES)
    serializer_class = None

    @extend_schema(operation_id="runs_job", responses={200: OpenApiTypes.OBJECT})
    def get(self, request, pk):
        """Answer with the job file: `python -m runner job.json result.json` does it again."""
        run = get_object_or_404(self.get_queryset().visible_to(request.user), pk=pk)
        return Response(job_plain(run))


class RunCancel(GenericAPIView):
    """Where a run is called off."""

    queryset = Run.objects.with_results().defer(SAMPLES, *LAYERS)
    serializer_class = RunSerializer

    @extend_schema(operation_id="runs_cancel", request=None, responses={200: RunSerializer})
    def post(self, request, pk):
        """Cancel one of your runs, queued or under way; 409 when it is over already."""
        mine = self.get_queryset().editable_by(request.user)
        get_object_or_404(mine, pk=pk)
        if not Run.objects.cancel(pk) and not mine.filter(status="cancelled", pk=pk).exists():
            raise RunIsOver()
        return Response(self.get_serializer(get_object_or_404(mine, pk=pk)).data)


def _submit(owner, values: dict) -> Run:
    input_set = values.get("values")
    is_fed_whole = input_set is not None and not values["measures_accuracy"]
    if is_fed_whole and "batch_size" not in values:
        values["batch_size"] = batch_size_in(values["version"], input_set) or 1
    return submit_run(
        owner=owner,
        version=values.pop("version"),
        profile=values.pop("profile"),
        settings=RunSettings(**values),
    )
