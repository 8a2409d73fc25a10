"""How a profile becomes the numbers that an estimate rests on, and where each came from."""

from dataclasses import asdict, dataclass

from footprint.estimate import Assumptions
from footprint.intensities import RECENT_YEAR_COUNT, RecentIntensity, YearlyIntensity
from hardware.models import (
    CarbonIntensity,
    EmbodiedFigure,
    HardwareProfile,
    Processor,
    PueFigure,
    Zone,
)

TYPED = "typed"
RAM_RULE = "3 W per 8 GB"


class NoIntensity(ValueError):
    """Neither the zone nor the world has a carbon intensity: the tables are not loaded."""


@dataclass(frozen=True, slots=True)
class PowerOrigin:
    """Where a component's power came from; ids and names as they were then."""

    name: str
    count: float
    unit_power_w: float | None
    source: str
    processor_id: str | None = None


@dataclass(frozen=True, slots=True)
class IntensityOrigin:
    """The row of the intensity table that was used, as it was then."""

    id: str
    zone: str
    zone_name: str
    asked_zone: str
    asked_zone_name: str
    year: int
    measure: str
    source: str

    @property
    def is_fallback(self) -> bool:
        """Whether another zone's figure stands in for the one asked for."""
        return self.zone != self.asked_zone

    @property
    def measure_words(self) -> str:
        """What the figure counts, in the middle of a sentence."""
        return CarbonIntensity.Measure(self.measure).words


@dataclass(frozen=True, slots=True)
class RowOrigin:
    """The row of a table that a profile's figure was picked from, as it was then.

    ``figure`` is the row's: the profile keeps its own when the table changes.
    """

    id: str
    name: str
    year: int | None
    figure: float
    source: str

    def __str__(self) -> str:
        return f"{self.name}{f', {self.year}' if self.year else ''}: {self.source}"


