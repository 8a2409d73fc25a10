"""What each reference table holds: its file, what names a row, and what its columns may say."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import models

from footprint.ram import RULE_W_PER_GB
from hardware.cells import BadCell, Reader, choice_cell, number_cell, text_cell, whole_cell
from hardware.models import (
    MAX_EMBODIED_KG,
    MAX_INTENSITY_G_PER_KWH,
    MAX_LIFETIME_YEARS,
    MAX_PUE,
    MAX_TDP_W,
    CarbonIntensity,
    EmbodiedFigure,
    Equivalence,
    Processor,
    PueFigure,
    RamModel,
    Zone,
)

# The headline's rule is a part of the formula: another figure would be another program.
FIXED_RAM_MODEL = "three-watts-per-8-gb"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: its heading, the field it fills, and how a cell is read."""

    name: str
    read: Reader
    field: str = ""
    is_code_of_zone: bool = False
    may_be_missing: bool = False

    @property
    def field_name(self) -> str:
        return self.field or self.name


@dataclass(frozen=True, slots=True)
class Table:
    """A reference table: its name in addresses, its shipped file, its rows and columns.

    ``figure`` is the field whose change is told in percent; a zero there is missing data.
    """

    slug: str
    label: str
    file_name: str
    model: type[models.Model]
    key_fields: tuple[str, ...]
    columns: tuple[Column, ...]
    figure: str = ""
    unit: str = ""
    zero_is_missing: bool = field(default=False)

    @property
    def key_columns(self) -> list[str]:
        return [one.name for one in self.columns if one.field_name in self.key_fields]

    @property
    def value_fields(self) -> list[str]:
        return [one.field_name for one in self.columns if one.field_name not in self.key_fields]

    @property
    def column_names(self) -> list[str]:
        return [one.name for one in self.columns]

    def key_of(self, values: dict) -> tuple:
        """Return what names the row of ``values``."""
        return tuple(values[name] for name in self.key_fields)

    def check(self, values: dict) -> Iterator[tuple[str, str]]:
        """Yield (column, reason) for what is wrong with a line as a whole."""
        if self.model is RamModel:
            yield from _ram_model_complaints(values)


def _ram_model_complaints(values: dict) -> Iterator[tuple[str, str]]:
    needed = {
        RamModel.Kind.LINEAR: ("w_per_gb",),
        RamModel.Kind.PER_MODULE: ("w_per_gb", "w_per_module", "module_gb"),
        RamModel.Kind.TIERED: ("w_per_module",),
    }[values["kind"]]
    for name in needed:
        if values[name] is None:
            yield name, f"A model of the kind {values['kind']} needs it."
    if values["key"] == FIXED_RAM_MODEL and values["w_per_gb"] != RULE_W_PER_GB:
        yield "w_per_gb", "The rule of 3 W per 8 GB is a part of the formula: it stays 0.375."


def _year(**options) -> Column:
    return Column("year", whole_cell(low=1990, high=2100, **options))


SOURCE = Column("source", text_cell(200))
VINTAGE = Column("vintage", text_cell(40), may_be_missing=True)
POSITIVE = {"low": 0.001, "high": MAX_EMBODIED_KG}

