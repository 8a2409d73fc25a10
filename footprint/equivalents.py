"""What a number of inferences is like: the few everyday emissions we compare with.

Figures as collected in 2026; one per thing, the one whose source could be traced best.
The car is the European one: its figure was read in the data set itself, while the
American one (244.2 g/km, EPA) was seen quoted only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from footprint.checks import require_positive
from footprint.units import format_number, spell_count


@dataclass(frozen=True, slots=True)
class Equivalent:
    """An everyday act, its name for one and for many, and what one of it emits."""

    key: str
    singular: str
    plural: str
    emission_g: float
    source: str


CAR_KM = Equivalent(
    key="car_km",
    singular="km by car",
    plural="km by car",
    emission_g=175.0,
    source="Green Algorithms 3.0, average European passenger car",
)
TRAIN_KM = Equivalent(
    key="train_km",
    singular="km by train",
    plural="km by train",
    emission_g=41.0,
    source="Green Algorithms 3.0, per passenger (UK BEIS 2020)",
)
SMARTPHONE_CHARGE = Equivalent(
    key="smartphone_charge",
    singular="full smartphone charge",
    plural="full smartphone charges",
    emission_g=12.4,
    source="US EPA greenhouse gas equivalencies, 2024 edition, US grid",
)
FLIGHT_PARIS_LONDON = Equivalent(
    key="flight_paris_london",
    singular="flight from Paris to London",
    plural="flights from Paris to London",
    emission_g=50_000.0,
    source="Green Algorithms 3.0, one passenger",
)
EQUIVALENTS = (CAR_KM, TRAIN_KM, SMARTPHONE_CHARGE, FLIGHT_PARIS_LONDON)

# A hundredth of something can be pictured; less of it is told as a fraction, if at all.
SMALLEST_AMOUNT = 0.01
# A billionth of something everyday is like nothing.
SMALLEST_FRACTION = 1e-9


def inferences_per(equivalent: Equivalent, emission_g: float) -> float:
    """Return how many inferences of ``emission_g`` each emit what one of ``equivalent`` does.

    Raises ValueError when ``emission_g`` is not above zero or not finite.

    >>> inferences_per(CAR_KM, emission_g=0.5)
    350.0
    """
    require_positive(emission_g=emission_g)
    return equivalent.emission_g / emission_g


def equivalence_sentence(equivalent: Equivalent, emission_g: float) -> str:
    """Say it with the side that is at least 1 as the number.

    Raises ValueError when ``emission_g`` is not above zero or not finite.

    >>> equivalence_sentence(CAR_KM, emission_g=75.42e-9)
    '2.32 billion inferences = 1 km by car'
    >>> equivalence_sentence(SMARTPHONE_CHARGE, emission_g=24.8)
    '1 inference = 2 full smartphone charges'
    """
    inference_count = inferences_per(equivalent, emission_g)
    if inference_count >= 1:
        counted = spell_count(inference_count)
        noun = "inference" if counted == "1" else "inferences"
        return f"{counted} {noun} = 1 {equivalent.singular}"
    counted = format_number(1 / inference_count)
    noun = equivalent.singular if counted == "1" else equivalent.plural
    return f"1 inference = {counted} {noun}"


def amount_sentence(equivalent: Equivalent, emission_g: float) -> str:
    """Say how many of ``equivalent`` emit what ``emission_g`` is, or what part of one does.

    Raises ValueError when ``emission_g`` is not above zero or not finite.

    >>> amount_sentence(CAR_KM, emission_g=350)
    '2 km by car'
    >>> amount_sentence(FLIGHT_PARIS_LONDON, emission_g=13)
    '1/3,846 of one flight from Paris to London'
    """
    require_positive(emission_g=emission_g)
    amount = emission_g / equivalent.emission_g
    if amount < SMALLEST_AMOUNT:
        return f"1/{format_number(equivalent.emission_g / emission_g)} of one {equivalent.singular}"
    counted = format_number(amount)
    return f"{counted} {equivalent.singular if counted == '1' else equivalent.plural}"


def comparable(equivalents: Sequence[Equivalent], emission_g: float) -> list[Equivalent]:
    """Return those of ``equivalents`` that give an idea of ``emission_g``.

    Those of which it is a hundredth or more; where there is none, the smallest alone; none for
    nothing, or next to nothing.

    >>> [one.key for one in comparable(EQUIVALENTS, emission_g=2)]
    ['car_km', 'train_km', 'smartphone_charge']
    >>> [one.key for one in comparable(EQUIVALENTS, emission_g=0.075)]
    ['smartphone_charge']
    >>> comparable(EQUIVALENTS, emission_g=0)
    []
    """
    whole = [one for one in equivalents if emission_g / one.emission_g >= SMALLEST_AMOUNT]
    smallest = sorted(equivalents, key=lambda one: one.emission_g)[:1]
    return whole or [one for one in smallest if emission_g / one.emission_g >= SMALLEST_FRACTION]
