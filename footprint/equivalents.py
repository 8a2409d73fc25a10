"""What a number of inferences is like: the few everyday emissions we compare with.

Figures as collected in 2026; one per thing, the one whose source could be traced best.
The car is the European one: its figure was read in the data set itself, while the
American one (244.2 g/km, EPA) was seen quoted only.
"""

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
    """Say how many of ``equivalent`` emit what ``emission_g`` is.

    Raises ValueError when ``emission_g`` is not above zero or not finite.

    >>> amount_sentence(CAR_KM, emission_g=350)
    '2 km by car'
    >>> amount_sentence(FLIGHT_PARIS_LONDON, emission_g=0.0005)
    '0.00000001 flights from Paris to London'
    """
    require_positive(emission_g=emission_g)
    counted = format_number(emission_g / equivalent.emission_g)
    return f"{counted} {equivalent.singular if counted == '1' else equivalent.plural}"
