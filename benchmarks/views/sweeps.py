"""Asking for a sweep, watching it fill, reading where its knee is."""

import os
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseStopPolling

from benchmarks import submission, sweeps
from benchmarks.input_sets import batch_size_in
from benchmarks.models import ModelVersion, Run, Sweep
from benchmarks.sweep_reports import SweepReport, sweep_report
from benchmarks.sweep_shapes import sweep_chart, sweep_csv


@require_safe
@login_required
def sweep_new(request):
    """Open the run's form with the usual batch sizes and every power of two of threads."""
    try:
        version = get_object_or_404(
            ModelVersion.objects.editable_by(request.user), pk=request.GET.get("version")
        )
    except ValidationError:
        raise Http404("That is no version's id.") from None
    like = _run_to_follow(request)
    thread_counts = [1 << power for power in range((os.cpu_count() or 1).bit_length())]
    batch_sizes = _batch_sizes_to_try(version, like)
    query = {
        "version": version.pk,
        "batch_size": ", ".join(map(str, batch_sizes)),
        "intra_op_threads": ", ".join(map(str, thread_counts)),
    }
    if like is not None:
        query["like"] = like.pk
    return redirect(f"{reverse('run-new', args=[version.onnx_model_id])}?{urlencode(query)}")


@require_safe
def sweep_page(request, pk):
    """Show a sweep: its knee, its chart, each setting."""
    sweep = _visible_sweep(request, pk)
    return render(request, "benchmarks/sweep.html", _context(request, sweep))


@require_safe
def sweep_status(request, pk):
    """Answer how far the sweep is; with HTTP 286 once it is over."""
    sweep = _visible_sweep(request, pk)
    context = _context(request, sweep)
    response = render(request, "benchmarks/_sweep_status.html", context)
    if not context["report"].is_over:
        return response
    return HttpResponseStopPolling(response.content, headers={"HX-Refresh": "true"})


@require_safe
def sweep_file(request, pk):
    """Give the sweep's table as a CSV file."""
    sweep = _visible_sweep(request, pk)
    headers = {"Content-Disposition": f'attachment; filename="sweep-{sweep.pk}.csv"'}
    text = sweep_csv(sweep_report(sweep))
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


@login_required
@require_POST
def sweep_cancel(request, pk):
    """Cancel what is left of one of one's own sweeps."""
    sweep = get_object_or_404(Sweep.objects.editable_by(request.user), pk=pk)
    if not sweeps.cancel_sweep(sweep):
        messages.info(request, "Every run was over already, so there was nothing to cancel.")
    return redirect(sweep)


@login_required
@require_POST
def sweep_again(request, pk):
    """Queue the same sweep once more."""
    sweep = _visible_sweep(request, pk)
    if sweep.version.onnx_model.owner_id != request.user.pk:
        raise Http404("Only the owner of a model runs it.")
    try:
        return redirect(sweeps.submit_sweep_again(sweep, request.user))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(sweep)


def _run_to_follow(request) -> Run | None:
    try:
        mine = Run.objects.editable_by(request.user).select_related("input_set")
        return mine.filter(pk=request.GET.get("like")).first()
    except ValidationError:
        raise Http404("That is no run's id.") from None


def _batch_sizes_to_try(version: ModelVersion, like: Run | None) -> list[int]:
    """Return the usual ones, or the only one that the real inputs of ``like`` leave."""
    found = batch_size_in(version, like.input_set) if like and like.input_set else None
    return [found] if found else sweeps.possible_batch_sizes(version, {}) or [1]


def _visible_sweep(request, pk) -> Sweep:
    found = Sweep.objects.visible_to(request.user)
    return get_object_or_404(found.select_related("version__onnx_model", "owner", "profile"), pk=pk)


def _context(request, sweep: Sweep) -> dict:
    report = sweep_report(sweep)
    return {
        "sweep": sweep,
        "report": report,
        "is_own": sweep.owner_id == request.user.pk,
        "chart": sweep_chart(report),
        "remaining_s": _remaining_s(report),
        "form_query": _form_query(sweep, report),
    }


def _remaining_s(report: SweepReport) -> float | None:
    """Return when the last run is expected to be over, what is ahead of it included."""
    waiting = [cell.run for cell in report.cells if cell.run.status == Run.Status.QUEUED]
    if not waiting:
        return None
    last = max(waiting, key=lambda run: (run.turn_at, run.pk))
    return submission.queue_place(last).expected_wait_s + submission.expected_s(last.effort)


def _form_query(sweep: Sweep, report: SweepReport) -> str:
    """Return the query that opens the run's form with the settings of ``sweep``."""
    query = {
        "version": sweep.version_id,
        "batch_size": ", ".join(map(str, sweep.settings["batch_sizes"])),
        "intra_op_threads": ", ".join(map(str, sweep.settings["intra_op_threads"])),
    }
    if report.cells:
        query["like"] = report.cells[0].run.pk
    return urlencode(query)
