"""The API of rankings: a run with the electricity of every place, and of one over the years."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from benchmarks.api.whatif import NoResult
from benchmarks.models import Run
from benchmarks.overview import HEAVY_COLUMNS
from benchmarks.ranking import COUNTRIES, Place, Ranking

QUESTION = (
    ("group", "What is ranked: countries (the default), cloud, all, or a country's parts: USA."),
    ("year", "The year of all figures; left out, each place counts with its newest."),
    ("zone", "Whose years are listed; left out, those of the run's own place."),
)
PARAMETERS = [OpenApiParameter(name, description=text) for name, text in QUESTION]


class PlaceSerializer(serializers.Serializer):
    """One inference with the electricity of one place and year."""

    rank = serializers.IntegerField(allow_null=True, help_text="Null for the world's average.")
    zone = serializers.CharField(source="zone.pk")
    name = serializers.CharField(source="zone.name")
    kind = serializers.CharField(source="zone.kind")
    parent = serializers.CharField(source="zone.parent_id", allow_null=True)
    year = serializers.IntegerField()
    g_per_kwh = serializers.FloatField()
    measure = serializers.CharField()
    source = serializers.CharField()
    emission_g = serializers.FloatField()
    is_mine = serializers.BooleanField(
        help_text="The run's own place, or the world where that has no figure."
    )

    def to_representation(self, place: Place) -> dict:
        """Return the JSON of ``place``; the world's average has no rank."""
        return {**super().to_representation(place), "rank": place.rank or None}


class RankingSerializer(serializers.Serializer):
    """A run in every place of a group, the cleanest first."""

    run = serializers.UUIDField()
    energy_kwh = serializers.FloatField(help_text="Of one inference, the same everywhere.")
    group = serializers.CharField()
    groups = serializers.ListField(child=serializers.CharField())
    year = serializers.IntegerField(allow_null=True)
    places = PlaceSerializer(many=True)
    without_figure = serializers.ListField(
        child=serializers.CharField(), help_text="Zones that the world's figure stands in for."
    )
    zone = serializers.CharField()
    over_the_years = PlaceSerializer(many=True, help_text="Of that zone, oldest first.")


class RunCountries(GenericAPIView):
    """A finished run with the electricity of every place."""

    queryset = Run.objects.with_results().defer(*HEAVY_COLUMNS)
    serializer_class = RankingSerializer
    pagination_class = None
    more_problem_statuses = ("409",)

    def get_queryset(self):
        """Runs that the user may see."""
        return super().get_queryset().visible_to(self.request.user)

    @extend_schema(
        operation_id="runs_countries", parameters=PARAMETERS, responses={200: RankingSerializer}
    )
    def get(self, request, pk):
        """Rank the places by what this run would emit there; nothing is stored."""
        run = get_object_or_404(self.get_queryset(), pk=pk)
        if run.estimate is None:
            raise NoResult()
        ranking = Ranking(run)
        return Response(self.get_serializer(_shape(ranking, request.query_params)).data)


def _shape(ranking: Ranking, asked) -> dict:
    groups = [one.key for one in ranking.groups]
    group = _one_of(groups, asked.get("group") or COUNTRIES, "group")
    years = {str(year): year for year in ranking.years(group)}
    year = years[_one_of(years, asked["year"], "year")] if asked.get("year") else None
    zone = _one_of(ranking.zones, asked.get("zone") or ranking.marked_code, "zone")
    return {
        "run": ranking.run.pk,
        "energy_kwh": ranking.estimate.energy_kwh,
        "group": group,
        "groups": groups,
        "year": year,
        "places": ranking.places(group, year=year),
        "without_figure": [one.pk for one in ranking.missing(group)],
        "zone": zone,
        "over_the_years": ranking.over_the_years(zone),
    }


def _one_of(known, asked: str, field: str) -> str:
    if asked not in known:
        raise ValidationError({field: f"There is no {field} “{asked[:40]}” to rank."})
    return asked
