"""A model's page: its grams over time, as a chart, a table and a file."""

import uuid

from django.db.models import Count, Q, prefetch_related_objects
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from benchmarks import charts, exports
from benchmarks.breakdown import measured_counts
from benchmarks.buckets import chart_of
from benchmarks.factors import TODAY, Explanation, explained
from benchmarks.history import Change, HistoryPoint
from benchmarks.input_fields import shape_text
from benchmarks.models import ModelVersion, OnnxModel, Run
from benchmarks.overview import HEAVY_COLUMNS
from benchmarks.pricing import Factors, Pricing
from benchmarks.querysets import CONTENTS, CONTENTS_OF_VERSION
from benchmarks.timeline import RANGES_DAYS, Timeline, timeline_of
from benchmarks.views.history_choices import (
    METRICS,
    days_of,
    factors_of,
    is_zoomed,
    metric_of,
    prices_of,
    range_of,
    tables_of,
    whole_range_of,
)
from benchmarks.views.links import query_without_page
from benchmarks.views.pages import page_of
from benchmarks.views.whatif import whatif_context

NO_ID = uuid.UUID(int=0)
TABLE_LENGTH = 25
OPEN_RUN_COUNT = 5
OPEN = (Run.Status.QUEUED, Run.Status.MEASURING)
BAD = (Run.Status.FAILED, Run.Status.CANCELLED)


