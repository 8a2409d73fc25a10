"""One run in every country: what it would emit there, lowest to highest, and over the years."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from benchmarks.models import Estimate, Run
from footprint.emissions import emission_g
from hardware.models import CarbonIntensity, Zone
from hardware.querysets import NEWEST_FIRST, WORLD_CODE

COUNTRIES, CLOUD, EVERYTHING = "countries", "cloud", "all"
MEASURE_LABELS = {one.value: one.page_label for one in CarbonIntensity.Measure}


@dataclass(frozen=True, slots=True)
class Place:
    """What one inference emits with the electricity of one zone and year.

    ``rank`` counts from 1 up; the world's average has none: 0.
    """

    zone: Zone
    year: int
    g_per_kwh: float
    measure: str
    source: str
    emission_g: float
    is_mine: bool = False
    rank: int = 0
    # Of the dirtiest place shown, 0 to 100: for the bar.
    share_percent: float = 0.0

    @property
    def measure_label(self) -> str:
        return MEASURE_LABELS[self.measure]


@dataclass(frozen=True, slots=True)
class Group:
    """Which zones are ranked together: a key for the address, and a name."""

    key: str
    label: str


class Ranking:
    """A run's energy under the electricity of every zone."""

    def __init__(self, run: Run):
        self.run = run
        self.estimate: Estimate = run.estimate
        origin = self.estimate.assumed.intensity
        self.my_code, self.my_name = origin.asked_zone, origin.asked_zone_name
        self.zones = {zone.pk: zone for zone in Zone.objects.select_related("parent")}
        self._rows: dict[str, list[CarbonIntensity]] = {}
        for row in CarbonIntensity.objects.order_by("zone_id", *NEWEST_FIRST):
            self._rows.setdefault(row.zone_id, []).append(row)

    @property
    def is_borrowed(self) -> bool:
        """Whether the run's place has no figure at all, so that the world's stands in for it."""
        return self.my_code not in self._rows

    @property
    def marked_code(self) -> str:
        """The zone marked as the run's: its own, or the world for one without a figure."""
        return WORLD_CODE if self.is_borrowed else self.my_code

    @cached_property
    def groups(self) -> list[Group]:
        """The choices of what to rank: countries, the parts of each, cloud regions, all."""
        parents = {
            zone.parent_id: zone.parent.name
            for zone in self.zones.values()
            if zone.kind == Zone.Kind.SUBDIVISION and zone.parent_id
        }
        parts = [
            Group(code, f"Parts of {name}")
            for code, name in sorted(parents.items(), key=lambda item: item[1])
        ]
        return [
            Group(COUNTRIES, "Countries"),
            *parts,
            Group(CLOUD, "Cloud regions"),
            Group(EVERYTHING, "Everything"),
        ]

    def years(self, group: str) -> list[int]:
        """Return the years for which a zone of the group has a figure, newest first."""
        codes = [zone.pk for zone in self._members(group)]
        return sorted(
            {row.year for code in codes for row in self._rows.get(code, ())}, reverse=True
        )

    def places(self, group: str, *, year: int | None = None) -> list[Place]:
        """Return the zones of the group that have a figure, lowest first, mine and the world's too.

        Without a year each zone counts with its newest figure.
        """
        found = [self._place(zone, year) for zone in self._members(group)]
        places = sorted(
            (place for place in found if place), key=lambda one: (one.emission_g, one.zone.name)
        )
        most_g = max((place.emission_g for place in places), default=0.0)
        ranks = itertools.count(1)
        return [
            replace(
                place,
                rank=0 if place.zone.pk == WORLD_CODE else next(ranks),
                share_percent=100 * place.emission_g / most_g if most_g else 0.0,
            )
            for place in places
        ]

    def missing(self, group: str) -> list[Zone]:
        """Return the zones of the group that have no figure at all."""
        return [zone for zone in self._members(group) if zone.pk not in self._rows]

    def over_the_years(self, code: str) -> list[Place]:
        """Return the run in one zone, one place a year, oldest first; empty without figures."""
        zone = self.zones.get(code)
        if zone is None:
            return []
        # Of one year's figures the first is the most complete way of counting.
        by_year: dict[int, CarbonIntensity] = {}
        for row in self._rows.get(code, ()):
            by_year.setdefault(row.year, row)
        return [self._as_place(zone, by_year[year]) for year in sorted(by_year)]

    def _members(self, group: str) -> Iterable[Zone]:
        return [zone for zone in self.zones.values() if self._belongs(zone, group)]

    def _belongs(self, zone: Zone, group: str) -> bool:
        if zone.pk in (self.my_code, WORLD_CODE) or group == EVERYTHING:
            return True
        if group == COUNTRIES:
            return zone.kind == Zone.Kind.COUNTRY
        if group == CLOUD:
            return zone.kind == Zone.Kind.CLOUD_REGION
        return zone.kind == Zone.Kind.SUBDIVISION and zone.parent_id == group

    def _place(self, zone: Zone, year: int | None) -> Place | None:
        rows = self._rows.get(zone.pk, ())
        row = next((one for one in rows if year in (None, one.year)), None)
        return self._as_place(zone, row) if row else None

    def _as_place(self, zone: Zone, row: CarbonIntensity) -> Place:
        return Place(
            zone=zone,
            year=row.year,
            g_per_kwh=row.g_per_kwh,
            measure=row.measure,
            source=row.source,
            emission_g=emission_g(self.estimate.energy_kwh, row.g_per_kwh),
            is_mine=zone.pk == self.marked_code,
        )
