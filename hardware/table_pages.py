"""How each reference table is read: which rows a search shows, by which columns they sort."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.db.models import F, QuerySet

from hardware.models import EmbodiedFigure, Equivalence, Processor, PueFigure, RamModel, Zone


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of a page: its words, and the field that it sorts by; none cannot be sorted."""

    words: str
    field: str = ""
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class SortLink:
    """A heading with the address that sorts by it, and how the table is sorted by it now."""

    heading: Heading
    address: str
    direction: str


@dataclass(frozen=True, slots=True)
class TablePage:
    """One table of the reference pages: its tab, rows, headings and CSV."""

    slug: str
    label: str
    find: Callable[[str], QuerySet]
    headings: tuple[Heading, ...]
    # Slug of the CSV (hardware.tables) and the words of its link.
    files: Mapping[str, str]
    intro: str
    complete: Callable[[QuerySet], QuerySet] = field(default=lambda rows: rows)

    def rows(self, query: str, sort: str) -> QuerySet:
        """Return the rows that match ``query``, sorted as ``sort`` asks, else best match first."""
        rows = self.complete(self.find(query))
        name = sort.removeprefix("-")
        if name not in self.sortable:
            return rows
        by = F(name).desc(nulls_last=True) if sort[0] == "-" else F(name).asc(nulls_last=True)
        return rows.order_by(by, "pk")

    @property
    def sortable(self) -> set[str]:
        return {heading.field for heading in self.headings if heading.field}

    def sort_links(self, query: str, sort: str) -> list[SortLink]:
        """Return the headings with the addresses that sort by them, or turn the order."""
        links = []
        for heading in self.headings:
            is_down, is_up = sort == f"-{heading.field}", sort == heading.field
            wanted = f"-{heading.field}" if is_up else heading.field
            direction = "descending" if is_down else "ascending" if is_up else "none"
            address = urlencode({"q": query, "table": self.slug, "sort": wanted})
            links.append(SortLink(heading, f"?{address}" if heading.field else "", direction))
        return links


ORIGIN = (
    Heading("Year", "year", is_number=True),
    Heading("Source", "source"),
    Heading("Vintage", "vintage"),
    Heading("Last change", "edited_at"),
)


def _with_editors(rows: QuerySet) -> QuerySet:
    return rows.select_related("edited_by", "loaded_by")


ZONES = TablePage(
    "zones",
    "Countries and regions",
    lambda query: Zone.objects.search(query).select_related("parent"),
    (
        Heading("Country or region", "name"),
        Heading("Latest", "latest_g_per_kwh", is_number=True),
        Heading("Year", "latest_year", is_number=True),
        Heading("Measure", "latest_measure"),
    ),
    {"intensities": "every figure of every year", "zones": "the places"},
    "Grams of CO₂ equivalent for a kilowatt-hour of electricity. A place without a figure "
    "of its own uses the world's, and says so.",
    complete=lambda rows: rows.with_latest(),
)
PROCESSORS = TablePage(
    "processors",
    "Processors",
    lambda query: Processor.objects.search(query),
    (
        Heading("Processor", "name"),
        Heading("Kind", "kind"),
        Heading("TDP", "tdp_w", is_number=True),
        *ORIGIN,
    ),
    {"processors": "this table"},
    "The power that a maker rates a processor at: thermal design power (TDP), in watts.",
    complete=_with_editors,
)
RAM_MODELS = TablePage(
    "ram-models",
    "RAM",
    lambda query: RamModel.objects.search(query),
    (
        Heading("Model", "name"),
        Heading("W/GB", "w_per_gb", is_number=True),
        Heading("W per module", "w_per_module", is_number=True),
        Heading("8 GB", is_number=True),
        Heading("64 GB", is_number=True),
        Heading("512 GB", is_number=True),
        *ORIGIN,
    ),
    {"ram-models": "this table"},
    "What published tools take memory to draw. The headline uses 3 W for every 8 GB; the others "
    "make the range beside it.",
    complete=_with_editors,
)
PUE = TablePage(
    "pue",
    "PUE",
    lambda query: PueFigure.objects.search(query),
    (
        Heading("Provider", "provider"),
        Heading("Region", "region"),
        Heading("PUE", "pue", is_number=True),
        *ORIGIN,
    ),
    {"pue": "this table"},
    "Power usage effectiveness: what a data centre draws in all, for each unit that its computers "
    "draw. The newest figure of each provider and region.",
    complete=_with_editors,
)
EMBODIED = TablePage(
    "embodied",
    "Embodied",
    lambda query: EmbodiedFigure.objects.search(query),
    (
        Heading("Thing", "name"),
        Heading("Kind", "kind"),
        Heading("CO₂ equivalent", "kg_co2e", is_number=True),
        Heading("Lifetime (years)", "lifetime_years", is_number=True),
        *ORIGIN,
    ),
    {"embodied": "this table"},
    "Kilograms of CO₂ equivalent that making a machine, or a part of one, has emitted. A machine's "
    "profile may carry one of them.",
    complete=_with_editors,
)
EQUIVALENCES = TablePage(
    "equivalences",
    "Equivalences",
    lambda query: Equivalence.objects.search(query),
    (
        Heading("Everyday act", "singular"),
        Heading("Emits", "emission_g", is_number=True),
        *ORIGIN,
    ),
    {"equivalences": "this table"},
    "What everyday acts emit, one value for each: the one whose source could be traced best.",
    complete=_with_editors,
)
PAGES = (ZONES, PROCESSORS, RAM_MODELS, PUE, EMBODIED, EQUIVALENCES)
PAGE_BY_SLUG = {page.slug: page for page in PAGES}
