"""What a model's runs are fed: the sizes saved with it, and the real inputs that lie with it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.http import FileResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from benchmarks import input_choices
from benchmarks.forms import RealInputsForm, SavedInputsForm
from benchmarks.input_sets import (
    delete_input_set,
    input_limit_bytes,
    items_misfit_of,
    misfit_of,
    receive_input_set,
)
from benchmarks.models import InputSet, ModelVersion, OnnxModel
from benchmarks.views.uploads import guarded


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def model_inputs(request, pk):
    """Show what is saved with a model, and save sizes and ranges."""
    onnx_model = _own_model(request, pk)
    version = onnx_model.newest_ready_version
    form = SavedInputsForm(request.POST or None, version=version) if version else None
    if form is not None and request.method == "POST" and form.is_valid():
        try:
            input_choices.save(onnx_model, form.choices())
            messages.success(request, "Saved. Runs begin with these sizes and ranges from now on.")
            return redirect("model-inputs", onnx_model.pk)
        except ValidationError as error:
            form.add_problems(error)
    return _page(request, onnx_model, form=form)


@login_required
@require_POST
def inputs_forget(request, pk):
    """Go back to the guesses."""
    onnx_model = _own_model(request, pk)
    input_choices.save(onnx_model, {})
    messages.success(request, "Back to the guesses: nothing is saved with the model any more.")
    return redirect("model-inputs", onnx_model.pk)


@guarded
def input_set_new(request, pk):
    """Take real inputs."""
    onnx_model = _own_model(request, pk)
    if request.method != "POST":
        return redirect("model-inputs", onnx_model.pk)
    try:
        input_set = receive_input_set(onnx_model, request.FILES.getlist("file"))
    except ValidationError as error:
        upload_form = RealInputsForm(request.POST)
        upload_form.add_problems(error)
        return _page(request, onnx_model, upload_form=upload_form)
    messages.success(request, f"“{input_set.name}” is stored with the model.")
    return redirect("model-inputs", onnx_model.pk)


@require_safe
@login_required
def input_set_file(request, pk, set_pk):
    """Give real inputs back to their owner."""
    found = InputSet.objects.visible_to(request.user).filter(onnx_model_id=pk)
    input_set = get_object_or_404(found, pk=set_pk)
    return FileResponse(
        default_storage.open(input_set.file.name),
        as_attachment=True,
        filename=f"{slugify(input_set.name) or 'inputs'}.npz",
        content_type="application/octet-stream",
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def input_set_delete(request, pk, set_pk):
    """Say what goes with real inputs, and delete them when that is confirmed."""
    found = InputSet.objects.editable_by(request.user).filter(onnx_model_id=pk)
    input_set = get_object_or_404(found.select_related("onnx_model"), pk=set_pk)
    if request.method == "POST":
        delete_input_set(input_set)
        messages.success(request, f"“{input_set.name}” has been deleted.")
        return redirect("model-inputs", pk)
    context = {
        "input_set": input_set,
        "onnx_model": input_set.onnx_model,
        "run_count": input_set.runs.count(),
        "waiting_count": input_set.runs.filter(status="queued").count(),
    }
    return render(request, "benchmarks/input_set_delete.html", context)


def _own_model(request, pk) -> OnnxModel:
    return get_object_or_404(OnnxModel.objects.editable_by(request.user), pk=pk)


def _page(request, onnx_model: OnnxModel, form=None, upload_form=None):
    version = onnx_model.newest_ready_version
    if form is None and version is not None:
        form = SavedInputsForm(version=version)
    upload_form = upload_form or RealInputsForm()
    sets = onnx_model.input_sets.all()
    context = {
        "onnx_model": onnx_model,
        "version": version,
        "form": form,
        "upload_form": upload_form,
        "input_sets": [_row(version, one) for one in sets],
        "limits": {"limit_bytes": input_limit_bytes(request.user)},
    }
    is_refused = upload_form.errors or form is not None and form.errors
    return render(request, "benchmarks/inputs.html", context, status=400 if is_refused else 200)


def _row(version: ModelVersion | None, input_set: InputSet) -> tuple[InputSet, str, bool, bool]:
    """Real inputs, why they are of no use, and whether they can be run and evaluated."""
    if version is None:
        return input_set, "", False, False
    misfit = misfit_of(version, input_set)
    items_misfit = items_misfit_of(version, input_set)
    can_evaluate = input_set.has_labels and not items_misfit
    reason = items_misfit if input_set.has_labels else misfit
    return input_set, reason if misfit and not can_evaluate else "", not misfit, can_evaluate
