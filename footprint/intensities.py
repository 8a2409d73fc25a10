"""How an intensity has moved over the last years: its lowest and its highest figure."""

from collections.abc import Sequence
from dataclasses import dataclass

from footprint.checks import require_positive

RECENT_YEAR_COUNT = 5


@dataclass(frozen=True, slots=True)
class YearlyIntensity:
    """One year's figure of a zone, with its source.

    Raises ValueError when the figure is not above zero: a zero is missing data.
    """

    year: int
    g_per_kwh: float
    source: str

    def __post_init__(self) -> None:
        require_positive(g_per_kwh=self.g_per_kwh)


@dataclass(frozen=True, slots=True)
class RecentIntensity:
    """The lowest and the highest figure of the years from ``first_year`` to ``last_year``."""

    first_year: int
    last_year: int
    low: YearlyIntensity
    high: YearlyIntensity

    @classmethod
    def of(cls, years: Sequence[YearlyIntensity]) -> "RecentIntensity | None":
        """Return the low and the high of the five years that end with the newest of ``years``.

        None where fewer than two of these years have a figure: one year has no range.

        >>> years = [YearlyIntensity(2024, 700.0, "table"), YearlyIntensity(2025, 690.0, "table")]
        >>> RecentIntensity.of(years).low.year
        2025
        """
        last_year = max((one.year for one in years), default=0)
        recent = [one for one in years if one.year > last_year - RECENT_YEAR_COUNT]
        if len({one.year for one in recent}) < 2:
            return None
        # Of equal figures the newer year, so that the answer does not hang on the order.
        return cls(
            first_year=min(one.year for one in recent),
            last_year=last_year,
            low=min(recent, key=lambda one: (one.g_per_kwh, -one.year)),
            high=max(recent, key=lambda one: (one.g_per_kwh, one.year)),
        )
