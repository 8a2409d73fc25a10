"""A run in every country: the ranking, one country over the years, and the file."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.read_limit import costly
from benchmarks import exports
from benchmarks.models import Run
from benchmarks.overview import HEAVY_COLUMNS
from benchmarks.ranking import COUNTRIES, Place, Ranking
from hardware.models import Zone
from hardware.querysets import plain_search_text


@require_safe
@costly
def countries(request, pk):
    """Rank the places by what this run would emit there; search, choose a group and a year."""
    ranking = _ranking(request, pk)
    group, year = _group(request, ranking), _year(request, ranking)
    places = ranking.places(group, year=year)
    query = request.GET.get("q", "").strip()[:100]
    code = _zone_code(request, ranking)
    years = ranking.over_the_years(code)
    context = {
        "run": ranking.run,
        "ranking": ranking,
        "group": group,
        "year": year,
        "years": ranking.years(group),
        "query": query,
        "places": _found(places, query),
        "place_count": len(places),
        "ranked_count": max((place.rank for place in places), default=0),
        "mine": next((place for place in places if place.is_mine), None),
        "missing": ranking.missing(group),
        "shown_zone": ranking.zones.get(code),
        "over_the_years": years,
        "points": [_point(place) for place in years],
    }
    return render(request, "benchmarks/run_countries.html", context)


@require_safe
@costly
def countries_file(request, pk):
    """Give the ranking as a CSV file."""
    ranking = _ranking(request, pk)
    places = ranking.places(_group(request, ranking), year=_year(request, ranking))
    text = exports.ranking_csv(places, energy_kwh=ranking.estimate.energy_kwh)
    headers = {"Content-Disposition": 'attachment; filename="run-by-country.csv"'}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


def _ranking(request, pk) -> Ranking:
    runs = Run.objects.visible_to(request.user).with_results().defer(*HEAVY_COLUMNS)
    run = get_object_or_404(runs, pk=pk)
    if run.estimate is None:
        raise Http404("This run has no result, so there is nothing to rank.")
    return Ranking(run)


def _group(request, ranking: Ranking) -> str:
    asked = request.GET.get("group")
    return asked if asked in {one.key for one in ranking.groups} else COUNTRIES


def _year(request, ranking: Ranking) -> int | None:
    """Return the year asked for; None, for each zone's newest, where it is not known."""
    known = {str(year): year for year in ranking.years(_group(request, ranking))}
    return known.get(request.GET.get("year", ""))


def _zone_code(request, ranking: Ranking) -> str:
    asked = request.GET.get("zone")
    return asked if asked in ranking.zones else ranking.marked_code


def _found(places: list[Place], query: str) -> list[Place]:
    words = plain_search_text(query).casefold().split()
    return [place for place in places if all(word in _text_of(place.zone) for word in words)]


def _text_of(zone: Zone) -> str:
    country = zone.parent.name if zone.parent_id else ""
    # Cut off where a search ends too; no zone's name is nearly as long.
    return plain_search_text(f"{zone.name} {zone.pk} {country}").casefold()


def _point(place: Place) -> dict:
    return {
        "year": place.year,
        "emission_g": place.emission_g,
        "g_per_kwh": place.g_per_kwh,
        "measure": place.measure_label,
        "source": place.source,
    }
