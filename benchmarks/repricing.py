"""Re-pricing: new estimates of old measurements at today's factors, previewed, then made once."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from django.db import transaction

from benchmarks.models import Estimate, Run
from benchmarks.outcomes import estimate_values, place_in_history
from hardware.models import CarbonIntensity
from hardware.other_factors import TodaysFactors
from hardware.published import published_ram_models

# So many fit into one page's preview and one transaction.
RUN_LIMIT = 5000
MOVER_COUNT = 10
# Below this the figures are the same but for rounding.
SAME_RATIO = 1e-12
NOTE_LENGTH = Estimate._meta.get_field("note").max_length
# What a re-pricing may change; where none of these differs, there is nothing to make anew.
NUMBERS = (
    "cpu_power_w",
    "ram_power_w",
    "gpu_power_w",
    "intensity_g_per_kwh",
    "emission_g",
    "low_g",
    "high_g",
)
LABELS = ("intensity_zone", "intensity_year", "intensity_measure", "intensity_source")


class TablesMoved(Exception):
    """What was previewed is no longer what would be made: look again."""


@dataclass(frozen=True, slots=True)
class NewPrice:
    """One run with the estimate that stands and the values of the one that would replace it."""

    run: Run
    values: dict
    assumptions: dict

    @property
    def before_g(self) -> float:
        return self.run.estimate.emission_g

    @property
    def after_g(self) -> float:
        return self.values["emission_g"]

    @property
    def ratio(self) -> float | None:
        """The change as a share of the stored grams; None from a true zero."""
        return (self.after_g - self.before_g) / self.before_g if self.before_g else None

    @property
    def is_change(self) -> bool:
        """Whether a number or its origin would be another one."""
        stands = self.run.estimate
        return any(self.values[name] != getattr(stands, name) for name in LABELS) or any(
            _differs(self.values[name], getattr(stands, name)) for name in NUMBERS
        )


@dataclass(frozen=True, slots=True)
class Preview:
    """What re-pricing would do; ``skipped_count`` runs have no result and stay out of it."""

    changes: tuple[NewPrice, ...]
    same_count: int
    skipped_count: int

    @property
    def ratios(self) -> list[float]:
        return sorted(one.ratio for one in self.changes if one.ratio is not None)

    @property
    def median_ratio(self) -> float | None:
        return median(self.ratios) if self.ratios else None

    @property
    def lowest_ratio(self) -> float | None:
        return self.ratios[0] if self.ratios else None

    @property
    def highest_ratio(self) -> float | None:
        return self.ratios[-1] if self.ratios else None

    @property
    def biggest_movers(self) -> list[NewPrice]:
        """The runs that change most, up or down, as shares of what they were."""
        by_size = sorted(self.changes, key=lambda one: -abs(one.ratio or 0.0))
        return by_size[:MOVER_COUNT]

    @property
    def fingerprint(self) -> str:
        """A word that is the same only while the same runs get the same figures."""
        lines = sorted(f"{one.run.pk} {one.before_g!r} {one.after_g!r}" for one in self.changes)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def preview(run_ids: Iterable) -> Preview:
    """Return what today's factors make of the runs with these ids; nothing is stored."""
    ids = list(run_ids)
    prices = _new_prices(Run.objects.filter(pk__in=ids))
    changes = tuple(one for one in prices if one.is_change)
    return Preview(changes, len(prices) - len(changes), len(ids) - len(prices))


def reprice(run_ids: Iterable, *, by, note: str = "", fingerprint: str | None = None) -> int:
    """Add today's estimate to each run whose figures change, and return how many that were.

    The new estimate becomes the one that stands, the old one stays; all or nothing. A second
    time finds nothing to change. Raises TablesMoved when ``fingerprint``, of the preview that
    was agreed to, no longer fits.
    """
    with transaction.atomic():
        # Whoever re-prices the same runs at the same time waits, then finds nothing to do.
        locked = Run.objects.select_for_update().filter(pk__in=list(run_ids)).order_by("pk")
        ids = list(locked.values_list("pk", flat=True))
        changes = preview(ids)
        if not changes.changes:
            return 0
        if fingerprint not in (None, changes.fingerprint):
            raise TablesMoved("The figures have changed since they were previewed.")
        replaced = Estimate.objects.filter(run__in=[one.run for one in changes.changes])
        replaced.filter(is_headline=True).update(is_headline=False)
        rows = _intensity_rows(changes.changes)
        Estimate.objects.bulk_create(
            [
                Estimate(
                    run=one.run,
                    made_by=by,
                    note=note[:NOTE_LENGTH],
                    assumptions=one.assumptions,
                    intensity=rows.get(one.assumptions["intensity"]["id"]),
                    **one.values,
                )
                for one in changes.changes
            ]
        )
        place_in_history((one.run, one.run.measurement, one.assumptions) for one in changes.changes)
        return len(changes.changes)


def _new_prices(runs) -> list[NewPrice]:
    done = runs.done().filter(estimates__is_headline=True).with_results()
    found = list(done.defer("measurement__samples_s", "measurement__as_measured"))
    assumed = [run.estimate.assumed for run in found]
    today = TodaysFactors.of(assumed)
    ram_models = published_ram_models()
    prices = []
    for run, stored in zip(found, assumed, strict=True):
        now = today.applied_to(stored)
        values = estimate_values(now, run.measurement, ram_models)
        prices.append(NewPrice(run, values, now.as_json()))
    return prices


def _intensity_rows(changes: Iterable[NewPrice]) -> dict[str, CarbonIntensity]:
    ids = {one.assumptions["intensity"]["id"] for one in changes}
    return {str(pk): row for pk, row in CarbonIntensity.objects.in_bulk(list(ids)).items()}


def _differs(one: float, other: float) -> bool:
    return abs(one - other) > SAME_RATIO * max(abs(one), abs(other))
