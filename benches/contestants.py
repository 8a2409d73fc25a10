"""Each way of timing a model, started as a fresh process, and the figures that come of it."""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from benches.models import Subject
from benches.plan import EFFORTS, Step
from runner import cores
from runner.job import Job
from runner.known_best import KnownBest
from runner.launch import run
from runner.results import Failure, MeasurementResult

ROOT = Path(__file__).resolve().parent.parent
OTHER_S = 120
# What a run does beside measuring and loading, and is no cost of the engine's: warming up.
WARM_UP_S = 0.3

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Contestants:
    """The ways of timing, made ready below ``cache``."""

    cache: Path

    def is_ready(self, way: str) -> bool:
        """Fetch or compile what ``way`` needs; False, and said why, where that fails."""
        commands = {
            "loadgen": [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
                *("--upgrade", "--target", str(self._loadgen), "mlcommons-loadgen"),
            ],
            "floor": ["cc", "-O2", "-o", str(self._floor), f"{ROOT}/benches/floor.c", "-ldl"],
        }
        if way not in commands or (way == "loadgen" and self._loadgen.exists()):
            return True
        try:
            subprocess.run(commands[way], check=True, timeout=OTHER_S)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"SKIPPED {way}: it could not be made ready ({error}).", file=sys.stderr)
            return False
        return True

    def time(self, subject: Subject, step: Step, *, is_real: bool) -> Figures | None:
        """Return the figures of one fresh process, None (and said why) where it failed.

        ``is_real`` leaves it to the engine's effort how long it measures.
        """
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            try:
                if step.way in EFFORTS:
                    return self._by_engine(subject, step, folder, None if is_real else step.seconds)
                if step.way == "floor":
                    return self._by_floor(subject, step.seconds)
                return json.loads(self._by_loop(step.way, subject, step.seconds, folder))
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                print(f"FAILED {step.way} on {subject.name}: {error}", file=sys.stderr)
                return None

    @property
    def _loadgen(self) -> Path:
        return self.cache / "loadgen"

    @property
    def _floor(self) -> Path:
        return self.cache / "floor"

    def _by_engine(
        self, subject: Subject, step: Step, folder: Path, measuring_s: float | None
    ) -> Figures | None:
        known_best = KnownBest.of_this_machine(self.cache / "known_best.json")
        job = Job(
            "measure",
            str(subject.path),
            effort=step.way,
            inputs=subject.inputs,
            measuring_s=measuring_s,
            best_sentinel_s=known_best.sentinel_s(),
            speed_spread=known_best.speed_spread(),
        )
        start_s = time.perf_counter()
        result = run(job, folder)
        wall_s = time.perf_counter() - start_s
        if isinstance(result, Failure):
            print(f"FAILED engine on {subject.name}: {result.message}", file=sys.stderr)
            return None
        known_best.remember(result.timing.best_sentinel_s)
        return _engine_figures(result, wall_s)

    def _by_floor(self, subject: Subject, seconds: float) -> Figures:
        inputs = self.cache / "inputs" / subject.name
        if not (inputs / "spec.txt").exists():
            inputs.mkdir(parents=True, exist_ok=True)
            self._by_loop("inputs", subject, seconds, inputs)
        library = next((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.*"))
        command = [str(self._floor), str(library), str(subject.path), str(seconds)]
        # On the core that the engine uses, so that the two differ in nothing but the program.
        before = os.sched_getaffinity(0)
        try:
            cores.pin(1)
            done = subprocess.run(
                [*command, f"{inputs}/spec.txt"],
                check=True,
                capture_output=True,
                text=True,
                timeout=seconds + OTHER_S,
            )
        finally:
            os.sched_setaffinity(0, before)
        return json.loads(done.stdout)

    def _by_loop(self, way: str, subject: Subject, seconds: float, folder: Path) -> str:
        choices = json.dumps(asdict(subject.inputs))
        command = [sys.executable, "-m", "benches.loops", way, str(subject.path), str(seconds)]
        done = subprocess.run(
            [*command, choices, str(folder)],
            check=True,
            capture_output=True,
            text=True,
            timeout=seconds + OTHER_S,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(self._loadgen), "ORT_DISABLE_TELEMETRY": "1"},
        )
        return done.stdout


def _engine_figures(result: MeasurementResult, wall_s: float) -> Figures:
    latency = result.latency
    known_s = result.load_s + result.first_call_s + result.measuring_wall_s
    figures = {
        "mean_s": latency.mean_s,
        "median_s": latency.median_s,
        "fastest_s": float(np.percentile(result.samples_s, 10)),
        "sample_count": latency.sample_count,
        "plain_mean_s": result.as_measured.mean_s,
        "plain_median_s": result.as_measured.median_s,
        "quiet_ratio": latency.quiet_ratio,
        "is_noisy": latency.is_noisy,
        "ci95_low_s": latency.ci95_low_s,
        "ci95_high_s": latency.ci95_high_s,
        "round_count": result.timing.round_count,
        "best_sentinel_s": result.timing.best_sentinel_s,
        "known_best_sentinel_s": result.timing.known_best_sentinel_s,
        "speed_spread": result.timing.speed_spread,
        "wall_s": result.measuring_wall_s,
        "added_s": wall_s - known_s - max(WARM_UP_S, 2 * latency.mean_s),
    }
    return {name: float(value) for name, value in figures.items() if value is not None}
