"""What of a model's runs can be compared: lines, and the stretches that may be summed up."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from benchmarks.circumstances import Circumstances
from benchmarks.history import SeriesKey, break_reason


@dataclass(frozen=True, slots=True)
class Extent:
    """So many runs, at least one, from the first to the last."""

    run_count: int
    first_at: datetime
    last_at: datetime

    @classmethod
    def around(cls, extents: Sequence["Extent"]) -> "Extent | None":
        """Return these taken together; None for none."""
        if not extents:
            return None
        return cls(
            sum(one.run_count for one in extents),
            min(one.first_at for one in extents),
            max(one.last_at for one in extents),
        )


@dataclass(frozen=True, slots=True)
class Stretch:
    """The runs in the same circumstances: all of them, and those of the range, if any."""

    circumstances: Circumstances
    key: SeriesKey
    whole: Extent
    shown: Extent | None
    # Whether one of them was asked for by itself, not as one setting among many of a sweep.
    is_followed: bool

    @property
    def version_number(self) -> int:
        return self.circumstances.version.number

    @property
    def surroundings(self) -> tuple[str, str]:
        """What must not change along a line: the machine and the software."""
        return self.circumstances.machine_fingerprint, self.circumstances.software_fingerprint


@dataclass(frozen=True, slots=True)
class Line:
    """What was measured for one profile with one set of settings, stretches by their first run."""

    key: SeriesKey
    stretches: tuple[Stretch, ...]

    @property
    def newest(self) -> Stretch:
        return max(self.stretches, key=lambda one: (one.whole.last_at, one.circumstances.pk))

    @property
    def label(self) -> str:
        return f"{self.newest.circumstances.profile_name}, {self.key.settings_label}"

    @property
    def shown(self) -> list[Stretch]:
        """The stretches with runs in the range."""
        return [one for one in self.stretches if one.shown]

    @property
    def run_count(self) -> int:
        """How many runs of the range are on it."""
        return sum(one.shown.run_count for one in self.shown)

    @property
    def circumstances_ids(self) -> list[int]:
        return [one.circumstances.pk for one in self.stretches]


@dataclass(frozen=True, slots=True)
class Break:
    """Where a line goes on under another machine or software, and in what that differs."""

    measured_at: datetime
    break_reason: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A machine with its software: the first stretch measured there, and from when to when."""

    first: Circumstances
    extent: Extent


def lines_of(stretches: Iterable[Stretch]) -> list[Line]:
    """Return the lines that these make, the one with the newest run (of the range) first."""
    by_key: dict[SeriesKey, list[Stretch]] = {}
    for one in sorted(stretches, key=lambda one: (one.whole.first_at, one.circumstances.pk)):
        by_key.setdefault(one.key, []).append(one)
    lines = [Line(key, tuple(own)) for key, own in by_key.items()]
    return sorted(lines, key=_newest, reverse=True)


def _newest(line: Line) -> tuple:
    shown = [(one.shown.last_at, one.circumstances.pk) for one in line.shown]
    return max(shown, default=()), line.newest.whole.last_at


def followed(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Return the lines that somebody follows over time; the other settings of sweeps are left out.

    A dozen settings measured once each would be a dozen lines of one point, and the last of
    them would pass for the model's newest figure. Where a model was only ever swept, the
    smallest settings stand for it.
    """
    asked_for = tuple(line for line in lines if any(one.is_followed for one in line.stretches))
    if asked_for or not lines:
        return asked_for
    smallest = min((line.key.batch_size, line.key.intra_op_threads) for line in lines)
    return tuple(
        line for line in lines if (line.key.batch_size, line.key.intra_op_threads) == smallest
    )


def surroundings_of(stretches: Iterable[Stretch], *, in_range: bool = False) -> list[Surroundings]:
    """Return what these were measured on, in the order in which it was first used."""
    found = []
    ordered = sorted(stretches, key=lambda one: (one.surroundings, one.whole.first_at))
    for _, group in groupby(ordered, key=lambda one: one.surroundings):
        own = list(group)
        extents = [one.shown if in_range else one.whole for one in own]
        found.append(Surroundings(own[0].circumstances, Extent.around(extents)))
    return sorted(found, key=lambda one: (one.extent.first_at, one.first.pk))


def breaks_of(line: Line) -> Iterator[Break]:
    """Yield where another machine or software was first used, in the order of time."""
    found = surroundings_of(line.stretches)
    for index, one in enumerate(found[1:], start=1):
        first_at = one.extent.first_at
        # What was in use just before, or is still; of several the one that came last.
        before = max(
            enumerate(found[:index]), key=lambda it: (min(it[1].extent.last_at, first_at), it[0])
        )[1]
        yield Break(first_at, break_reason(before.first, one.first))


def goes_back_and_forth(line: Line) -> bool:
    """Answer whether in the range there are runs on one machine between those on another."""
    found = surroundings_of(line.shown, in_range=True)
    return any(
        later.extent.first_at < earlier.extent.last_at
        for index, later in enumerate(found)
        for earlier in found[:index]
    )
