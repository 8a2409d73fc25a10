"""Whom a page's figures are owed to, by the vintages that the tables hold."""

from django import template

from hardware.models import CarbonIntensity
from hardware.owid import vintage_year

register = template.Library()
SHIPPED_YEAR = "2026"


@register.simple_tag
def ember() -> str:
    """Return Ember's name with the year of each vintage of its figures that is in use."""
    sources = CarbonIntensity.objects.filter(source__startswith="Ember (").order_by()
    found = sources.values_list("source", flat=True).distinct()
    years = sorted({year for source in found if (year := vintage_year(source))})
    return f"Ember ({', '.join(years) or SHIPPED_YEAR})"
