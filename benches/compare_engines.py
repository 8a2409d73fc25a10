"""Compare the engine with a plain loop, LoadGen and a C program, interleaved in one run.

usage: python -m benches.compare_engines
BENCH_S        seconds of measuring per process (5)
BENCH_ROUNDS   fresh processes of each way for each model (10)
BENCH_MODELS   names of models, separated by commas (all)
BENCH_JSON     a file that every single figure is written to (none)
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import onnxruntime

from benches.models import Subject, subjects
from runner import cores
from runner.job import Job
from runner.launch import run
from runner.machine import describe_machine
from runner.results import Failure

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench"
LOADGEN = CACHE / "loadgen"
FLOOR = CACHE / "floor"
WAYS = ("engine", "plain", "loadgen", "floor")
# What a run does beside measuring and loading, and is no cost of the engine's: warming up.
WARM_UP_S = 0.3
OTHER_S = 120

Figures = dict[str, float]


def main() -> None:
    """Run the whole comparison and print its tables."""
    seconds = float(os.environ.get("BENCH_S", "5"))
    round_count = int(os.environ.get("BENCH_ROUNDS", "10"))
    wanted = os.environ.get("BENCH_MODELS", "")
    chosen = [s for s in subjects(CACHE / "models") if not wanted or s.name in wanted.split(",")]
    ways = [way for way in WAYS if _is_ready(way)]
    found: dict[str, dict[str, list[Figures]]] = defaultdict(lambda: defaultdict(list))
    for number in range(round_count):
        for subject in chosen:
            for way in ways:
                figures = _time(way, subject, seconds)
                if figures is not None:
                    found[subject.name][way].append(figures)
        print(f"round {number + 1} of {round_count} done", file=sys.stderr, flush=True)
        _write(found)
    _print_heading(seconds, round_count)
    _print_times(found, ways)
    _print_repeatability(found, ways)


def _is_ready(way: str) -> bool:
    CACHE.mkdir(parents=True, exist_ok=True)
    commands = {
        "loadgen": [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
            *("--upgrade", "--target", str(LOADGEN), "mlcommons-loadgen"),
        ],
        "floor": ["cc", "-O2", "-o", str(FLOOR), str(ROOT / "benches" / "floor.c"), "-ldl"],
    }
    if way not in commands or (way == "loadgen" and LOADGEN.exists()):
        return True
    try:
        subprocess.run(commands[way], check=True, timeout=OTHER_S)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"SKIPPED {way}: it could not be made ready ({error}).")
        return False
    return True


def _time(way: str, subject: Subject, seconds: float) -> Figures | None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            if way == "engine":
                return _by_engine(subject, seconds, folder)
            if way == "floor":
                return _by_floor(subject, seconds, folder)
            return json.loads(_contestant(way, subject, seconds, folder))
        except subprocess.SubprocessError as error:
            print(f"FAILED {way} on {subject.name}: {error}")
            return None


def _by_engine(subject: Subject, seconds: float, folder: Path) -> Figures | None:
    job = Job("measure", str(subject.path), inputs=subject.inputs, measuring_s=seconds)
    start_s = time.perf_counter()
    result = run(job, folder)
    wall_s = time.perf_counter() - start_s
    if isinstance(result, Failure):
        print(f"FAILED engine on {subject.name}: {result.message}")
        return None
    latency = result.latency
    known_s = result.load_s + result.first_call_s + result.measuring_wall_s
    figures = {
        "figure_s": latency.mean_s,
        "median_s": latency.median_s,
        "fastest_s": min(result.samples_s),
        "plain_median_s": result.as_measured.median_s,
        "quiet_ratio": latency.quiet_ratio,
        "is_noisy": latency.is_noisy,
        "ci95_low_s": latency.ci95_low_s,
        "ci95_high_s": latency.ci95_high_s,
        "added_s": wall_s - known_s - max(WARM_UP_S, 2 * latency.mean_s),
    }
    return {name: float(value) for name, value in figures.items() if value is not None}


def _by_floor(subject: Subject, seconds: float, folder: Path) -> Figures:
    _contestant("inputs", subject, seconds, folder)
    library = next((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.*"))
    command = [str(FLOOR), str(library), str(subject.path), str(seconds), f"{folder}/spec.txt"]
    # On the core that the engine uses, so that the two differ in nothing but the program.
    before = os.sched_getaffinity(0)
    try:
        cores.pin(1)
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=seconds + OTHER_S
        )
    finally:
        os.sched_setaffinity(0, before)
    return json.loads(done.stdout)


def _contestant(way: str, subject: Subject, seconds: float, folder: Path) -> str:
    choices = json.dumps(asdict(subject.inputs))
    command = [sys.executable, "-m", "benches.contestants", way, str(subject.path), str(seconds)]
    done = subprocess.run(
        [*command, choices, str(folder)],
        check=True,
        capture_output=True,
        text=True,
        timeout=seconds + OTHER_S,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(LOADGEN), "ORT_DISABLE_TELEMETRY": "1"},
    )
    return done.stdout


def _write(found: dict[str, dict[str, list[Figures]]]) -> None:
    path = os.environ.get("BENCH_JSON")
    if path:
        Path(path).write_text(json.dumps(found, indent=1))


def _print_heading(seconds: float, round_count: int) -> None:
    machine = describe_machine()
    load = os.getloadavg()[0]
    print(
        f"\n{datetime.now(UTC):%Y-%m-%d}, {machine.cpu}, {machine.core_count} cores, "
        f"onnxruntime {onnxruntime.__version__}, {round_count} fresh processes x {seconds:g} s, "
        f"load {load:.1f} at the end"
    )


def _print_times(found: dict[str, dict[str, list[Figures]]], ways: list[str]) -> None:
    print("\nPer call, us: the median over processes of the figure that each reports; and of its")
    print("fastest percent (engine: fastest sample shown), engine over floor")
    print("| model | " + " | ".join(ways) + " | engine fastest | floor fastest | ratio |")
    print("|---" * (len(ways) + 4) + "|")
    for name, by_way in found.items():
        cells = [_microseconds(by_way[way], "figure_s") for way in ways]
        fastest = [_median(by_way[way], "fastest_s") for way in ("engine", "floor")]
        cells += [_microseconds(by_way[way], "fastest_s") for way in ("engine", "floor")]
        ratio = f"{fastest[0] / fastest[1]:.3f}" if all(fastest) else "-"
        print(f"| {name} | " + " | ".join(cells) + f" | {ratio} |")


def _print_repeatability(found: dict[str, dict[str, list[Figures]]], ways: list[str]) -> None:
    print(
        "\nBetween processes: CV of the reported figure; how often the engine's 95 % interval held"
    )
    print("the mean of its other processes; the quiet share; what a run adds to loading and timing")
    head = [f"CV {way}" for way in ways]
    print("| model | " + " | ".join(head) + " | held | quiet | noisy runs | added s |")
    print("|---" * (len(ways) + 5) + "|")
    for name, by_way in found.items():
        engine = by_way["engine"]
        cells = [_variation(by_way[way]) for way in ways]
        cells += [_coverage(engine), f"{_median(engine, 'quiet_ratio') or 0:.2f}"]
        noisy_count = sum(figures["is_noisy"] == 1 for figures in engine)
        cells += [f"{noisy_count} of {len(engine)}", f"{_median(engine, 'added_s') or 0:.2f}"]
        print(f"| {name} | " + " | ".join(cells) + " |")


def _median(runs: list[Figures], name: str) -> float | None:
    values = [figures[name] for figures in runs if name in figures]
    return statistics.median(values) if values else None


def _microseconds(runs: list[Figures], name: str) -> str:
    median_s = _median(runs, name)
    return "-" if median_s is None else f"{median_s * 1e6:.4g}"


def _variation(runs: list[Figures]) -> str:
    values = [figures["figure_s"] for figures in runs]
    if len(values) < 2:
        return "-"
    return f"{100 * statistics.stdev(values) / statistics.fmean(values):.1f} %"


def _coverage(runs: list[Figures]) -> str:
    """How many intervals held the mean of the other processes, of those that gave one."""
    means_s = [figures["figure_s"] for figures in runs]
    held = [
        figures["ci95_low_s"]
        <= (sum(means_s) - figures["figure_s"]) / (len(runs) - 1)
        <= figures["ci95_high_s"]
        for figures in runs
        if "ci95_low_s" in figures and len(runs) > 1
    ]
    return f"{sum(held)} of {len(held)}" if held else "-"


if __name__ == "__main__":
    main()
