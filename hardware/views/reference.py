"""The public reference pages: what electricity costs in carbon, what processors draw, and more."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from hardware.figures import figures_in_force
from hardware.matching import MAX_NAME_LENGTH, match_processors
from hardware.models import CarbonIntensity, Processor, Zone
from hardware.published import as_ram_model
from hardware.querysets import NEWEST_FIRST
from hardware.table_csv import table_lines
from hardware.table_pages import PAGE_BY_SLUG, PAGES, TablePage
from hardware.tables import TABLE_BY_SLUG

ROWS_PER_PAGE = 50
RAM_SIZES_GB = (8, 64, 512)
CC_BY = "https://creativecommons.org/licenses/by/4.0/"


@require_safe
def reference(request):
    """Search all tables; one at a time is shown, sorted as asked."""
    query = request.GET.get("q", "").strip()[:100]
    counts = {page.slug: page.find(query).count() for page in PAGES}
    table = PAGE_BY_SLUG.get(request.GET.get("table")) or _first_with_rows(counts)
    sort = request.GET.get("sort", "")
    page = Paginator(table.rows(query, sort), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    if table.slug == "zones":
        _name_measures(page)
    if table.slug == "ram-models":
        _tell_powers(page)
    context = {
        "query": query,
        "table": table,
        "tabs": [(one, counts[one.slug]) for one in PAGES],
        "page": page,
        "headings": table.sort_links(query, sort),
        "partial": f"hardware/_table_{table.slug.replace('-', '_')}.html",
        "query_start": urlencode({"q": query, "table": table.slug, "sort": sort}) + "&",
    }
    return render(request, "hardware/reference.html", context)


@require_safe
def machine_match(request):
    """Which rows a machine's own words may mean, best first, or honestly none."""
    said = request.GET.get("name", "").strip()[:MAX_NAME_LENGTH]
    matches = match_processors(Processor.objects.all(), said) if said else []
    return render(request, "hardware/machine_match.html", {"said": said, "matches": matches})


@require_safe
def table_csv(request, slug):
    """A whole table, in the columns that it can be loaded from again."""
    if slug not in TABLE_BY_SLUG:
        raise Http404("There is no such table.")
    table = TABLE_BY_SLUG[slug]
    answer = StreamingHttpResponse(table_lines(table), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{table.file_name}"'
    if table.slug == "intensities":
        # Each line names its source; this names the licence of the countries' figures.
        answer["Link"] = f'<{CC_BY}>; rel="license"'
    return answer


@require_safe
def zone_detail(request, code):
    """A zone's figure first, then its years, each row with its source."""
    zone = get_object_or_404(Zone.objects.select_related("parent"), pk=code)
    rows = list(zone.intensities.select_related("edited_by", "loaded_by").order_by(*NEWEST_FIRST))
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
    processor = get_object_or_404(Processor.objects.select_related("edited_by", "loaded_by"), pk=pk)
    return render(request, "hardware/processor_detail.html", {"processor": processor})


def _first_with_rows(counts: dict[str, int]) -> TablePage:
    return next((page for page in PAGES if counts[page.slug]), PAGES[0])


def _tell_powers(rows) -> None:
    """Give each RAM model of ``rows`` its watts for a few sizes."""
    for row in rows:
        model = as_ram_model(row)
        row.powers_w = [model.power_w(size_gb) for size_gb in RAM_SIZES_GB]


def _point(row: CarbonIntensity) -> dict:
    return {
        "year": row.year,
        "g_per_kwh": row.g_per_kwh,
        "measure": CarbonIntensity.Measure(row.measure).page_label,
        "source": row.source,
    }


def _name_measures(zones):
    """Give each of ``zones`` the words for its latest measure."""
    labels = {one.value: one.page_label for one in CarbonIntensity.Measure}
    for zone in zones:
        zone.latest_measure_name = labels.get(zone.latest_measure, "")
    return zones
