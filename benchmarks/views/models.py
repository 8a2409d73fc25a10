"""The list of models, and what their owner may change about one."""

from dataclasses import asdict

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import F
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from benchmarks import overview, uploads
from benchmarks.forms import SECONDS_PER_HOUR, ModelForm, VersionDetailsForm
from benchmarks.models import ModelVersion, OnnxModel, Run
from benchmarks.views.links import query_without_page

PAGE_LENGTH = 25
ORDER_BY_SORT = {
    "updated": (F("updated_at").desc(),),
    "name": (F("name").asc(),),
    "grams": (F("newest_emission_g").desc(nulls_last=True),),
    "run": (F("newest_run_at").desc(nulls_last=True),),
}


@require_safe
def model_list(request):
    """List one's own models, or the public ones."""
    is_own = request.user.is_authenticated and request.GET.get("show") != "public"
    found = OnnxModel.objects.editable_by(request.user)
    if not is_own:
        found = OnnxModel.objects.visible_to(request.user).filter(visibility="public")
    search = request.GET.get("q", "").strip()[:120]
    sort = request.GET.get("sort")
    sort = sort if sort in ORDER_BY_SORT else "updated"
    found = overview.with_summary(found.filter(name__icontains=search))
    page = Paginator(found.order_by(*ORDER_BY_SORT[sort], "-id"), PAGE_LENGTH).get_page(
        request.GET.get("page")
    )
    context = {
        "page": page,
        "rows": overview.model_rows(list(page)),
        "is_own": is_own,
        "search": search,
        "sort": sort,
        "query": query_without_page(request),
    }
    return render(request, "benchmarks/model_list.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def model_edit(request, pk):
    """Rename a model, or change who may see it."""
    onnx_model = get_object_or_404(OnnxModel.objects.editable_by(request.user), pk=pk)
    form = ModelForm(request.POST or None, instance=onnx_model)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect(onnx_model)
    # The form has put what was typed into its instance; the page is about what is stored.
    stored = get_object_or_404(OnnxModel.objects.editable_by(request.user), pk=pk)
    return render(request, "benchmarks/model_edit.html", {"form": form, "onnx_model": stored})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def model_delete(request, pk):
    """Say what goes with a model, and delete it when that is confirmed."""
    onnx_model = get_object_or_404(OnnxModel.objects.editable_by(request.user), pk=pk)
    if request.method == "POST":
        name = onnx_model.name
        uploads.delete_model(onnx_model)
        messages.success(request, f"“{name}” has been deleted, with its files and its runs.")
        return redirect("models")
    columns = ("number", "label", "size_bytes", "data_bytes", "onnx_model_id")
    versions = list(onnx_model.versions.only(*columns))
    input_sets = list(onnx_model.input_sets.only("size_bytes"))
    context = {
        "onnx_model": onnx_model,
        "versions": versions,
        "size_bytes": sum(one.whole_bytes for one in versions)
        + sum(one.size_bytes for one in input_sets),
        "input_set_count": len(input_sets),
        "run_count": Run.objects.filter(version__onnx_model=onnx_model).count(),
    }
    return render(request, "benchmarks/model_delete.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def version_edit(request, pk):
    """Say anew what no file tells of a version: its label, accuracy and training time."""
    version = _own_version(request, pk)
    title = version.title
    form = VersionDetailsForm(request.POST or None, initial=_typed_details(version))
    if request.method == "POST" and form.is_valid():
        try:
            uploads.change_details(version, **asdict(form.details()))
        except ValidationError as error:
            form.add_problems(error)
        else:
            messages.success(request, f"{version.title} has been saved.")
            return redirect(f"{version.onnx_model.get_absolute_url()}#versions")
    context = {
        "form": form,
        "onnx_model": version.onnx_model,
        "version": version,
        "evaluation": version.evaluation,
        "title": title,
    }
    return render(request, "benchmarks/version_edit.html", context)


@login_required
@require_POST
def version_accuracy_forget(request, pk):
    """Clear the accuracy that a run has measured, so that the one that was typed counts again."""
    version = _own_version(request, pk)
    uploads.change_details(version, evaluation=None)
    messages.success(request, "Cleared. The runs that measured it keep their result.")
    return redirect("version-edit", version.pk)


def _own_version(request, pk) -> ModelVersion:
    versions = ModelVersion.objects.editable_by(request.user)
    return get_object_or_404(versions.select_related("onnx_model", "evaluation"), pk=pk)


def _typed_details(version: ModelVersion) -> dict:
    ratio, training_s = version.accuracy_ratio, version.training_time_s
    return {
        "label": version.label,
        # As it was typed: 0.29 times 100 is not 29 in floats.
        "accuracy_percent": None if ratio is None else f"{ratio * 100:.12g}",
        "training_time_h": None if training_s is None else training_s / SECONDS_PER_HOUR,
    }