@dataclass(frozen=True, slots=True)
class SourcedAssumptions:
    """Assumptions with their origins: what a run keeps for good."""

    numbers: Assumptions
    profile_name: str
    ram_gb: float
    cpu: PowerOrigin
    ram: PowerOrigin
    gpu: PowerOrigin | None
    intensity: IntensityOrigin
    # None where the row stands alone, and in what was stored before this was noted.
    recent: RecentIntensity | None = None
    embodied_kg_co2e: float | None = None
    lifetime_years: float | None = None
    # None where the figure was typed, and in what was stored before this was noted.
    pue_origin: RowOrigin | None = None
    embodied_origin: RowOrigin | None = None

    @property
    def knows_embodied(self) -> bool:
        """Whether the share of making the machine can be told."""
        return self.embodied_kg_co2e is not None and bool(self.lifetime_years)

    def as_json(self) -> dict:
        """Return plain values, the form in which a run stores them."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict) -> "SourcedAssumptions":
        """Return the assumptions that ``as_json`` wrote."""
        return cls(
            numbers=Assumptions(**stored["numbers"]),
            profile_name=stored["profile_name"],
            ram_gb=stored["ram_gb"],
            cpu=PowerOrigin(**stored["cpu"]),
            ram=PowerOrigin(**stored["ram"]),
            gpu=PowerOrigin(**stored["gpu"]) if stored["gpu"] else None,
            intensity=IntensityOrigin(**stored["intensity"]),
            recent=_recent_from_json(stored.get("recent")),
            embodied_kg_co2e=stored.get("embodied_kg_co2e"),
            lifetime_years=stored.get("lifetime_years"),
            pue_origin=_row_origin_from_json(stored.get("pue_origin")),
            embodied_origin=_row_origin_from_json(stored.get("embodied_origin")),
        )


def assumptions_of(profile: HardwareProfile) -> SourcedAssumptions:
    """Return what an estimate on ``profile`` assumes today, with every origin.

    Raises NoIntensity when neither the profile's zone nor the world has a figure.
    """
    row = CarbonIntensity.objects.in_force(profile.zone)
    if row is None:
        raise NoIntensity(
            "There is no carbon intensity for this zone nor for the world: "
            "load the reference tables with `manage.py load_reference`."
        )
    return SourcedAssumptions(
        numbers=Assumptions(
            cpu_power_w=profile.cpu_power_w,
            ram_power_w=profile.memory_power_w,
            gpu_power_w=profile.gpu_power_w,
            pue=profile.pue,
            intensity_g_per_kwh=row.g_per_kwh,
        ),
        profile_name=profile.name,
        ram_gb=profile.ram_gb,
        cpu=_processor_origin(
            profile.cpu, profile.cpu_name or "CPU", profile.cpu_count, profile.cpu_tdp_w
        ),
        ram=_ram_origin(profile),
        gpu=_gpu_origin(profile),
        intensity=intensity_origin(row, profile.zone),
        recent=recent_intensity(row, CarbonIntensity.objects.filter(zone_id=row.zone_id)),
        embodied_kg_co2e=profile.embodied_kg_co2e,
        lifetime_years=profile.lifetime_years,
        pue_origin=_pue_origin(profile.pue_figure),
        embodied_origin=_embodied_origin(profile.embodied_figure),
    )


def intensity_origin(row: CarbonIntensity, asked: Zone) -> IntensityOrigin:
    """Return where a figure is from that stands for the zone ``asked``."""
    return IntensityOrigin(
        id=str(row.pk),
        zone=row.zone_id,
        zone_name=row.zone.name,
        asked_zone=asked.pk,
        asked_zone_name=asked.name,
        year=row.year,
        measure=row.measure,
        source=row.source,
    )


def recent_intensity(row: CarbonIntensity, rows) -> RecentIntensity | None:
    """Return the low and high among ``rows`` of the five years that end with ``row``.

    Only figures of the same measure count: other measures answer another question.
    """
    first_year = row.year - RECENT_YEAR_COUNT + 1
    return RecentIntensity.of(
        [
            YearlyIntensity(one.year, one.g_per_kwh, one.source)
            for one in rows
            if one.measure == row.measure and first_year <= one.year <= row.year
        ]
    )


def _processor_origin(
    row: Processor | None, typed_name: str, count: int, typed_tdp_w: float | None
) -> PowerOrigin:
    if typed_tdp_w is not None or row is None:
        name = str(row) if row else typed_name
        return PowerOrigin(name, count, typed_tdp_w, TYPED, str(row.pk) if row else None)
    return PowerOrigin(str(row), count, row.tdp_w, row.source, str(row.pk))


def _pue_origin(row: PueFigure | None) -> RowOrigin | None:
    return RowOrigin(str(row.pk), str(row), row.year, row.pue, row.source) if row else None


def _embodied_origin(row: EmbodiedFigure | None) -> RowOrigin | None:
    return RowOrigin(row.pk, row.name, row.year, row.kg_co2e, row.source) if row else None


def _ram_origin(profile: HardwareProfile) -> PowerOrigin:
    if profile.ram_power_w is not None:
        return PowerOrigin("RAM", profile.ram_gb, None, TYPED)
    return PowerOrigin("RAM", profile.ram_gb, 3 / 8, RAM_RULE)


def _gpu_origin(profile: HardwareProfile) -> PowerOrigin | None:
    if profile.gpu_count == 0:
        return None
    return _processor_origin(
        profile.gpu, profile.gpu_name or "GPU", profile.gpu_count, profile.gpu_tdp_w
    )


def _row_origin_from_json(stored: dict | None) -> RowOrigin | None:
    return RowOrigin(**stored) if stored else None


def _recent_from_json(stored: dict | None) -> RecentIntensity | None:
    if stored is None:
        return None
    return RecentIntensity(
        first_year=stored["first_year"],
        last_year=stored["last_year"],
        low=YearlyIntensity(**stored["low"]),
        high=YearlyIntensity(**stored["high"]),
    )