@require_safe
# Else the table that a script has fetched from this address is shown for the page on the way back.
@vary_on_headers("HX-Target")
def model_page(request, pk):
    """Show a model: the newest grams, their history, its versions."""
    onnx_model = _visible_model(request, pk)
    context = {
        "onnx_model": onnx_model,
        "is_own": onnx_model.owner_id == request.user.pk,
        **_results(request, onnx_model),
        **_choices(request),
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
    timeline = _timeline(request, _visible_model(request, pk))
    prices, _ = prices_of(timeline, factors_of(request), even_as_stored=True)
    whole = whole_range_of(timeline, request)
    text = charts.history_json(timeline, prices, whole)
    return HttpResponse(text, content_type="application/json")


@require_safe
def history_chart(request, pk):
    """Show the history's chart as a table, each row a link to its own shorter range."""
    onnx_model = _visible_model(request, pk)
    timeline = _timeline(request, onnx_model)
    prices, problem = prices_of(timeline, factors_of(request), even_as_stored=True)
    chart = chart_of(timeline)
    context = {
        "onnx_model": onnx_model,
        "timeline": timeline,
        "chart": chart,
        "rows": charts.chart_rows(chart, prices, metric_of(request)),
        "question_problem": problem,
        **_choices(request),
    }
    return render(request, "benchmarks/history_chart.html", context)


@require_safe
def history_file(request, pk):
    """Give the history, every run of the range, as a CSV file."""
    onnx_model = _visible_model(request, pk)
    timeline = _timeline(request, onnx_model)
    prices, _ = prices_of(timeline, factors_of(request))
    lines = exports.history_csv(map(prices.applied_to, timeline.all_points()))
    name = slugify(onnx_model.name) or "model"
    headers = {"Content-Disposition": f'attachment; filename="{name}-history.csv"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


def _visible_model(request, pk) -> OnnxModel:
    found = OnnxModel.objects.visible_to(request.user).select_related("owner")
    return get_object_or_404(found.annotate(input_set_count=Count("input_sets")), pk=pk)


def _timeline(request, onnx_model: OnnxModel) -> Timeline:
    return timeline_of(onnx_model, range_of(request), user=request.user)


def _results(request, onnx_model: OnnxModel) -> dict:
    timeline = _timeline(request, onnx_model)
    factors = factors_of(request)
    prices, problem = prices_of(timeline, factors)
    newest, change = _headline(timeline, factors, prices)
    return {
        "timeline": timeline,
        "newest": newest,
        "change": change,
        "run_count": timeline.total_count,
        "table": page_of(
            timeline.runs(),
            request.GET.get("page"),
            length=TABLE_LENGTH,
            count=timeline.run_count,
            read=lambda ids: [prices.applied_to(point) for point in timeline.points(ids)],
        ),
        "table_address": f"{request.path}?{query_without_page(request)}",
        # The script puts a run's id where the zeros stand.
        "run_address": reverse("run", args=[NO_ID]),
        "is_asked": factors.question.changes_factors and not problem,
        "question_problem": problem,
    }


def _headline(
    timeline: Timeline, factors: Factors, prices: Pricing
) -> tuple[HistoryPoint | None, Change | None]:
    """Return the newest point and its change, whatever the range; a what-if leaves them alone."""
    newest = timeline.newest_of_latest_version()
    if newest is None:
        return None, None
    if factors.question.changes_factors:
        prices, _ = prices_of(timeline, Factors(factors.tables))
    change = timeline.change_to(newest)
    if change is not None:
        change = Change(prices.applied_to(change.before), prices.applied_to(change.after))
    return prices.applied_to(newest), change


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
        "why": _explanation(request, pair),
        "is_pair_refused": any(asked) and len(chosen) < 2,
        "whatif": whatif_context(request, runs[newest.run_id]),
    }


def _explanation(request, pair: list[Run]) -> Explanation | None:
    if len(pair) < 2 or pair[0] == pair[1]:
        return None
    before, after = sorted(pair, key=lambda run: (run.finished_at, str(run.pk)))
    return explained(before, after, factors=tables_of(request), user=request.user)


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


def _versions(onnx_model: OnnxModel) -> dict:
    listed = onnx_model.versions.for_tables().select_related("evaluation")
    versions = list(listed.order_by("-number"))
    prefetch_related_objects([one for one in versions if one.data_sha256], "data_files")
    counted = measured_counts(versions)
    for version in versions:
        version.measured = counted.get(version.pk)
    structure = next((version for version in versions if version.is_ready), None)
    contents = _contents(structure)
    return {
        "versions": versions,
        "knows_accuracy": any(version.accuracy for version in versions),
        "knows_training": any(version.training_time_s is not None for version in versions),
        "structure": structure,
        "is_runnable": structure is not None,
        "is_waiting": bool(versions) and versions[0].status == versions[0].Status.INSPECTING,
        "operators": _by_count(contents["operators"]) if contents else [],
        "tensors": list(_tensors(contents)) if contents else [],
    }


def _contents(version: ModelVersion | None) -> dict | None:
    """Return what the file of this one version is made of; None where there is none to read."""
    if version is None:
        return None
    return ModelVersion.objects.filter(pk=version.pk).values(*CONTENTS).first()


def _tensors(contents: dict):
    for way in ("input", "output"):
        for one in contents[f"{way}s"]:
            yield way, one["name"], one["dtype"], shape_text(one["shape"])


def _by_count(operators: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(operators.items(), key=lambda item: (-item[1], item[0]))


def _choices(request) -> dict:
    return {
        "days": days_of(request),
        "ranges": RANGES_DAYS,
        "metrics": METRICS,
        "metric": metric_of(request),
        "is_log": request.GET.get("scale") == "log",
        "is_today": tables_of(request) == TODAY,
        "is_zoomed": is_zoomed(request),
    }


def _open_runs(request, onnx_model: OnnxModel, newest: HistoryPoint | None):
    """Return the runs under way, and those that have ended badly since the newest result."""
    is_open = Q(status__in=OPEN)
    since_newest = Q(finished_at__gt=newest.measured_at) if newest else Q()
    is_bad = Q(status__in=BAD) & since_newest
    # Said twice, so that the database looks them up by their status.
    is_either = Q(status__in=[*OPEN, *BAD])
    return (
        Run.objects.visible_to(request.user)
        .filter(is_either, is_open | is_bad, version__onnx_model=onnx_model)
        .select_related("version__onnx_model", "profile")
        .defer(*CONTENTS_OF_VERSION)
        .order_by("-queued_at", "-id")[:OPEN_RUN_COUNT]
    )
