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
from benchmarks.factors import STORED, TODAY, Explanation, at_todays_factors, explained
from benchmarks.history import RANGES_DAYS, History, HistoryPoint, history_of
from benchmarks.input_fields import shape_text
from benchmarks.models import OnnxModel, Run
from benchmarks.overview import HEAVY_COLUMNS
from benchmarks.views.links import query_without_page
from benchmarks.views.whatif import whatif_context

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
    context |= _hindsight(request, onnx_model, context)
    return render(request, "benchmarks/model.html", context)


@require_safe
def history_data(request, pk):
    """Answer the history as the chart wants it."""
    history = _history(request, _visible_model(request, pk)).of_last(_days(request))
    return JsonResponse(charts.history_chart(history))


@require_safe
def history_file(request, pk):
    """Give the history as a CSV file."""
    onnx_model = _visible_model(request, pk)
    history = _history(request, onnx_model).of_last(_days(request))
    text = exports.history_csv(history.points)
    name = slugify(onnx_model.name) or "model"
    headers = {"Content-Disposition": f'attachment; filename="{name}-history.csv"'}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


def _visible_model(request, pk) -> OnnxModel:
    found = OnnxModel.objects.visible_to(request.user).select_related("owner")
    return get_object_or_404(found.annotate(input_set_count=Count("input_sets")), pk=pk)


def _days(request) -> int | None:
    asked = request.GET.get("range", "")
    return int(asked) if asked in {str(days) for days in RANGES_DAYS} else None


def _factors(request) -> str:
    return TODAY if request.GET.get("factors") == TODAY else STORED


def _history(request, onnx_model: OnnxModel) -> History:
    history = history_of(onnx_model)
    return at_todays_factors(history) if _factors(request) == TODAY else history


def _hindsight(request, onnx_model: OnnxModel, context: dict) -> dict:
    """Return why the figure moved between two runs, and the newest run's what-if."""
    newest, change = context["newest"], context["change"]
    if newest is None:
        return {}
    asked = [request.GET.get("before", ""), request.GET.get("after", "")]
    usual = [change.before.run_id if change else "", newest.run_id]
    runs = _runs(request, onnx_model, {*asked, *usual})
    chosen = [runs[one] for one in asked if one in runs]
    pair = chosen if len(chosen) == 2 else [runs[one] for one in usual if one in runs]
    return {
        "why": _explanation(pair, _factors(request)),
        "is_pair_refused": any(asked) and len(chosen) < 2,
        "whatif": whatif_context(request, runs[newest.run_id]),
    }


def _explanation(pair: list[Run], factors: str) -> Explanation | None:
    if len(pair) < 2 or pair[0] == pair[1]:
        return None
    before, after = sorted(pair, key=lambda run: (run.finished_at, str(run.pk)))
    return explained(before, after, factors=factors)


def _runs(request, onnx_model: OnnxModel, ids: set[str]) -> dict[str, Run]:
    runs = Run.objects.visible_to(request.user).done().filter(version__onnx_model=onnx_model)
    wanted = runs.filter(pk__in=[one for one in ids if _is_id(one)])
    found = wanted.with_results().defer(*HEAVY_COLUMNS)
    return {str(run.pk): run for run in found}


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _results(request, onnx_model: OnnxModel, days: int | None) -> dict:
    everything = _history(request, onnx_model)
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
        "is_today": _factors(request) == TODAY,
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
