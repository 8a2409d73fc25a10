"""What a stored estimate would rest on under other factors: elsewhere, or at today's tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from footprint.ram import ram_power_w
from hardware.assumptions import (
    TYPED,
    PowerOrigin,
    SourcedAssumptions,
    intensity_origin,
    recent_intensity,
)
from hardware.models import CarbonIntensity, Processor, Zone
from hardware.querysets import NEWEST_FIRST, WORLD_CODE


class NoFigure(ValueError):
    """The zone has no carbon intensity for the year asked for; the message names its years."""


@dataclass(frozen=True, slots=True)
class IntensityTable:
    """The figures of some zones and of the world, newest first, read in one query."""

    rows_by_zone: dict[str, list[CarbonIntensity]]

    @classmethod
    def of(cls, zone_codes: Iterable[str]) -> "IntensityTable":
        """Read the figures of the zones with these codes."""
        rows = CarbonIntensity.objects.filter(zone_id__in={*zone_codes, WORLD_CODE})
        rows_by_zone: dict[str, list[CarbonIntensity]] = {}
        for row in rows.select_related("zone").order_by(*NEWEST_FIRST):
            rows_by_zone.setdefault(row.zone_id, []).append(row)
        return cls(rows_by_zone)

    def rows_for(self, code: str) -> list[CarbonIntensity]:
        """Return the zone's own figures, or the world's where it has none."""
        return self.rows_by_zone.get(code) or self.rows_by_zone.get(WORLD_CODE, [])

    def row_for(self, zone: Zone, *, year: int | None = None) -> CarbonIntensity:
        """Return the figure in force for ``zone``, or that of ``year``.

        Raises NoFigure when there is none.
        """
        rows = self.rows_for(zone.pk)
        found = next((row for row in rows if year in (None, row.year)), None)
        if found is None:
            raise NoFigure(_no_figure(zone, rows, year))
        return found


def all_elsewhere(
    all_assumed: Sequence[SourcedAssumptions], *, zone: Zone | None, year: int | None
) -> list[SourcedAssumptions]:
    """Return each of these with the electricity of another zone, another year, or both.

    Raises NoFigure when there is no carbon intensity for that.
    """
    if zone is None and year is None:
        return list(all_assumed)
    asked = [
        zone or Zone(one.intensity.asked_zone, one.intensity.asked_zone_name) for one in all_assumed
    ]
    table = IntensityTable.of({one.pk for one in asked})
    return [
        _with_row(one, table.row_for(asked_zone, year=year), asked_zone, table)
        for one, asked_zone in zip(all_assumed, asked, strict=True)
    ]


def with_pue(assumed: SourcedAssumptions, pue: float) -> SourcedAssumptions:
    """Return ``assumed`` in a building with another PUE."""
    return replace(assumed, numbers=replace(assumed.numbers, pue=pue), pue_origin=None)


@dataclass(frozen=True, slots=True)
class TodaysFactors:
    """The reference rows, as they are now, that some stored estimates rest on."""

    intensities: IntensityTable
    processors: dict[str, Processor]

    @classmethod
    def of(cls, all_assumed: Iterable[SourcedAssumptions]) -> "TodaysFactors":
        """Read the rows for all of these estimates, in two queries."""
        all_assumed = list(all_assumed)
        origins = [origin for one in all_assumed for origin in (one.cpu, one.gpu) if origin]
        ids = {origin.processor_id for origin in origins if origin.processor_id}
        rows = Processor.objects.in_bulk(list(ids))
        return cls(
            IntensityTable.of({one.intensity.asked_zone for one in all_assumed}),
            {str(pk): row for pk, row in rows.items()},
        )

    def applied_to(self, assumed: SourcedAssumptions) -> SourcedAssumptions:
        """Return ``assumed`` with today's figures for the same machine in the same place.

        What was typed stays as it was typed, and so does what has no row any more.
        """
        cpu, gpu = self._origin(assumed.cpu), self._origin(assumed.gpu)
        numbers = replace(
            assumed.numbers,
            cpu_power_w=_power_w(cpu, assumed.cpu, assumed.numbers.cpu_power_w),
            gpu_power_w=_power_w(gpu, assumed.gpu, assumed.numbers.gpu_power_w),
            ram_power_w=_ram_power_w(assumed),
        )
        priced = replace(assumed, numbers=numbers, cpu=cpu, gpu=gpu)
        origin = assumed.intensity
        asked = Zone(origin.asked_zone, origin.asked_zone_name)
        rows = self.intensities.rows_for(asked.pk)
        return _with_row(priced, rows[0], asked, self.intensities) if rows else priced

    def _origin(self, origin: PowerOrigin | None) -> PowerOrigin | None:
        row = self.processors.get(origin.processor_id or "") if origin else None
        if row is None or origin.source == TYPED:
            return origin
        return PowerOrigin(str(row), origin.count, row.tdp_w, row.source, str(row.pk))


def _with_row(
    assumed: SourcedAssumptions, row: CarbonIntensity, asked: Zone, table: IntensityTable
) -> SourcedAssumptions:
    return replace(
        assumed,
        numbers=replace(assumed.numbers, intensity_g_per_kwh=row.g_per_kwh),
        intensity=intensity_origin(row, asked),
        recent=recent_intensity(row, table.rows_by_zone[row.zone_id]),
    )


def _power_w(now: PowerOrigin | None, then: PowerOrigin | None, stored_w: float) -> float:
    if now is None or now == then or now.unit_power_w is None:
        return stored_w
    return now.unit_power_w * now.count


def _ram_power_w(assumed: SourcedAssumptions) -> float:
    is_by_rule = assumed.ram.unit_power_w is not None
    return ram_power_w(assumed.ram_gb) if is_by_rule else assumed.numbers.ram_power_w


def _no_figure(zone: Zone, rows: list[CarbonIntensity], year: int | None) -> str:
    if not rows:
        return f"There is no carbon intensity for {zone.name} nor for the world."
    years = sorted({row.year for row in rows})
    span = f"{years[0]} to {years[-1]}" if len(years) > 1 else f"only {years[0]}"
    whose = zone.name if rows[0].zone_id == zone.pk else "the world, which stands in for it"
    return f"There is no figure for {zone.name} in {year}. The years of {whose}: {span}."
