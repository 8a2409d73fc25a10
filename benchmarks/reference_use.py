"""How many stored runs rest on given rows of the reference tables (hardware.usage asks)."""

from collections.abc import Collection, Set

from django.db import models
from django.db.models import Count

from benchmarks.models import Estimate, Run
from hardware.models import CarbonIntensity, Processor


def count_runs_using(model: type[models.Model], keys: Collection) -> int:
    """Return how many runs used one of the rows of ``model`` with these ``keys``.

    A run counts by the intensity of its headline, or by its processors. The other tables are
    used by choice of a value that a profile then keeps: no run rests on their rows.
    """
    if model is CarbonIntensity:
        return _count(Estimate.objects.filter(is_headline=True), set(keys), "intensity_id")
    if model is Processor:
        wanted = {str(key) for key in keys}
        return _count(
            Run.objects.all(),
            wanted,
            "assumptions__cpu__processor_id",
            "assumptions__gpu__processor_id",
        )
    return 0


def _count(rows, keys: Set, *columns: str) -> int:
    # Grouped by the database and matched here: thousands of keys do not fit into a statement.
    groups = rows.order_by().values_list(*columns).annotate(row_count=Count("pk"))
    return sum(count for *used, count in groups if not keys.isdisjoint(used))
