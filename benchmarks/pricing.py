"""Under which factors a whole history is read: as stored, at today's, or as somebody asks.

The runs of the same circumstances share their factors, so a hundred thousand runs are priced
anew by working out a few dozen sets of numbers.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.core.exceptions import ValidationError

from benchmarks.circumstances import Circumstances
from benchmarks.factors import STORED, TODAY
from benchmarks.history import HistoryPoint
from benchmarks.whatif import Question, asked_of_all
from footprint.estimate import estimate
from hardware.assumptions import SourcedAssumptions
from hardware.other_factors import TodaysFactors


@dataclass(frozen=True, slots=True)
class Factors:
    """What is to be priced how: as stored or at today's tables, and a question on top of it."""

    tables: str = STORED
    question: Question = Question()

    @property
    def is_as_stored(self) -> bool:
        return self.tables == STORED and not self.question.changes_factors


@dataclass(frozen=True, slots=True)
class Pricing:
    """What the figures of each circumstances rest on."""

    assumed_by_circumstances: dict[int, SourcedAssumptions]
    is_as_stored: bool = True

    def figures(self, circumstances: Circumstances, latency_s: float) -> tuple[float, float]:
        """Return the energy, in kWh, and the grams of an inference of ``latency_s``."""
        found = estimate(self.assumed_by_circumstances[circumstances.pk].numbers, latency_s)
        return found.energy.total_kwh, found.emission_g

    def applied_to(self, point: HistoryPoint) -> HistoryPoint:
        """Return ``point`` at these prices; as stored, the very figures that are stored."""
        assumed = self.assumed_by_circumstances.get(point.circumstances_id)
        # A run that ended since the circumstances were read is not among them.
        if self.is_as_stored or assumed is None:
            return point
        found, origin = estimate(assumed.numbers, point.latency_s), assumed.intensity
        return replace(
            point,
            energy_kwh=found.energy.total_kwh,
            emission_g=found.emission_g,
            intensity_g_per_kwh=assumed.numbers.intensity_g_per_kwh,
            intensity_zone=origin.zone,
            intensity_year=origin.year,
            intensity_measure=origin.measure,
        )


def pricing_of(all_circumstances: Iterable[Circumstances], factors: Factors) -> Pricing:
    """Return the prices of these circumstances, in a fixed number of queries.

    Raises ValidationError, by field, where a question has no answer in one of them.
    """
    found = list(all_circumstances)
    assumed = [SourcedAssumptions.from_json(one.assumptions) for one in found]
    if factors.tables == TODAY:
        today = TodaysFactors.of(assumed)
        assumed = [today.applied_to(one) for one in assumed]
    if factors.question.changes_factors:
        assumed = asked_of_all(assumed, factors.question)
    by_circumstances = {one.pk: each for one, each in zip(found, assumed, strict=True)}
    return Pricing(by_circumstances, is_as_stored=factors.is_as_stored)


def pricing_if_any(
    all_circumstances: Iterable[Circumstances], factors: Factors
) -> tuple[Pricing, str]:
    """Return the prices asked for, or those without the question and why it has no answer."""
    found = list(all_circumstances)
    try:
        return pricing_of(found, factors), ""
    except ValidationError as error:
        return pricing_of(found, Factors(factors.tables)), " ".join(error.messages)
