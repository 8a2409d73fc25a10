"""How sure a result is: a grade from A to D, and the reasons for it in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from footprint.units import format_number

# (half the 95 % interval as a share of the mean, at most; points)
SPREAD_POINTS = ((0.02, 0), (0.05, 1), (0.10, 2))
WIDE_SPREAD_POINTS = 3
# (years between the figure and the run, either way, at most; points)
AGE_POINTS = ((2, 0), (5, 1))
OLD_POINTS = 2
NOISY_POINTS = 3
# Below this share of quiet time the figures rest on less than half of what was measured.
QUIET_ENOUGH_RATIO = 0.5
OTHER_MACHINE_POINTS = 3
FALLBACK_POINTS = 2
# (points at most, letter); whatever has more is a D.
LETTERS = ((1, "A"), (3, "B"), (5, "C"))
WORST_LETTER = "D"
MEASURE_NAMES = {
    "life_cycle": "life cycle",
    "operational": "operational only",
    "co2_only": "CO₂ of fuel only",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a result rests on.

    ``spread_ratio`` is half the width of the mean's 95 % interval over the mean,
    ``quiet_ratio`` the share of the time in which the machine did nothing else; None where
    not known. ``intensity_age_years`` counts from the figure's year to the run's, below zero
    where a re-pricing took a later year.
    """

    spread_ratio: float | None
    quiet_ratio: float | None
    is_noisy: bool
    is_profiles_machine: bool
    is_power_typed: bool
    intensity_age_years: int
    intensity_measure: str
    is_intensity_fallback: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing looked at, in words; ``points`` count against the grade."""

    points: int
    text: str


@dataclass(frozen=True, slots=True)
class Grade:
    """A letter, A the surest, and what it comes from, the weightiest first."""

    letter: str
    reasons: tuple[Reason, ...]


def grade(evidence: Evidence) -> Grade:
    """Return how sure a result with this evidence is.

    Each doubt has points: A has 1 at most, B 3, C 5, D more. The scale is this site's own.

    >>> sure = Evidence(0.01, 0.95, False, True, False, 1, "life_cycle", False)
    >>> grade(sure).letter
    'A'
    """
    reasons = sorted(_reasons(evidence), key=lambda one: -one.points)
    total = sum(one.points for one in reasons)
    letter = next((name for limit, name in LETTERS if total <= limit), WORST_LETTER)
    return Grade(letter, tuple(reasons))


def _reasons(evidence: Evidence) -> Iterator[Reason]:
    yield _spread(evidence.spread_ratio)
    yield _other_load(evidence)
    if evidence.is_profiles_machine:
        yield Reason(0, "The time was taken on the processor that the profile describes.")
    else:
        yield Reason(
            OTHER_MACHINE_POINTS,
            "The time was taken on another processor than the one whose power is counted.",
        )
    if evidence.is_power_typed:
        yield Reason(1, "The processor's power was typed into the profile, without a source.")
    else:
        yield Reason(0, "The processor's power is a row of the reference table.")
    yield from _intensity(evidence)


def _spread(spread_ratio: float | None) -> Reason:
    if spread_ratio is None:
        return Reason(
            WIDE_SPREAD_POINTS, "Too few rounds were measured to say how sure the mean is."
        )
    points = _points(spread_ratio, SPREAD_POINTS, WIDE_SPREAD_POINTS)
    percent = format_number(spread_ratio * 100, digits=2)
    return Reason(points, f"The mean is known to ±{percent} % (95 % interval).")


def _other_load(evidence: Evidence) -> Reason:
    if evidence.is_noisy:
        return Reason(NOISY_POINTS, "Other work disturbed the machine nearly all the time.")
    if evidence.quiet_ratio is None:
        return Reason(1, "How much else the machine was doing is not known.")
    share = f"The machine was otherwise quiet {evidence.quiet_ratio * 100:.0f} % of the time"
    if evidence.quiet_ratio < QUIET_ENOUGH_RATIO:
        return Reason(1, f"{share}; only that time counts.")
    return Reason(0, f"{share}.")


def _intensity(evidence: Evidence) -> Iterator[Reason]:
    apart_years = abs(evidence.intensity_age_years)
    points = _points(apart_years, AGE_POINTS, OLD_POINTS)
    years = "year" if apart_years == 1 else "years"
    # A re-priced run may rest on a later year than its own.
    side = "older" if evidence.intensity_age_years > 0 else "newer"
    text = (
        f"The carbon intensity is {apart_years} {years} {side} than the run."
        if apart_years
        else "The carbon intensity is of the year of the run."
    )
    yield Reason(points, text)
    if evidence.is_intensity_fallback:
        yield Reason(
            FALLBACK_POINTS, "The place has no carbon intensity of its own: the world's stands in."
        )
    if evidence.intensity_measure != "life_cycle":
        kind = MEASURE_NAMES.get(evidence.intensity_measure, evidence.intensity_measure)
        yield Reason(1, f"The carbon intensity is not a life-cycle figure ({kind}).")


def _points(value: float, steps: tuple[tuple[float, int], ...], most: int) -> int:
    return next((points for limit, points in steps if value <= limit), most)
