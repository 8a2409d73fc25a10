"""How a template writes a number: three figures for the eye, the exact value on hover and focus.

``static/js/format.js`` writes the same numbers in the browser.
"""

import math
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from footprint import units
from hardware.models import CarbonIntensity

register = template.Library()

DASH = "—"
UNKNOWN = mark_safe(
    '<span class="unknown" title="not known"><span aria-hidden="true">—</span>'
    '<span class="visually-hidden">not known</span></span>'
)
PERCENT = 100


@register.filter
def measure(value: str) -> str:
    """Return what a carbon intensity counts, in words for the middle of a sentence."""
    return CarbonIntensity.Measure(value).words


@register.filter
def quantity(value: Any, unit: str) -> SafeString:
    """Return ``value`` in ``unit`` with a fitting prefix, its exact value on hover and focus."""
    if not is_known(value):
        return UNKNOWN
    number = float(value)
    return _explained(units.format_quantity(number, unit), units.spell_quantity(number, unit))


@register.filter
def figure(value: Any, unit: str) -> SafeString:
    """Return ``value`` as the page's headline: the number large, its unit smaller beside it."""
    if not is_known(value):
        return format_html('<span class="figure-value">{}</span>', UNKNOWN)
    number, symbol = units.split_quantity(float(value), unit)
    return format_html(
        '<span class="figure-value quantity" title="{}" tabindex="0">{}'
        ' <span class="figure-unit">{}</span></span>',
        units.spell_quantity(float(value), unit),
        number,
        symbol,
    )


@register.filter
def energy(energy_kwh: Any) -> SafeString:
    """Return an energy held in kWh with the prefix of watt-hours that suits it."""
    if not is_known(energy_kwh):
        return UNKNOWN
    number = float(energy_kwh)
    return _explained(units.format_energy_kwh(number), units.spell_energy_kwh(number))


@register.filter
def count(value: Any) -> SafeString:
    """Return a count of things, shortened from a thousand on; all its digits on hover."""
    if not is_known(value):
        return UNKNOWN
    number = float(value)
    return _explained(units.format_count(number), units.format_number(number, digits=15))


@register.filter
def percent(ratio: Any) -> SafeString:
    """Return a ratio (0.05) as percent (5 %)."""
    if not is_known(ratio):
        return UNKNOWN
    exact = units.spell_quantity(float(ratio) * PERCENT, "%", digits=10)
    return _explained(_percent_text(ratio), exact)


@register.filter
def points(ratio: Any) -> str:
    """Return a difference of two ratios (0.021) in percentage points (2.1), without markup."""
    if not is_known(ratio):
        return DASH
    return units.format_number(float(ratio) * PERCENT, digits=3).replace("-", "−")


@register.filter
def signed_percent(ratio: Any) -> SafeString:
    """Return a change (0.05) as percent with its sign (+5 %)."""
    if not is_known(ratio):
        return UNKNOWN
    exact = units.spell_quantity(float(ratio) * PERCENT, "%", digits=10)
    return _explained(f"{_plus(ratio)}{_percent_text(ratio)}", f"{_plus(ratio)}{exact}")


@register.filter
def signed_quantity(value: Any, unit: str) -> SafeString:
    """Return a change in ``unit`` with its sign."""
    if not is_known(value):
        return UNKNOWN
    number = float(value)
    return _explained(
        f"{_plus(number)}{units.format_quantity(number, unit)}",
        f"{_plus(number)}{units.spell_quantity(number, unit)}",
    )


@register.filter
def plain_quantity(value: Any, unit: str) -> str:
    """Return ``value`` in ``unit`` as text without markup, for attributes and titles."""
    return units.format_quantity(float(value), unit) if is_known(value) else DASH


@register.filter
def plain_energy(energy_kwh: Any) -> str:
    """Return an energy held in kWh as text without markup."""
    return units.format_energy_kwh(float(energy_kwh)) if is_known(energy_kwh) else DASH


@register.filter
def plain_count(value: Any) -> str:
    """Return a count as text without markup."""
    return units.format_count(float(value)) if is_known(value) else DASH


@register.filter
def plain_percent(ratio: Any) -> str:
    """Return a ratio as percent, text without markup."""
    return _percent_text(ratio) if is_known(ratio) else DASH


@register.simple_tag
def unknown(reason: str) -> SafeString:
    """Return the dash of a number that is not known, the reason on hover and focus."""
    return format_html(
        '<span class="quantity unknown" title="{}" tabindex="0"><span aria-hidden="true">{}</span>'
        '<span class="visually-hidden">not known</span></span>',
        reason,
        DASH,
    )


def is_known(value: Any) -> bool:
    """Whether there is a number to write; None, "" and NaN are not known, 0 is."""
    return value is not None and value != "" and math.isfinite(float(value))


def _percent_text(ratio: Any) -> str:
    return units.format_quantity(float(ratio) * PERCENT, "%")


def _plus(ratio: Any) -> str:
    return "+" if float(ratio) > 0 else ""


def _explained(text: str, exact: str) -> SafeString:
    return format_html(
        '<span class="quantity" title="{}" tabindex="0">{}</span>',
        exact,
        text,
    )
