"""Our World in Data's downloads as they are, told as lines of our own intensity table.

Both are of life-cycle grams of CO2 equivalent: the chart "Carbon intensity of electricity
generation" (columns Entity, Code, Year and the figure), and the big energy table (iso_code, year,
carbon_intensity_elec and a hundred others).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hardware.models import CarbonIntensity

# Codes that Our World in Data made for what ISO 3166 has none for.
ZONE_BY_OWID_CODE = {"OWID_WRL": "WORLD", "OWID_KOS": "XKX"}
FIRST_YEAR = 2000
# The credit that the licence (CC BY 4.0) asks for, in each row.
CREDIT = "Ember (%s), processed by Our World in Data"
CREDITED_YEAR = re.compile(r"^Ember \((\d{4})\)")


class Skipped(Exception):
    """A line without a figure for this site; the message is the reason, for people."""


@dataclass(frozen=True, slots=True)
class OwidFormat:
    """One of the two downloads: the headings of its code, year and figure."""

    code_column: str
    year_column: str
    figure_column: str

    def column_in_file(self, name: str) -> str:
        """Return the heading that the file has for our column ``name``."""
        theirs = {
            "zone": self.code_column,
            "year": self.year_column,
            "g_per_kwh": self.figure_column,
        }
        return theirs.get(name, name)

    def as_our_line(self, line: dict[str, str], vintage: str) -> dict[str, str]:
        """Return ``line`` in our columns; Skipped when it holds nothing for this site."""
        figure, code = line[self.figure_column], line[self.code_column]
        if not figure:
            raise Skipped("There is no figure in the line.")
        if not code or (code.startswith("OWID_") and code not in ZONE_BY_OWID_CODE):
            raise Skipped("It is a group of countries, for which this site has no zone.")
        year = line[self.year_column]
        # A longer one is none; Python would refuse thousands of digits with an error of its own.
        if year.isdecimal() and len(year) <= 4 and int(year) < FIRST_YEAR:
            raise Skipped(f"It is older than {FIRST_YEAR}, where this site's tables begin.")
        return {
            "zone": ZONE_BY_OWID_CODE.get(code, code),
            "year": year,
            "g_per_kwh": figure,
            "measure": CarbonIntensity.Measure.LIFE_CYCLE.value,
            "source": CREDIT % vintage[:4],
            "vintage": vintage,
        }


def vintage_year(source: str) -> str:
    """Return the year that a row's credit names; empty where it is not Ember's.

    >>> vintage_year("Ember (2027), processed by Our World in Data")
    '2027'
    """
    found = CREDITED_YEAR.match(source)
    return found.group(1) if found else ""


def owid_format(header: Sequence[str]) -> OwidFormat | None:
    """Return which of the two downloads has this ``header``; None for another file."""
    if {"iso_code", "year", "carbon_intensity_elec"} <= set(header):
        return OwidFormat("iso_code", "year", "carbon_intensity_elec")
    by_lower_case = {name.lower(): name for name in header}
    figures = [name for name in header if "intensity" in name.lower()]
    if {"entity", "code", "year"} <= set(by_lower_case) and len(figures) == 1:
        return OwidFormat(by_lower_case["code"], by_lower_case["year"], figures[0])
    return None
