"""The small line that shows where a figure has been going."""

from collections.abc import Sequence

from django import template

from benchmarks.charts import SPARKLINE_HEIGHT, SPARKLINE_WIDTH, sparkline_points

register = template.Library()


@register.inclusion_tag("benchmarks/_sparkline.html")
def sparkline(values: Sequence[float], unit: str) -> dict:
    """Draw ``values``, oldest first, as an SVG with a sentence for those who don't see it."""
    return {
        "points": sparkline_points(values),
        "width": SPARKLINE_WIDTH,
        "height": SPARKLINE_HEIGHT,
        "count": len(values),
        "first": values[0] if values else None,
        "last": values[-1] if values else None,
        "unit": unit,
    }
