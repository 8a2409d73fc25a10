"""What a load test says: requests by page, memory by upload, and latency with the load and without.

Pure: figures in, tables and verdicts out.
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MB = 1_000_000
HISTORY = "history page"
HISTORY_P95_LIMIT_S = 0.3
# What uploads fifty times as large may add to the web processes: less than one of them.
MEMORY_LIMIT_BYTES = 16 * MB
# Two-sided 95 % quantiles of Student's t, by degrees of freedom from 1 on.
T_95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13)


@dataclass(frozen=True, slots=True)
class Answer:
    """How one request went; ``fault`` is empty when it went as it should."""

    page: str
    duration_s: float
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the web processes held in memory together: before some uploads, at most, and after."""

    upload_count: int
    upload_bytes: int
    before_bytes: int
    peak_bytes: int
    after_bytes: int

    @property
    def growth_bytes(self) -> int:
        """How much more they held at their peaks."""
        return self.peak_bytes - self.before_bytes


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of two latencies over some pairs, with its 95 % interval."""

    middle: float
    low: float
    high: float

    @property
    def says_nothing(self) -> bool:
        """Whether the two may well be the same."""
        return self.low <= 1 <= self.high

    @property
    def is_sharp(self) -> bool:
        """Whether it would tell an effect of a tenth: a wide interval holds 1 by being wide."""
        return self.low > 0.9 and self.high < 1.1


def ratio_of(alone_s: Sequence[float], loaded_s: Sequence[float]) -> Ratio:
    """Return how much longer inferences took under load, from runs taken in pairs.

    The geometric mean of the pairs' ratios, with the interval of its logarithm. Raises ValueError
    when there are fewer than two pairs.

    >>> ratio_of([1.0, 2.0], [1.0, 2.0])
    Ratio(middle=1.0, low=1.0, high=1.0)
    """
    logs = [math.log(loaded / alone) for alone, loaded in zip(alone_s, loaded_s, strict=True)]
    if len(logs) < 2:
        raise ValueError("an interval takes two pairs at least")
    middle = statistics.fmean(logs)
    quantile = T_95[min(len(logs) - 1, len(T_95)) - 1]
    half = quantile * statistics.stdev(logs) / math.sqrt(len(logs))
    return Ratio(math.exp(middle), math.exp(middle - half), math.exp(middle + half))


def percentile_s(durations_s: Sequence[float], percent: int) -> float:
    """Return the duration that ``percent`` of them do not exceed.

    >>> percentile_s([float(n) for n in range(1, 101)], 95)
    95.0
    """
    ranked = sorted(durations_s)
    return ranked[math.ceil(percent / 100 * len(ranked)) - 1]


def request_table(answers: Iterable[Answer]) -> str:
    """Return a row per page."""
    by_page: dict[str, list[Answer]] = {}
    for answer in answers:
        by_page.setdefault(answer.page, []).append(answer)
    rows = ["| page | requests | errors | p50 ms | p95 ms | max ms |", "|---|---|---|---|---|---|"]
    for page, found in sorted(by_page.items()):
        durations_s = [one.duration_s for one in found]
        figures_s = (percentile_s(durations_s, 50), percentile_s(durations_s, 95), max(durations_s))
        fault_count = sum(bool(one.fault) for one in found)
        cells = (page, len(found), fault_count, *(f"{1000 * one_s:.0f}" for one_s in figures_s))
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(rows)


def memory_table(cases: Iterable[Memory]) -> str:
    """Return a row per number and size of uploads."""
    rows = [
        "| uploads at once | before MB | peak MB | after MB | growth MB |",
        "|---|---|---|---|---|",
    ]
    for one in cases:
        held = (one.before_bytes, one.peak_bytes, one.after_bytes, one.growth_bytes)
        figures = " | ".join(f"{size_bytes / MB:.1f}" for size_bytes in held)
        rows.append(f"| {one.upload_count} x {one.upload_bytes / MB:.0f} MB | {figures} |")
    return "\n".join(rows)


def latency_table(alone_s: Sequence[float], loaded_s: Sequence[float]) -> str:
    """Return the runs' means without load and with it, and what their pairs say."""
    ratio = ratio_of(alone_s, loaded_s)
    noise = statistics.stdev(alone_s) / statistics.fmean(alone_s)
    cells = (
        len(alone_s),
        f"{1e6 * statistics.fmean(alone_s):.1f}",
        f"{1e6 * statistics.fmean(loaded_s):.1f}",
        f"{ratio.middle:.4f}",
        f"{ratio.low:.4f} to {ratio.high:.4f}",
        f"{100 * noise:.1f} %",
    )
    head = "| pairs | alone µs | under load µs | ratio | 95 % interval | from run to run, alone |"
    return f"{head}\n|---|---|---|---|---|---|\n| {' | '.join(map(str, cells))} |"


def verdicts(
    answers: Sequence[Answer], cases: Sequence[Memory], ratio: Ratio
) -> list[tuple[bool, str]]:
    """Return what was promised, and whether it was kept.

    ``cases`` are of as many uploads each, the smallest first and the largest last.
    """
    faults = [one for one in answers if one.fault]
    history_s = [one.duration_s for one in answers if one.page == HISTORY]
    p95_s = percentile_s(history_s, 95) if history_s else math.inf
    more_bytes = cases[-1].growth_bytes - cases[0].growth_bytes
    larger = f"{cases[-1].upload_bytes / MB:.0f} MB instead of {cases[0].upload_bytes / MB:.0f}"
    return [
        (bool(answers) and not faults, f"{len(faults)} of {len(answers)} requests failed"),
        (p95_s < HISTORY_P95_LIMIT_S, f"p95 of the history page {1000 * p95_s:.0f} ms (under 300)"),
        (
            more_bytes < MEMORY_LIMIT_BYTES,
            f"uploads of {larger} MB took {more_bytes / MB:+.1f} MB more of the web processes",
        ),
        (
            ratio.says_nothing and ratio.is_sharp,
            f"a run under load against one without: {ratio.low:.4f} to {ratio.high:.4f} "
            "(no effect where 1 lies inside, and it is within 10 % of either end)",
        ),
    ]
