"""Which of several settings is the smallest that costs as little as any: the knee of a curve."""

from collections.abc import Sequence
from dataclasses import dataclass

from footprint.checks import require_not_negative
from footprint.comparison import Interval, is_within_noise, ratio_change

# The gated figure of one model varies by 0.5 to 4 % between fresh processes on a shared machine,
# so a smaller gap to the best is no reason for a larger setting (docs/methodology.md, Sweeps).
AS_GOOD_RATIO = 0.03


@dataclass(frozen=True, slots=True)
class SweptSetting:
    """What one inference emits at one setting, and the 95 % interval where it is known.

    Raises ValueError when the emission is negative or not finite.
    """

    batch_size: int
    thread_count: int
    emission_g: float
    interval: Interval | None = None

    def __post_init__(self) -> None:
        require_not_negative(emission_g=self.emission_g)

    @property
    def size(self) -> tuple[int, int]:
        """What settings are ordered by: a batch makes requests wait, a thread only takes a core."""
        return self.batch_size, self.thread_count


@dataclass(frozen=True, slots=True)
class Knee:
    """The smallest setting that is as good as the best, beside the smallest one of all."""

    setting: SweptSetting
    baseline: SweptSetting
    best: SweptSetting
    # Whether a larger setting than the knee was measured, so that "more brings nothing" holds.
    is_beyond_known: bool

    @property
    def saved_ratio(self) -> float | None:
        """What the knee saves of the baseline's emission, 0 to 1; None from a true zero."""
        change = change_from(self.baseline, self.setting)
        return None if change is None else max(0.0, -change)

    @property
    def is_lost_in_noise(self) -> bool:
        """Whether the best one is as good only because the intervals cannot tell them apart."""
        return not _is_near(self.setting, self.best)

    @property
    def is_baseline(self) -> bool:
        """Whether nothing that was measured is really better than the smallest setting."""
        return self.setting == self.baseline


def knee_of(settings: Sequence[SweptSetting]) -> Knee | None:
    """Return the knee of what was measured; None for fewer than two settings.

    A setting is as good as the best one when it emits at most 3 % more, or when the two
    intervals overlap. A tie goes to the smaller batch, then to the fewer threads.

    >>> one, two, four = (SweptSetting(n, 1, g) for n, g in ((1, 10.0), (2, 6.1), (4, 6.0)))
    >>> knee_of([one, two, four]).setting.batch_size
    2
    """
    if len(settings) < 2:
        return None
    ordered = sorted(settings, key=lambda one: one.size)
    best = min(ordered, key=lambda one: one.emission_g)
    setting = next(one for one in ordered if _is_as_good(one, best))
    return Knee(
        setting=setting,
        baseline=ordered[0],
        best=best,
        is_beyond_known=any(
            one.batch_size >= setting.batch_size and one.thread_count >= setting.thread_count
            for one in ordered
            if one is not setting
        ),
    )


def change_from(baseline: SweptSetting, setting: SweptSetting) -> float | None:
    """Return how much more ``setting`` emits as a share of ``baseline``; None from a true zero.

    >>> change_from(SweptSetting(1, 1, 10.0), SweptSetting(4, 1, 6.0))
    -0.4
    """
    if baseline.emission_g == 0:
        return None
    return ratio_change(before=baseline.emission_g, after=setting.emission_g)


def differs_by_noise(one: SweptSetting, other: SweptSetting) -> bool | None:
    """Answer whether the intervals overlap; None where one of them is not known."""
    if one.interval is None or other.interval is None:
        return None
    return is_within_noise(one.interval, other.interval)


def _is_as_good(one: SweptSetting, best: SweptSetting) -> bool:
    return _is_near(one, best) or bool(differs_by_noise(one, best))


def _is_near(one: SweptSetting, best: SweptSetting) -> bool:
    return one.emission_g <= best.emission_g * (1 + AS_GOOD_RATIO)
