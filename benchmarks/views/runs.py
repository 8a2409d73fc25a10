"""Asking for a run, watching it, reading its result."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseStopPolling

from benchmarks import charts, reproduction, submission
from benchmarks.breakdown import breakdown_of
from benchmarks.forms import RunForm
from benchmarks.input_fields import inputs_fed
from benchmarks.input_sets import input_limit_bytes, receive_input_set
from benchmarks.models import ModelVersion, OnnxModel, Run
from benchmarks.overview import HEAVY_COLUMNS
from benchmarks.reports import report_of
from benchmarks.views.pages import in_order, page_of
from benchmarks.views.uploads import guarded
from benchmarks.views.whatif import whatif_context
from hardware.models import HardwareProfile

PAGE_LENGTH = 50


@require_safe
@login_required
def run_list(request):
    """List one's own runs, newest first."""
    runs = Run.objects.with_results().defer(*HEAVY_COLUMNS)
    page = page_of(
        Run.objects.editable_by(request.user).order_by("-queued_at", "-id"),
        request.GET.get("page"),
        length=PAGE_LENGTH,
        read=lambda ids: in_order(runs, ids),
    )
    return render(request, "benchmarks/run_list.html", {"page": page})


@guarded
def run_new(request, pk):
    """Ask for a run of one of one's own models."""
    onnx_model = get_object_or_404(OnnxModel.objects.editable_by(request.user), pk=pk)
    version = _chosen_version(request, onnx_model)
    like = _run_to_follow(request, onnx_model)
    form = _run_form(request, version, like)
    if form is not None and request.method == "POST" and form.is_valid():
        try:
            return redirect(form.submit(request.user))
        except ValidationError as error:
            form.add_problems(error)
    context = {
        "form": form,
        "onnx_model": onnx_model,
        "version": version,
        "newest": onnx_model.latest_version,
        "like": like,
        "has_profile": HardwareProfile.objects.visible_to(request.user).exists(),
        "has_own_profile": HardwareProfile.objects.editable_by(request.user).exists(),
        "page_facts": {
            "limit_bytes": input_limit_bytes(request.user),
            "whole_sets": form.whole_sets if form else [],
            "evaluation_sets": form.evaluation_sets if form else [],
        },
    }
    status = 400 if form is not None and form.is_bound and form.errors else 200
    return render(request, "benchmarks/run_new.html", context, status=status)


@require_safe
def run_page(request, pk):
    """Show a run: what it is waiting for, what it found, or why it found nothing."""
    run = _visible_run(request, pk)
    report, files = report_of(run), reproduction.files_for(run, request.user)
    breakdown = breakdown_of(report.measurement, report.estimate.emission_g) if report else None
    context = {
        "run": run,
        "report": report,
        "breakdown": breakdown,
        "breakdown_chart": charts.breakdown_chart(breakdown) if breakdown else None,
        "is_own": run.owner_id == request.user.pk,
        "is_in_force": run.version.evaluation_id == run.pk,
        "histogram": charts.histogram_chart(report.bins) if report else None,
        "whatif": whatif_context(request, run) if report else None,
        "inputs_fed": report.measurement.inputs_used if report else inputs_fed(run),
        "bundle_name": reproduction.bundle_name(run),
        "has_model": reproduction.MODEL_NAME in files,
        "has_values": reproduction.VALUES_NAME in files,
        **_live_state(run),
    }
    return render(request, "benchmarks/run.html", context)


@require_safe
def run_status(request, pk):
    """Answer how far the run is; with HTTP 286 once it is over."""
    run = _visible_run(request, pk)
    context = {"run": run, "is_own": run.owner_id == request.user.pk, **_live_state(run)}
    response = render(request, "benchmarks/_run_status.html", context)
    if not run.is_over:
        return response
    return HttpResponseStopPolling(response.content, headers={"HX-Refresh": "true"})


