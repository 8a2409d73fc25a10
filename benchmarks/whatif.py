"""What a measured run would come to elsewhere, at other times, on another machine, or often."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Case, Value, When

from benchmarks.models import Run
from footprint.equivalents import Equivalent, amount_sentence, comparable
from footprint.estimate import Estimate, estimate
from footprint.scaling import DAYS_PER_YEAR, Scaled, over_days, standard_scales
from hardware.assumptions import NoIntensity, SourcedAssumptions, assumptions_of
from hardware.models import CarbonIntensity, HardwareProfile, Zone
from hardware.other_factors import NoFigure, all_elsewhere, with_pue
from hardware.published import published_equivalents
from hardware.querysets import NEWEST_FIRST, WORLD_CODE

# How many profiles the page offers; the API takes any that one may see.
PROFILE_LIMIT = 200
EQUIVALENT_KEYS = ("car_km", "train_km", "smartphone_charge", "flight_paris_london")
MEASURES = tuple(CarbonIntensity.Measure.values)


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be different; None leaves it as it is."""

    zone: Zone | None = None
    year: int | None = None
    pue: float | None = None
    profile: HardwareProfile | None = None
    inferences_per_day: float | None = None

    @property
    def is_asked(self) -> bool:
        return any(getattr(self, name) is not None for name in self.__slots__)

    @property
    def changes_factors(self) -> bool:
        """Whether an inference comes to something else; how many there are a day does not."""
        return any(getattr(self, name) is not None for name in ("zone", "year", "pue", "profile"))


@dataclass(frozen=True, slots=True)
class Answer:
    """The estimate under the question's factors, beside the stored one; nothing is stored."""

    run: Run
    question: Question
    assumed: SourcedAssumptions
    estimate: Estimate
    # The everyday acts of the table that it may be like.
    equivalents: tuple[Equivalent, ...]

    @property
    def stored_g(self) -> float:
        return self.run.estimate.emission_g

    @property
    def change_ratio(self) -> float | None:
        """The change as a share of the stored grams; None from a true zero."""
        stored_g = self.stored_g
        return (self.estimate.emission_g - stored_g) / stored_g if stored_g else None

    @property
    def counts_otherwise(self) -> bool:
        """Whether its carbon intensity counts something else than the stored one does."""
        return self.assumed.intensity.measure != self.run.estimate.intensity_measure

    @property
    def scales(self) -> tuple[Scaled, ...]:
        return standard_scales(
            energy_kwh=self.estimate.energy.total_kwh, emission_g=self.estimate.emission_g
        )

    @property
    def per_day(self) -> Scaled | None:
        return self._over(1)

    @property
    def per_year(self) -> Scaled | None:
        return self._over(DAYS_PER_YEAR)

    @property
    def equivalences(self) -> list[tuple[str, str]]:
        """What a year of it is like, each with its source; a million inferences without a year.

        Empty where that is next to nothing.
        """
        emission_g = (self.per_year or self.scales[-1]).emission_g
        return [
            (amount_sentence(one, emission_g), one.source)
            for one in comparable(self.equivalents, emission_g)
        ]

    def _over(self, day_count: int) -> Scaled | None:
        if self.question.inferences_per_day is None:
            return None
        return over_days(
            energy_kwh=self.estimate.energy.total_kwh,
            emission_g=self.estimate.emission_g,
            inferences_per_day=self.question.inferences_per_day,
            day_count=day_count,
        )


def answer(run: Run, question: Question) -> Answer:
    """Return what ``run``, finished and fetched ``with_results``, comes to under ``question``.

    The latency stays the measured one. Where a profile is given, its power, PUE and zone
    count, unless zone or PUE are given too.

    Raises ValidationError by field: year, profile.
    """
    (assumed,) = asked_of_all([run.estimate.assumed], question)
    return Answer(
        run=run,
        question=question,
        assumed=assumed,
        estimate=estimate(assumed.numbers, run.measurement.mean_s),
        equivalents=tuple(published_equivalents(*EQUIVALENT_KEYS)),
    )


