"""How sure a run's result is: what its measurement and its assumptions say, as a grade."""

import re
from functools import lru_cache

from benchmarks.models import Run
from footprint.grade import Evidence, Grade, grade
from hardware.assumptions import TYPED

# Words of a CPU's name that do not tell one model from another.
NOISE_WORDS = re.compile(r"\((r|tm)\)|\bcpu\b|\bprocessor\b|@.*$|\b\d+-core\b|\bwith .*$", re.I)


def grade_of(run: Run) -> Grade | None:
    """Return the grade of a finished run, fetched ``with_results``; None for any other."""
    estimate = run.estimate
    if estimate is None:
        return None
    found, assumed = run.measurement, estimate.assumed
    return grade(
        Evidence(
            spread_ratio=spread_ratio(found.mean_s, found.ci95_low_s, found.ci95_high_s),
            quiet_ratio=found.quiet_ratio,
            is_noisy=bool(found.is_noisy),
            is_profiles_machine=is_same_cpu(
                described=assumed.cpu.name, measured=found.machine.get("cpu")
            ),
            is_power_typed=assumed.cpu.source == TYPED,
            intensity_age_years=run.queued_at.year - estimate.intensity_year,
            intensity_measure=estimate.intensity_measure,
            is_intensity_fallback=estimate.is_intensity_fallback,
        )
    )


def letter_of_row(row: dict) -> str:
    """Return the letter for one row of a history (``benchmarks.history.points_of``)."""
    evidence = Evidence(
        spread_ratio=spread_ratio(row["latency_s"], row["ci95_low_s"], row["ci95_high_s"]),
        quiet_ratio=row["quiet_ratio"],
        is_noisy=bool(row["is_noisy"]),
        is_profiles_machine=is_same_cpu(described=row["cpu_name"] or "", measured=row["machine"]),
        is_power_typed=row["cpu_source"] == TYPED,
        intensity_age_years=row["run_queued_at"].year - row["intensity_year"],
        intensity_measure=row["intensity_measure"],
        is_intensity_fallback=row["is_intensity_fallback"],
    )
    return grade(evidence).letter


def spread_ratio(mean_s: float, low_s: float | None, high_s: float | None) -> float | None:
    """Return half the interval's width as a share of the mean; None where it is not known."""
    if low_s is None or high_s is None:
        return None
    return (high_s - low_s) / 2 / mean_s


def is_same_cpu(*, described: str, measured: str | None) -> bool:
    """Answer whether every word of the described CPU's name is in the measured one's.

    >>> is_same_cpu(described="AMD EPYC 9B14", measured="AMD EPYC 9B14 96-Core Processor")
    True
    >>> is_same_cpu(described="Apple M1", measured="AMD EPYC 9B14 96-Core Processor")
    False
    """
    described_words, measured_words = _name_words(described), _name_words(measured or "")
    return bool(described_words) and described_words <= measured_words


# A history asks about the same few names thousands of times.
@lru_cache(maxsize=256)
def _name_words(name: str) -> frozenset[str]:
    return frozenset(NOISE_WORDS.sub(" ", name).lower().split())