ZONES = Table(
    "zones",
    "zones",
    "zones.csv",
    Zone,
    ("code",),
    (
        Column("code", text_cell(40)),
        Column("name", text_cell(120)),
        Column("kind", choice_cell(Zone.Kind.values)),
        Column("parent", text_cell(40, may_be_empty=True), "parent_id", is_code_of_zone=True),
    ),
)
INTENSITIES = Table(
    "intensities",
    "carbon intensities",
    "intensities.csv",
    CarbonIntensity,
    ("zone_id", "year", "measure"),
    (
        Column("zone", text_cell(40), "zone_id", is_code_of_zone=True),
        _year(),
        Column("g_per_kwh", number_cell(low=0.001, high=MAX_INTENSITY_G_PER_KWH)),
        Column("measure", choice_cell(CarbonIntensity.Measure.values)),
        SOURCE,
        VINTAGE,
    ),
    figure="g_per_kwh",
    unit="g/kWh",
    zero_is_missing=True,
)
PROCESSORS = Table(
    "processors",
    "processors",
    "processors.csv",
    Processor,
    ("kind", "vendor", "name"),
    (
        Column("kind", choice_cell(Processor.Kind.values)),
        Column("vendor", text_cell(60)),
        Column("name", text_cell(160)),
        Column("tdp_w", number_cell(low=0.1, high=MAX_TDP_W)),
        Column("core_count", whole_cell(low=1, high=10_000, may_be_empty=True)),
        Column("memory_gb", number_cell(low=0, high=100_000, may_be_empty=True)),
        _year(may_be_empty=True),
        SOURCE,
        VINTAGE,
    ),
    figure="tdp_w",
    unit="W",
    zero_is_missing=True,
)
RAM_MODELS = Table(
    "ram-models",
    "RAM power models",
    "ram_models.csv",
    RamModel,
    ("key",),
    (
        Column("key", text_cell(60)),
        Column("name", text_cell(120)),
        Column("kind", choice_cell(RamModel.Kind.values)),
        Column("w_per_gb", number_cell(low=0, high=100, may_be_empty=True)),
        Column("w_per_module", number_cell(low=0, high=1000, may_be_empty=True)),
        Column("module_gb", number_cell(low=0.1, high=100_000, may_be_empty=True)),
        _year(may_be_empty=True),
        SOURCE,
        VINTAGE,
    ),
    figure="w_per_gb",
    unit="W/GB",
)
PUE = Table(
    "pue",
    "PUE figures",
    "pue.csv",
    PueFigure,
    ("provider", "region"),
    (
        Column("provider", text_cell(80)),
        Column("region", text_cell(60, may_be_empty=True)),
        _year(),
        Column("pue", number_cell(low=1, high=MAX_PUE)),
        SOURCE,
        VINTAGE,
    ),
    figure="pue",
    zero_is_missing=True,
)
EMBODIED = Table(
    "embodied",
    "embodied emissions",
    "embodied.csv",
    EmbodiedFigure,
    ("key",),
    (
        Column("key", text_cell(60)),
        Column("name", text_cell(120)),
        Column("kind", choice_cell(EmbodiedFigure.Kind.values)),
        Column("per", choice_cell(EmbodiedFigure.Per.values)),
        Column("kg_co2e", number_cell(**POSITIVE)),
        Column("lifetime_years", number_cell(low=0.1, high=MAX_LIFETIME_YEARS, may_be_empty=True)),
        _year(may_be_empty=True),
        SOURCE,
        VINTAGE,
    ),
    figure="kg_co2e",
    unit="kg",
    zero_is_missing=True,
)
EQUIVALENCES = Table(
    "equivalences",
    "equivalences",
    "equivalences.csv",
    Equivalence,
    ("key",),
    (
        Column("key", text_cell(60)),
        Column("singular", text_cell(80)),
        Column("plural", text_cell(80)),
        Column("emission_g", number_cell(low=0.001, high=1e12)),
        _year(may_be_empty=True),
        SOURCE,
        VINTAGE,
    ),
    figure="emission_g",
    unit="g",
    zero_is_missing=True,
)
# Zones before their intensities.
TABLES = (ZONES, INTENSITIES, PROCESSORS, RAM_MODELS, PUE, EMBODIED, EQUIVALENCES)
TABLE_BY_SLUG = {table.slug: table for table in TABLES}


def read_cell(column: Column, cell: str, zone_codes: set[str]):
    """Return what ``cell`` says for ``column``; BadCell with the reason when it cannot be read."""
    value = column.read(cell)
    if not column.is_code_of_zone:
        return value
    if value and value not in zone_codes:
        raise BadCell(f"There is no zone with the code “{value}”.")
    return value or None
