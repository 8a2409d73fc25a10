"""A model's page: its grams over time, as a chart, a table and a file."""

import uuid

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from benchmarks import charts, exports
from benchmarks.breakdown import measured_counts
from benchmarks.history import RANGES_DAYS, HistoryPoint, history_of
from benchmarks.input_fields import shape_text
from benchmarks.models import OnnxModel, Run
from benchmarks.views.links import query_without_page

NO_ID = uuid.UUID(int=0)
TABLE_LENGTH = 25
OPEN_RUN_COUNT = 5
METRICS = (("emission", "Grams"), ("energy", "Energy"), ("latency", "Latency"))


@require_safe
def model_page(request, pk):
    """Show a model: the newest grams, their history, its versions."""
    onnx_model = _visible_model(request, pk)
    days = _days(request)
    context = {
        "onnx_model": onnx_model,
        "is_own": onnx_model.owner_id == request.user.pk,
        **_results(request, onnx_model, days),
        **_choices(request, days),
    }
    if request.htmx.target == "history-table":
        return render(request, "benchmarks/_history_table.html", context)
    context |= _versions(onnx_model) | {
        "open_runs": _open_runs(request, onnx_model, context["newest"])
    }
    return render(request, "benchmarks/model.html", context)


@require_safe
def history_data(request, pk):
    """Answer the history as the chart wants it."""
    history = history_of(_visible_model(request, pk)).of_last(_days(request))
    return JsonResponse(charts.history_chart(history))


@require_safe
def history_file(request, pk):
    """Give the history as a CSV file."""
    onnx_model = _visible_model(request, pk)
    text = exports.history_csv(history_of(onnx_model).of_last(_days(request)).points)
    name = slugify(onnx_model.name) or "model"
    headers = {"Content-Disposition": f'attachment; filename="{name}-history.csv"'}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


def _visible_model(request, pk) -> OnnxModel:
    found = OnnxModel.objects.visible_to(request.user).select_related("owner")
    return get_object_or_404(found.annotate(input_set_count=Count("input_sets")), pk=pk)


def _days(request) -> int | None:
    asked = request.GET.get("range", "")
    return int(asked) if asked in {str(days) for days in RANGES_DAYS} else None


def _results(request, onnx_model: OnnxModel, days: int | None) -> dict:
    everything = history_of(onnx_model)
    history = everything.of_last(days)
    newest = everything.newest_of_latest_version()
    return {
        "history": history,
        "newest": newest,
        "change": everything.change_to(newest) if newest else None,
        "run_count": len(everything.points),
        "table": Paginator(history.points, TABLE_LENGTH).get_page(request.GET.get("page")),
        "table_address": f"{request.path}?{query_without_page(request)}",
        # The script puts a run's id where the zeros stand.
        "run_address": reverse("run", args=[NO_ID]),
    }


def _versions(onnx_model: OnnxModel) -> dict:
    versions = list(onnx_model.versions.order_by("-number"))
    counted = measured_counts(versions)
    for version in versions:
        version.measured = counted.get(version.pk)
    structure = next((version for version in versions if version.is_ready), None)
    return {
        "versions": versions,
        "knows_accuracy": any(version.accuracy_ratio is not None for version in versions),
        "knows_training": any(version.training_time_s is not None for version in versions),
        "structure": structure,
        "is_runnable": structure is not None,
        "is_waiting": bool(versions) and versions[0].status == versions[0].Status.INSPECTING,
        "operators": _by_count(structure.operators) if structure else [],
        "tensors": list(_tensors(structure)) if structure else [],
    }


def _tensors(version):
    for way, tensors in (("input", version.inputs), ("output", version.outputs)):
        for one in tensors:
            yield way, one["name"], one["dtype"], shape_text(one["shape"])


def _by_count(operators: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(operators.items(), key=lambda item: (-item[1], item[0]))


def _choices(request, days: int | None) -> dict:
    metric = request.GET.get("metric")
    return {
        "days": days,
        "ranges": RANGES_DAYS,
        "metrics": METRICS,
        "metric": metric if metric in dict(METRICS) else "emission",
        "is_log": request.GET.get("scale") == "log",
    }


def _open_runs(request, onnx_model: OnnxModel, newest: HistoryPoint | None):
    """Return the runs under way, and those that have ended badly since the newest result."""
    is_news = Q(status__in=[Run.Status.QUEUED, Run.Status.MEASURING])
    since_newest = Q(finished_at__gt=newest.measured_at) if newest else Q()
    is_news |= Q(status__in=[Run.Status.FAILED, Run.Status.CANCELLED]) & since_newest
    return (
        Run.objects.visible_to(request.user)
        .filter(is_news, version__onnx_model=onnx_model)
        .select_related("version__onnx_model", "profile")
        .order_by("-queued_at", "-id")[:OPEN_RUN_COUNT]
    )
