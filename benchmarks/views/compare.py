"""Versions side by side, and where one picks them."""

import uuid

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.read_limit import costly
from benchmarks import exports
from benchmarks.comparison import (
    EMISSION,
    LATENCY,
    MAX_VERSIONS,
    MIN_VERSIONS,
    Comparison,
    compare,
)
from benchmarks.models import ModelVersion, Run
from benchmarks.surroundings import environment_difference

FOUND_LENGTH = 40
PARETO_METRICS = {"latency": (LATENCY, "Latency", "s"), "emission": (EMISSION, "CO₂", "g")}


@require_safe
@costly
def compare_page(request):
    """Show two to six versions side by side; ask for them where there are fewer or more."""
    versions = _versions(request)
    if not MIN_VERSIONS <= len(versions) <= MAX_VERSIONS or "pick" in request.GET:
        return render(request, "benchmarks/compare_pick.html", _choices(request, versions))
    comparison = compare(versions, user=request.user, chosen_runs=_chosen_runs(request, "run"))
    context = {
        "comparison": comparison,
        "versions_query": _query(versions),
        "permalink": request.build_absolute_uri(f"?{_permanent_query(comparison)}"),
        "permanent_query": _permanent_query(comparison),
        "markdown": exports.comparison_markdown(comparison),
        **_pareto(request, comparison),
        **_environment(request, comparison),
    }
    return render(request, "benchmarks/compare.html", context)


@require_safe
@costly
def compare_file(request):
    """Give the table as a CSV file."""
    versions = _versions(request)
    if not MIN_VERSIONS <= len(versions) <= MAX_VERSIONS:
        raise Http404("Two to six versions can be compared.")
    comparison = compare(versions, user=request.user, chosen_runs=_chosen_runs(request, "run"))
    headers = {"Content-Disposition": 'attachment; filename="comparison.csv"'}
    text = exports.comparison_csv(comparison)
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


def _versions(request) -> list[ModelVersion]:
    """Return the versions asked for, each once, in that order.

    Raises Http404 where one is not there or may not be seen.
    """
    ids = _ids(request, "v")
    # One more than will do: the picker says so.
    visible = ModelVersion.objects.visible_to(request.user)
    visible = visible.for_tables().select_related("onnx_model__owner", "evaluation")
    found = {version.pk: version for version in visible.filter(pk__in=ids[: MAX_VERSIONS + 1])}
    return [_found(found, one) for one in ids[: MAX_VERSIONS + 1]]


def _chosen_runs(request, name: str) -> list[Run]:
    """Return the finished runs asked for by ``name``; Http404 as for versions."""
    ids = _ids(request, name)[:MAX_VERSIONS]
    if not ids:
        return []
    runs = Run.objects.visible_to(request.user).done().filter(pk__in=ids)
    found = {run.pk: run for run in runs.select_related("measurement")}
    return [_found(found, one) for one in ids]


def _ids(request, name: str) -> list[uuid.UUID]:
    try:
        return list(dict.fromkeys(uuid.UUID(text) for text in request.GET.getlist(name) if text))
    except ValueError as error:
        raise Http404("That is not the id of a version or run.") from error


def _found(rows: dict, pk: uuid.UUID):
    if pk not in rows:
        raise Http404("There is no such version or run that you may see.")
    return rows[pk]


def _query(versions) -> str:
    return "&".join(f"v={version.pk}" for version in versions)


def _permanent_query(comparison: Comparison) -> str:
    """Name the runs too, so that the address shows the same figures after the next run."""
    versions = _query(entry.version for entry in comparison.entries)
    return "&".join([versions, *(f"run={run.pk}" for run in comparison.runs)])


def _choices(request, chosen: list[ModelVersion]) -> dict:
    search = request.GET.get("q", "").strip()[:120].replace("\x00", "")
    visible = ModelVersion.objects.visible_to(request.user).for_tables()
    visible = visible.select_related("onnx_model__owner")
    if not request.user.is_anonymous:
        # Staff may read all; what they pick from is still their own and what is public.
        is_theirs = Q(onnx_model__owner_id=request.user.pk)
        visible = visible.filter(is_theirs | Q(onnx_model__visibility="public"))
    found = visible.filter(
        Q(onnx_model__name__icontains=search) | Q(label__icontains=search)
    ).exclude(pk__in=[version.pk for version in chosen])
    model_id = _ids(request, "model")[:1]
    if model_id:
        found = found.filter(onnx_model_id=model_id[0])
    rows = list(found.order_by("-created_at", "-pk")[: FOUND_LENGTH + 1])
    return {
        "chosen": chosen,
        "found": rows[:FOUND_LENGTH],
        "is_cut": len(rows) > FOUND_LENGTH,
        "search": search,
        "model_id": model_id[0] if model_id else "",
        "is_too_many": len(chosen) > MAX_VERSIONS,
        "is_too_few": "pick" not in request.GET and len(chosen) == 1,
        "most": MAX_VERSIONS,
    }


def _pareto(request, comparison: Comparison) -> dict:
    asked = request.GET.get("cost")
    key = asked if asked in PARETO_METRICS else "latency"
    name, label, unit = PARETO_METRICS[key]
    points = comparison.pareto(name)
    return {
        "cost": key,
        "cost_label": label,
        "cost_unit": unit,
        "pareto": points,
        "pareto_facts": {
            "label": label,
            "unit": unit,
            "points": [
                {
                    "title": point.entry.title,
                    "cost": point.cost,
                    "accuracy_ratio": point.accuracy_ratio,
                    "low_ratio": point.interval.low if point.interval else None,
                    "high_ratio": point.interval.high if point.interval else None,
                    "is_efficient": point.is_efficient,
                }
                for point in points
            ],
        },
    }


def _environment(request, comparison: Comparison) -> dict:
    asked = _chosen_runs(request, "env")
    shown = comparison.runs
    pair = asked[:2] if len(asked) > 1 else _most_telling(shown)
    if len(pair) < 2:
        return {"env_runs": [], "env_choices": []}
    by_id = {run.pk: run for run in shown}
    others = [run.pk for run in pair if run.pk not in by_id]
    by_id |= {run.pk: run for run in Run.objects.filter(pk__in=others).with_results()}
    first, second = (by_id[run.pk] for run in pair)
    return {
        "env_runs": [first, second],
        "env_choices": list(by_id.values()),
        "env_differences": environment_difference(first, second, user=request.user),
    }


def _most_telling(runs: list[Run]) -> list[Run]:
    """Return the first run and the first other one whose surroundings differ, if any do."""
    if len(runs) < 2:
        return []
    others = runs[1:]
    return [
        runs[0],
        next((run for run in others if environment_difference(runs[0], run)), others[0]),
    ]
