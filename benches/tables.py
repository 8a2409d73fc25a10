"""What the processes of a comparison say together, as tables in Markdown."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from benches.plan import EFFORTS, Record

Figures = dict[str, float]
ByWay = dict[str, list[Figures]]


def by_model(records: Iterable[Record]) -> dict[str, ByWay]:
    """Return the figures of ``records`` by model and way, in the order of the rounds."""
    found: dict[str, ByWay] = defaultdict(lambda: defaultdict(list))
    for record in sorted(records, key=lambda record: record["round"]):
        found[record["model"]][record["way"]].append(
            {**record["figures"], "round": record["round"]}
        )
    return found


def tables(found: dict[str, ByWay]) -> str:
    """Return all tables, each with a line above it that says what it shows."""
    return "\n\n".join((_times(found), _repeatability(found), _coverage(found)))


def _times(found: dict[str, ByWay]) -> str:
    head = ("model", "C program", "engine", "`session.run`", "engine / C", "`session.run` / C")
    head += ("engine reports", "LoadGen reports", "loop reports")
    rows = []
    for model, by_way in found.items():
        floor, engine, plain = by_way["floor"], by_way["standard"], by_way["plain"]
        rows.append(
            (
                model,
                *(_us(runs, "fastest_s") for runs in (floor, engine, plain)),
                *(_ratio(runs, floor) for runs in (engine, plain)),
                _us(engine, "mean_s"),
                *(_us(by_way[way], "figure_s") for way in ("loadgen", "plain")),
            )
        )
    told = (
        "Per call, us: the fastest tenth of the samples (the engine's are of quiet bursts), the "
        "median over processes; the ratio is the median over rounds. Then what each way reports: "
        "the engine its mean, the others the median."
    )
    return f"{told}\n\n{_table(head, rows)}"


def _repeatability(found: dict[str, ByWay]) -> str:
    head = ("model", "processes", "engine", "over its sentinel")
    head += ("the same calls' mean", "the same calls' median")
    head += ("`session.run` median", "LoadGen median", "C program's median", "quiet", "noisy")
    rows = []
    for model, by_way in found.items():
        engine = by_way["standard"]
        rows.append(
            (
                model,
                str(len(engine)),
                _cv(engine, "mean_s"),
                _percent(variation(_over_sentinel(engine)), places=1),
                *(_cv(engine, name) for name in ("plain_mean_s", "plain_median_s")),
                *(_cv(by_way[way], "figure_s") for way in ("plain", "loadgen", "floor")),
                _percent(_median(engine, "quiet_ratio")),
                str(sum(figures["is_noisy"] == 1 for figures in engine)),
            )
        )
    told = (
        "Between fresh processes: the coefficient of variation of what each reports, for the "
        "engine (standard effort) also of that figure divided by the sentinel's best in the same "
        "process (what is left when a clock that differs between processes is taken out), and of "
        "the plain mean and median of the very same calls; the share of bursts that were quiet; "
        "how many runs called themselves noisy."
    )
    return f"{told}\n\n{_table(head, rows)}"


def _coverage(found: dict[str, ByWay]) -> str:
    head = ["model"]
    for effort in EFFORTS:
        head += [f"{effort}: held", "half width", "CV", "measured, s"]
    rows = [
        (model, *(cell for effort in EFFORTS for cell in _coverage_cells(by_way, effort)))
        for model, by_way in found.items()
    ]
    held, count = (sum(numbers) for numbers in zip(*_all_held(found, EFFORTS[0]), strict=True))
    careful_held, careful_count = (
        sum(numbers) for numbers in zip(*_all_held(found, EFFORTS[1]), strict=True)
    )
    told = (
        "How often a process's 95 % interval held the long-run value: the mean over all gated "
        "samples of the model's other processes, of both efforts, noisy ones left out. That value "
        "is uncertain too, which counts against the interval. "
        f"Together: standard {held} of {count}, careful {careful_held} of {careful_count}."
    )
    return f"{told}\n\n{_table(head, rows)}"


def _all_held(found: dict[str, ByWay], effort: str) -> list[tuple[int, int]]:
    return [held_intervals(by_way, effort) for by_way in found.values()]


def _coverage_cells(by_way: ByWay, effort: str) -> tuple[str, ...]:
    held, count = held_intervals(by_way, effort)
    if not count:
        return ("-",) * 4
    widths = [
        (figures["ci95_high_s"] - figures["ci95_low_s"]) / 2 / figures["mean_s"]
        for figures in by_way[effort]
        if "ci95_low_s" in figures
    ]
    wall_s = _median(by_way[effort], "wall_s") or 0
    return (
        f"{held} of {count}",
        _percent(statistics.median(widths), places=1),
        _cv(by_way[effort], "mean_s"),
        f"{wall_s:.0f}",
    )


def held_intervals(by_way: ByWay, effort: str) -> tuple[int, int]:
    """Return how many intervals of ``effort`` held the long-run value, and of how many.

    A process without an interval, and a model with one process alone, say nothing of it.
    """
    everyone = [figures for each in EFFORTS for figures in by_way.get(each, ())]
    held = count = 0
    for figures in by_way.get(effort, ()):
        others = [one for one in everyone if one is not figures and not one["is_noisy"]]
        if "ci95_low_s" in figures and others:
            count += 1
            held += figures["ci95_low_s"] <= long_run_s(others) <= figures["ci95_high_s"]
    return held, count


def long_run_s(runs: Sequence[Figures]) -> float:
    """Return the mean over all gated samples of ``runs``, in seconds.

    >>> long_run_s([{"mean_s": 1.0, "sample_count": 3}, {"mean_s": 2.0, "sample_count": 1}])
    1.25
    """
    sample_count = sum(figures["sample_count"] for figures in runs)
    return sum(figures["mean_s"] * figures["sample_count"] for figures in runs) / sample_count


def variation(values: Sequence[float]) -> float | None:
    """Return the coefficient of variation of two values or more, None of fewer.

    >>> variation([9.0, 10.0, 11.0])
    0.1
    """
    if len(values) < 2:
        return None
    return statistics.stdev(values) / statistics.fmean(values)


def _cv(runs: Sequence[Figures], name: str) -> str:
    return _percent(variation([figures[name] for figures in runs]), places=1)


def _over_sentinel(runs: Sequence[Figures]) -> list[float]:
    return [
        figures["mean_s"] / figures["best_sentinel_s"]
        for figures in runs
        if "best_sentinel_s" in figures
    ]


def _ratio(runs: Sequence[Figures], floor: Sequence[Figures]) -> str:
    """The median over rounds of two ways' fastest tenths, each pair taken one after the other."""
    floor_s = {figures["round"]: figures["fastest_s"] for figures in floor}
    ratios = [
        figures["fastest_s"] / floor_s[figures["round"]]
        for figures in runs
        if figures["round"] in floor_s
    ]
    return f"{statistics.median(ratios):.3f}" if ratios else "-"


def _median(runs: Sequence[Figures], name: str) -> float | None:
    values = [figures[name] for figures in runs if name in figures]
    return statistics.median(values) if values else None


def _us(runs: Sequence[Figures], name: str) -> str:
    median_s = _median(runs, name)
    return "-" if median_s is None else f"{median_s * 1e6:.4g}"


def _percent(ratio: float | None, *, places: int = 0) -> str:
    return "-" if ratio is None else f"{100 * ratio:.{places}f} %"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    line: Callable[[Sequence[str]], str] = lambda cells: f"| {' | '.join(cells)} |"  # noqa: E731
    return "\n".join((line(head), "|---" * len(head) + "|", *map(line, rows)))
