"""Which carbon figure stands for a zone, in a sentence that hides no substitute."""

from dataclasses import dataclass

from footprint.units import format_quantity
from hardware.models import CarbonIntensity, Zone
from hardware.querysets import WORLD_CODE


@dataclass(frozen=True, slots=True)
class Figure:
    """The row in force for a zone: its own, the world's, or none at all."""

    zone: Zone
    row: CarbonIntensity | None

    @property
    def is_fallback(self) -> bool:
        """Whether the world's figure stands in for a missing one."""
        return self.row is not None and self.row.zone_id != self.zone.pk

    @property
    def sentence(self) -> str:
        """The figure, its year and its measure; and whose it is when it is not the zone's own."""
        if self.row is None:
            return f"{self.zone.name} has no figure, and the reference tables are not loaded."
        amount = format_quantity(self.row.g_per_kwh, "g/kWh")
        origin = f"{self.row.year}, {self.row.measure_words}"
        if self.is_fallback:
            return f"{self.zone.name} has no figure: the world's {amount} ({origin}) is used."
        return f"{self.zone.name}: {amount} ({origin})."


def figures_in_force(zones) -> dict[str, Figure]:
    """Return the figure of each of ``zones`` by the zone's code, in two queries."""
    zones = list(zones)
    latest = {
        zone.pk: zone.latest_intensity_id
        for zone in Zone.objects.with_latest_id().filter(
            pk__in=[zone.pk for zone in zones] + [WORLD_CODE]
        )
    }
    rows = CarbonIntensity.objects.select_related("zone").in_bulk(
        [row_id for row_id in latest.values() if row_id]
    )
    world_row = rows.get(latest.get(WORLD_CODE))
    return {zone.pk: Figure(zone, rows.get(latest[zone.pk], world_row)) for zone in zones}
