"""The public reference pages: what electricity costs in carbon, and what processors draw."""

from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from hardware.figures import figures_in_force
from hardware.models import CarbonIntensity, Processor, Zone
from hardware.querysets import NEWEST_FIRST

ROWS_PER_PAGE = 50


@require_safe
def reference(request):
    """Search countries, regions and processors; one table at a time."""
    query = request.GET.get("q", "").strip()[:100]
    zones = Zone.objects.search(query).select_related("parent")
    processors = Processor.objects.search(query)
    counts = {"zones": zones.count(), "processors": processors.count()}
    table = request.GET.get("table")
    if table not in counts:
        table = "processors" if counts["processors"] and not counts["zones"] else "zones"
    rows = zones.with_latest() if table == "zones" else processors
    page = Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    if table == "zones":
        _name_measures(page)
    context = {"query": query, "table": table, "counts": counts, "page": page}
    return render(request, "hardware/reference.html", context)


@require_safe
def zone_detail(request, code):
    """A zone's figure first, then its years, each row with its source."""
    zone = get_object_or_404(Zone.objects.select_related("parent"), pk=code)
    rows = list(zone.intensities.select_related("edited_by").order_by(*NEWEST_FIRST))
    context = {
        "zone": zone,
        "rows": rows,
        "figure": figures_in_force([zone])[zone.pk],
        "points": [_point(row) for row in reversed(rows)],
        "parts": _name_measures(Zone.objects.filter(parent=zone).with_latest()),
    }
    return render(request, "hardware/zone_detail.html", context)


@require_safe
def processor_detail(request, pk):
    """A processor's rated power first, then where the figure is from."""
    processor = get_object_or_404(Processor.objects.select_related("edited_by"), pk=pk)
    return render(request, "hardware/processor_detail.html", {"processor": processor})


def _point(row: CarbonIntensity) -> dict:
    return {
        "year": row.year,
        "g_per_kwh": row.g_per_kwh,
        "measure": row.get_measure_display(),
        "source": row.source,
    }


def _name_measures(zones):
    """Give each of ``zones`` the words for its latest measure."""
    labels = dict(CarbonIntensity.Measure.choices)
    for zone in zones:
        zone.latest_measure_name = labels.get(zone.latest_measure, "")
    return zones
