"""How a file comes in: who sends it and how much are checked before a byte of it is read."""

from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseStopPolling

from benchmarks import uploads
from benchmarks.forms import UploadForm, VersionForm
from benchmarks.models import ModelVersion, OnnxModel
from runner.sample_models import lenet5

SAMPLE_NAME = "LeNet-5 (sample)"
LENGTH_WANTED = (
    "Your program did not say how long the request is. Send it with a Content-Length header."
)
LOGIN_WANTED = "You have been logged out. Log in again in another tab, then press Upload once more."


def guarded(view):
    """Let a request through to ``view`` only when its sender and its length are in order.

    Django's own middleware would read the whole body for the CSRF token before any view
    could object. So this outer view is exempt, looks at the headers alone, and hands over
    to the protected view: the order that Django's CSRF documentation gives for uploads.
    """
    protected = csrf_protect(view)

    @csrf_exempt
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def checked(request, *args, **kwargs):
        if not request.user.is_authenticated:
            return _to_login(request)
        if request.method == "POST" and not request.META.get("CONTENT_LENGTH"):
            return refused(request, LENGTH_WANTED, status=411)
        try:
            if request.method == "POST":
                uploads.check_announced_length(request.user, int(request.META["CONTENT_LENGTH"]))
            return protected(request, *args, **kwargs)
        except uploads.UploadTooLarge as error:
            return refused(request, str(error), status=413)
        except uploads.NoRoom as error:
            return refused(request, str(error), status=507)

    return checked


@guarded
def model_new(request):
    """Take a new model with its first version."""
    if request.method != "POST":
        return _page(request, UploadForm())
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            version = uploads.receive_model(
                owner=request.user,
                name=form.cleaned_data["name"],
                visibility=form.cleaned_data["visibility"],
                uploaded=form.cleaned_data["file"],
                details=form.details(),
            )
            return _stored(request, version)
        except ValidationError as error:
            form.add_problems(error)
    return _not_stored(request, form)


@guarded
def version_new(request, pk):
    """Take the next version of a model."""
    onnx_model = get_object_or_404(OnnxModel.objects.editable_by(request.user), pk=pk)
    if request.method != "POST":
        return _page(request, VersionForm(), onnx_model)
    form = VersionForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            version = uploads.receive_version(onnx_model, form.cleaned_data["file"], form.details())
            return _stored(request, version)
        except ValidationError as error:
            form.add_problems(error)
    return _not_stored(request, form, onnx_model)


@login_required
@require_POST
def sample_model(request):
    """Give the user a small model to try the site with, once."""
    own = OnnxModel.objects.editable_by(request.user).filter(name=SAMPLE_NAME)
    if own.exists():
        return redirect(own.get())
    try:
        uploads.receive_model(
            owner=request.user,
            name=SAMPLE_NAME,
            visibility=OnnxModel.Visibility.PRIVATE,
            uploaded=uploads.received_from_bytes(lenet5(), "lenet5.onnx"),
        )
        messages.success(request, "This is LeNet-5, a small reader of handwritten digits.")
    except (uploads.UploadTooLarge, uploads.NoRoom) as refusal:
        messages.error(request, str(refusal))
        return redirect("models")
    # Of two clicks at once the other one was first.
    except ValidationError:
        pass
    return redirect(own.get())


@require_safe
def version_status(request, pk):
    """Answer how far the inspection is; with HTTP 286 once there is nothing left to wait for."""
    version = get_object_or_404(
        ModelVersion.objects.visible_to(request.user).select_related("onnx_model"), pk=pk
    )
    response = render(request, "benchmarks/_version_status.html", {"version": version})
    if version.status == ModelVersion.Status.INSPECTING:
        return response
    return HttpResponseStopPolling(response.content, headers={"HX-Refresh": "true"})


def _wants_json(request) -> bool:
    return request.headers.get("Accept") == "application/json"


def _to_login(request):
    if _wants_json(request):
        return JsonResponse({"errors": {"file": [LOGIN_WANTED]}}, status=401)
    return redirect_to_login(request.get_full_path())


def refused(request, sentence: str, *, status: int):
    """Answer that nothing was taken, and why, as a page or as JSON."""
    if _wants_json(request):
        return JsonResponse({"errors": {"file": [sentence]}}, status=status)
    context = {"refusal": sentence}
    return render(request, "benchmarks/upload_refused.html", context, status=status)


def _stored(request, version: ModelVersion):
    if _wants_json(request):
        return JsonResponse({"url": version.onnx_model.get_absolute_url()}, status=201)
    return redirect(version.onnx_model)


def _not_stored(request, form, onnx_model=None):
    if not _wants_json(request):
        return _page(request, form, onnx_model, status=400)
    errors = {name: list(problems) for name, problems in form.errors.items()}
    existing = _existing_model(request, form)
    existing_url = reverse("version-new", args=[existing.pk]) if existing else None
    return JsonResponse({"errors": errors, "existing_url": existing_url}, status=400)


def _page(request, form, onnx_model=None, status=200):
    own_models = OnnxModel.objects.editable_by(request.user)
    limits = {
        "limit_bytes": uploads.upload_limit_bytes(request.user),
        "site_limit_bytes": settings.MAX_UPLOAD_BYTES,
        "quota_left_bytes": uploads.remaining_quota_bytes(request.user),
    }
    address_by_name = {
        name: reverse("version-new", args=[pk]) for name, pk in own_models.values_list("name", "pk")
    }
    context = {
        "form": form,
        "onnx_model": onnx_model,
        "existing_model": _existing_model(request, form),
        "limits": limits,
        "page_facts": {**limits, "address_by_name": {} if onnx_model else address_by_name},
    }
    return render(request, "benchmarks/upload.html", context, status=status)


def _existing_model(request, form) -> OnnxModel | None:
    """Return the user's model that has the name which was refused."""
    if not form.is_bound or not form.has_error("name", code="name_taken"):
        return None
    name = form.cleaned_data.get("name") or form.data.get("name", "").strip()
    return OnnxModel.objects.editable_by(request.user).filter(name=name).first()
