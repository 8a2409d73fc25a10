"""How many stored runs used a row of a reference table: asked here, answered by the floor above.

Runs live in an app that stands on this one, and that this one knows nothing of: it registers who
counts for it when the site starts.
"""

from collections.abc import Callable, Collection

from django.db import models

# (model of the table, keys of its rows) -> number of stored runs that used one of them.
RunCounter = Callable[[type[models.Model], Collection], int]

_counters: list[RunCounter] = []


def register_run_counter(counter: RunCounter) -> None:
    """Have ``counter`` asked from now on."""
    if counter not in _counters:
        _counters.append(counter)


def used_by_run_count(model: type[models.Model], keys: Collection) -> int:
    """Return how many stored runs used one of the rows of ``model`` with these ``keys``."""
    return sum(counter(model, keys) for counter in _counters) if keys else 0