@login_required
@require_POST
def run_cancel(request, pk):
    """Cancel one of one's own runs."""
    run = get_object_or_404(Run.objects.editable_by(request.user), pk=pk)
    if not Run.objects.cancel(run.pk):
        messages.info(request, "The run was over already, so there was nothing to cancel.")
    return redirect(run)


@login_required
@require_POST
def run_again(request, pk):
    """Queue the same measurement once more."""
    run = _visible_run(request, pk)
    if run.version.onnx_model.owner_id != request.user.pk:
        raise Http404("Only the owner of a model runs it.")
    try:
        return redirect(submission.submit_again(run, request.user))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("run-new", run.version.onnx_model_id)


def _visible_run(request, pk) -> Run:
    return get_object_or_404(Run.objects.visible_to(request.user).with_results(), pk=pk)


def _chosen_version(request, onnx_model: OnnxModel) -> ModelVersion | None:
    """Return the version asked for, else the newest that can be measured."""
    ready = onnx_model.versions.filter(status=ModelVersion.Status.READY).order_by("-number")
    asked = request.POST.get("version") or request.GET.get("version")
    by_id = {str(version.pk): version for version in ready}
    return by_id.get(asked) or next(iter(by_id.values()), None)


def _run_to_follow(request, onnx_model: OnnxModel) -> Run | None:
    """Return the run whose settings the form begins with: the one asked for, else the last good.

    The same settings from version to version are what makes a history comparable.
    """
    runs = Run.objects.editable_by(request.user).filter(version__onnx_model=onnx_model)
    try:
        asked = runs.filter(pk=request.GET["like"]).first() if "like" in request.GET else None
    except ValidationError:
        raise Http404("That is no run's id.") from None
    return asked or runs.done().order_by("-queued_at").first()


def _run_form(request, version: ModelVersion | None, like: Run | None) -> RunForm | None:
    if version is None:
        return None
    posted, problem = _posted_with_stored_files(request, version.onnx_model)
    asked = ("profile", "values", "measures_accuracy", "batch_size", "intra_op_threads")
    initial = {name: request.GET[name] for name in asked if name in request.GET}
    if "values" in initial:
        # Of an earlier run's wishes none is left where other inputs are asked for.
        initial.setdefault("measures_accuracy", False)
    form = RunForm(
        posted,
        user=request.user,
        version=version,
        like=like,
        is_like_asked_for="like" in request.GET,
        initial=initial,
    )
    if problem is not None:
        form.add_problems(problem)
    return form


def _posted_with_stored_files(request, onnx_model: OnnxModel):
    """Return what was typed, real inputs that came with it chosen, and what is wrong with them.

    Stored before anything else is looked at: whatever must be mended then, nobody has to send
    the files again.
    """
    if request.method != "POST":
        return None, None
    posted = request.POST.copy()
    files = request.FILES.getlist("file")
    if not files:
        return posted, None
    try:
        input_set = receive_input_set(onnx_model, files)
    except ValidationError as error:
        return posted, error
    posted["values"] = str(input_set.pk)
    return posted, None


def _live_state(run: Run) -> dict:
    if run.is_over:
        return {}
    expected_s = submission.MEASURING_S_BY_EFFORT[run.effort] + submission.OVERHEAD_S
    longest_s = submission.LONGEST_MEASURING_S_BY_EFFORT[run.effort] + submission.OVERHEAD_S
    if run.status == Run.Status.QUEUED:
        return {"place": submission.queue_place(run), "expected_s": expected_s}
    # The worker that noted the start may have another clock.
    elapsed_s = max(0.0, (timezone.now() - run.started_at).total_seconds())
    return {
        "elapsed_s": elapsed_s,
        "expected_s": expected_s,
        # How long an evaluation set takes depends on its length, which nobody has foreseen.
        "is_late": elapsed_s > longest_s and run.phase != "evaluating",
        "progress_percent": min(100, round(100 * elapsed_s / expected_s)),
    }
