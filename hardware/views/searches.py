"""The short JSON answers behind the form's search boxes."""

from django.http import JsonResponse
from django.views.decorators.http import require_safe

from footprint.units import format_number
from hardware.figures import figures_in_force
from hardware.models import CarbonIntensity, Processor, Zone

ANSWER_LIMIT = 20


@require_safe
def processor_search(request):
    """CPUs or GPUs that match what was typed, best first."""
    rows = Processor.objects.filter(kind=request.GET.get("kind", ""))
    found = rows.search(request.GET.get("q", ""))[:ANSWER_LIMIT]
    return JsonResponse({"results": [_processor_option(row) for row in found]})


@require_safe
def zone_search(request):
    """Countries and regions that match what was typed, best first, each with its figure."""
    found = list(Zone.objects.search(request.GET.get("q", ""))[:ANSWER_LIMIT])
    figures = figures_in_force(found)
    return JsonResponse({"results": [_zone_option(figures[zone.pk]) for zone in found]})


def _processor_option(row: Processor) -> dict:
    return {
        "value": str(row),
        "label": str(row),
        "detail": f"{format_number(row.tdp_w)} W",
        "name": row.name,
        "tdp_w": row.tdp_w,
        "source": row.source,
    }


def _zone_option(figure) -> dict:
    row = None if figure.is_fallback else figure.row
    return {
        "value": figure.zone.pk,
        "label": figure.zone.name,
        "detail": _spoken_figure(row) if row else "no figure of its own",
        "sentence": figure.sentence,
        "is_fallback": figure.is_fallback,
    }


def _spoken_figure(row: CarbonIntensity) -> str:
    return f"{format_number(row.g_per_kwh)} g/kWh, {row.measure_words}"