def asked_of_all(
    all_assumed: Sequence[SourcedAssumptions], question: Question
) -> list[SourcedAssumptions]:
    """Return each of ``all_assumed`` under the question's factors.

    Where a profile is given, its power, PUE and zone count, unless zone or PUE are given too.

    Raises ValidationError by field: year, zone, profile.
    """
    assumed = list(all_assumed)
    if question.profile is not None:
        try:
            assumed = [assumptions_of(question.profile)] * len(assumed)
        except NoIntensity as error:
            raise ValidationError({"profile": str(error)}) from error
    try:
        assumed = all_elsewhere(assumed, zone=question.zone, year=question.year)
    except NoFigure as error:
        raise ValidationError({"year" if question.year else "zone": str(error)}) from error
    if question.pue is not None:
        assumed = [with_pue(one, question.pue) for one in assumed]
    return assumed


def offered_profiles(user) -> list[HardwareProfile]:
    """Return the profiles that ``user`` may ask about: their own, then the public ones."""
    profiles = HardwareProfile.objects.visible_to(user).with_factors()
    if user.pk:
        profiles = profiles.order_by(
            Case(When(owner_id=user.pk, then=Value(0)), default=Value(1)), "name", "id"
        )
    return list(profiles[:PROFILE_LIMIT])


def tables(
    zones: Iterable[Zone],
    profiles: Iterable[HardwareProfile],
    equivalents: Iterable[Equivalent] = (),
) -> dict:
    """Return what the page's script computes with: every zone's figures, machines, everyday acts.

    ``figures`` has per zone [newest year, [g/kWh, newest first, null for a gap], measure],
    where the measure is an index into ``measures``, or one index for each year.
    """
    return {
        "world": WORLD_CODE,
        "measures": MEASURES,
        "measure_words": [CarbonIntensity.Measure(one).words for one in MEASURES],
        "names": {zone.pk: zone.name for zone in zones},
        "figures": _figures(),
        "profiles": {
            str(one.pk): {
                "name": one.name,
                "zone": one.zone_id,
                "pue": one.pue,
                "cpu_w": one.cpu_power_w,
                "ram_w": one.memory_power_w,
                "gpu_w": one.gpu_power_w,
            }
            for one in profiles
        },
        "equivalents": [
            {
                "singular": one.singular,
                "plural": one.plural,
                "emission_g": one.emission_g,
                "source": one.source,
            }
            for one in equivalents
        ],
    }


def base_of(run: Run) -> dict:
    """Return what the page's script starts from: the stored estimate's own factors."""
    stored = run.estimate
    return {
        "profile_name": run.profile_name,
        "latency_s": stored.latency_s,
        "cpu_w": stored.cpu_power_w,
        "ram_w": stored.ram_power_w,
        "gpu_w": stored.gpu_power_w,
        "pue": stored.pue,
        "asked_zone": stored.assumed.intensity.asked_zone,
        "asked_zone_name": stored.assumed.intensity.asked_zone_name,
        "zone": stored.intensity_zone,
        "zone_name": stored.intensity_zone_name,
        "year": stored.intensity_year,
        "measure": stored.intensity_measure,
        "g_per_kwh": stored.intensity_g_per_kwh,
        "emission_g": stored.emission_g,
    }


def _figures() -> dict[str, list]:
    rows = CarbonIntensity.objects.order_by("zone_id", *NEWEST_FIRST)
    by_zone: dict[str, dict[int, tuple[float, int]]] = {}
    for zone, year, g_per_kwh, measure in rows.values_list("zone", "year", "g_per_kwh", "measure"):
        # Of one year's figures the first is the most complete way of counting.
        by_zone.setdefault(zone, {}).setdefault(year, (g_per_kwh, MEASURES.index(measure)))
    return {zone: _compact(by_year) for zone, by_year in by_zone.items()}


def _compact(by_year: dict[int, tuple[float, int]]) -> list:
    newest, oldest = max(by_year), min(by_year)
    rows = [by_year.get(year, (None, None)) for year in range(newest, oldest - 1, -1)]
    measures = {measure for _, measure in rows} - {None}
    figures = [g_per_kwh for g_per_kwh, _ in rows]
    if len(measures) == 1:
        return [newest, figures, measures.pop()]
    return [newest, figures, [measure for _, measure in rows]]
