"""Compare the engine with a plain loop, LoadGen and a C program, interleaved in one run.

usage: python -m benches.compare_engines [--report]
Every process's figures are added to a file, so it can be stopped and started again: what is
done is not done twice. --report prints the tables of what is there and measures nothing.

BENCH_ROUNDS           fresh processes of each way for each model (10)
BENCH_MODELS           names of models, separated by commas (all eight)
BENCH_CAREFUL          models that are also measured with the careful effort (none)
BENCH_CAREFUL_ROUNDS   processes of it for each (5); each takes 75 to 300 s
BENCH_S                seconds of measuring for the engine, for a short try (what the effort takes)
BENCH_OTHERS_S         seconds of measuring for the other ways (1.2)
BENCH_MINUTES          stop after so long (no limit)
BENCH_FILE             where the figures are kept (.cache/bench/results.jsonl; of a short try,
                       which would spoil the others, short.jsonl beside it)
"""

import json
import os
import platform
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnxruntime

from benches.contestants import Contestants
from benches.models import Subject, subjects
from benches.plan import OTHERS, Plan, Record, Step, expected_s, longest_s, read_records
from benches.plan import still_to_do as steps_to_do
from benches.tables import by_model, tables
from runner.machine import ENGINE_VERSION, describe_machine

# With it the whole plan of eight models takes 40 minutes.
OTHERS_S = 1.2
CACHE = Path(__file__).resolve().parent.parent / ".cache" / "bench"


def main(arguments: list[str]) -> int:
    """Do what is left of the comparison, and print its tables; 1 where there is nothing."""
    usual_name = "short.jsonl" if os.environ.get("BENCH_S") else "results.jsonl"
    path = Path(os.environ.get("BENCH_FILE") or CACHE / usual_name)
    if arguments != ["--report"]:
        path.parent.mkdir(parents=True, exist_ok=True)
        by_name = {subject.name: subject for subject in subjects(CACHE / "models")}
        try:
            plan = _plan(os.environ, list(by_name))
        except ValueError as error:
            print(error, file=sys.stderr)
            return 2
        _do(plan, by_name, path)
    records = read_records(path, setting=_setting())
    if not records:
        print(f"{path} has no figures of this machine and these versions.", file=sys.stderr)
        return 1
    print(f"{_heading(records)}\n\n{tables(by_model(records))}")
    return 0


def _plan(environment: Mapping[str, str], known: list[str]) -> Plan:
    """What is asked for; raises ValueError with a sentence where that makes no sense."""

    def names(variable: str, otherwise: list[str]) -> list[str]:
        chosen = [name for name in environment.get(variable, "").split(",") if name]
        unknown = set(chosen) - set(known)
        if unknown:
            raise ValueError(f"{variable}: no model {', '.join(sorted(unknown))}; {known} can be.")
        return chosen or otherwise

    careful = names("BENCH_CAREFUL", [])
    return Plan(
        models=names("BENCH_MODELS", known),
        round_count=int(environment.get("BENCH_ROUNDS") or 10),
        careful_models=careful,
        careful_round_count=int(environment.get("BENCH_CAREFUL_ROUNDS") or 5) if careful else 0,
        engine_s=float(environment.get("BENCH_S") or 0) or None,
        others_s=float(environment.get("BENCH_OTHERS_S") or OTHERS_S),
    )


def _do(plan: Plan, by_name: Mapping[str, Subject], path: Path) -> None:
    contestants = Contestants(CACHE)
    missing = [way for way in OTHERS if not contestants.is_ready(way)]
    steps = [
        step
        for step in steps_to_do(plan, read_records(path, setting=_setting()))
        if step.way not in missing
    ]
    minutes = float(os.environ.get("BENCH_MINUTES") or "inf")
    _say(
        f"{len(steps)} processes to do: about {expected_s(steps) / 60:.0f} minutes, at most "
        f"{longest_s(steps) / 60:.0f} where the machine is never quiet; stopping after "
        f"{minutes:g}. Figures go to {path}."
    )
    until_s = time.monotonic() + minutes * 60
    for number, step in enumerate(steps):
        if time.monotonic() > until_s:
            _say(f"Time is up; {len(steps) - number} processes are left for the next call.")
            return
        _say(f"{number + 1} of {len(steps)}: {step.model}, {step.way}, round {step.round_number}")
        figures = contestants.time(by_name[step.model], step, is_real=plan.engine_s is None)
        if figures is not None:
            _keep(path, step, figures)


def _keep(path: Path, step: Step, figures: dict[str, float]) -> None:
    record = {
        "round": step.round_number,
        "model": step.model,
        "way": step.way,
        "seconds": step.seconds,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": os.getloadavg()[0],
        "setting": _setting(),
        "figures": figures,
    }
    # A line cut short by a kill would swallow the next one.
    is_cut = path.exists() and path.stat().st_size and not path.read_bytes().endswith(b"\n")
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" * bool(is_cut) + json.dumps(record) + "\n")


def _setting() -> str:
    machine = describe_machine()
    return (
        f"{machine.cpu}, {machine.core_count} cores, "
        f"{'virtual, ' if machine.is_virtual else ''}Linux {machine.kernel}, "
        f"onnxruntime {onnxruntime.__version__}, Python {platform.python_version()}, "
        f"numpy {np.__version__}, engine {ENGINE_VERSION}"
    )


def _heading(records: list[Record]) -> str:
    days = sorted({str(record["at"])[:10] for record in records})
    loads = sorted(record["load"] for record in records)
    seconds = {way: sorted({r["seconds"] for r in records if r["way"] == way}) for way in OTHERS}
    told = {way: "/".join(f"{one:g}" for one in each) for way, each in seconds.items() if each}
    others = ", ".join(f"{way} {text} s" for way, text in told.items())
    return (
        f"{' to '.join(dict.fromkeys((days[0], days[-1])))}, {records[0]['setting']}; load "
        f"{loads[len(loads) // 2]:.1f} in the median, {loads[-1]:.1f} at most (the measuring "
        f"itself is 1). Besides the engine, each process measured for: {others or 'nothing'}."
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
