"""The first page: what this is, or what is mine."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from benchmarks import overview
from benchmarks.models import OnnxModel

PUBLIC_MODEL_COUNT = 8


@require_safe
def home(request):
    """Greet a visitor with a result, a user with their own."""
    if request.user.is_authenticated:
        return _own_home(request)
    public = overview.with_summary(OnnxModel.objects.visible_to(request.user))
    context = {
        "card": overview.showcase_card(),
        "rows": overview.model_rows(public.order_by("-updated_at")[:PUBLIC_MODEL_COUNT]),
    }
    return render(request, "benchmarks/welcome.html", context)


def _own_home(request):
    context = {
        "cards": overview.latest_run_cards(request.user),
        "sweeps": overview.latest_sweeps(request.user),
        "step": overview.next_step(request.user),
        "queue": overview.queue_status(request.user),
    }
    return render(request, "benchmarks/home.html", context)
