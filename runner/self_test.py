"""A worker tries its own cage: a model of ours is measured in it, and every way out is tried."""

import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from runner.attempts import ATTEMPTS, REFUSED
from runner.job import Job
from runner.launch import child_environment, python_command, run
from runner.layers import Sandbox
from runner.results import Failure, MeasurementResult
from runner.tiny_model import TINY_MODEL

TIMEOUT_S = 30
_MEASURING_S = 0.05


@dataclass(frozen=True, slots=True)
class CageCheck:
    """Which layers stood, which attempts to get out worked, and why nothing could be measured."""

    sandbox: Sandbox
    escapes: tuple[str, ...] = ()
    failure: str = ""

    @property
    def is_enough(self) -> bool:
        """Whether strangers' models may be measured here."""
        return self.sandbox.is_enough and not self.escapes and not self.failure

    @property
    def is_complete(self) -> bool:
        """Whether nothing at all is missing."""
        return self.is_enough and self.sandbox.is_complete

    def complaints(self) -> list[str]:
        """Return what is not as it should be, one sentence each."""
        lines = [f"{one.layer} is not active: {one.reason}." for one in self.sandbox.missing]
        lines += [f"From inside, “{name}” succeeded." for name in self.escapes]
        return [*lines, f"Nothing can be measured in it: {self.failure}"] if self.failure else lines


def check() -> CageCheck:
    """Return how the cage stands on this machine; takes about a second."""
    with tempfile.TemporaryDirectory(prefix="cage-") as folder:
        outcome = _measure_ours(Path(folder))
        escapes = tuple(name for name in ATTEMPTS if not _is_refused(name, Path(folder)))
    if isinstance(outcome, Failure):
        return CageCheck(Sandbox(), escapes, outcome.message)
    return CageCheck(outcome.sandbox, escapes)


def print_check() -> int:
    """Print how the cage stands; return 0 where strangers' models may be measured."""
    found = check()
    for layer in found.sandbox.layers:
        print(f"active   {layer}")
    for line in found.complaints():
        print(f"missing  {line}")
    print("Models can be measured safely." if found.is_enough else "Not enough for strangers.")
    return 0 if found.is_enough else 1


def _measure_ours(folder: Path) -> MeasurementResult | Failure:
    path = folder / "model.onnx"
    path.write_bytes(TINY_MODEL)
    job = Job("measure", str(path), effort="quick", measuring_s=_MEASURING_S)
    outcome = run(job, folder)
    # What a measuring job gives back is a measurement, or it is refused before it gets here.
    assert isinstance(outcome, MeasurementResult | Failure)  # noqa: S101
    return outcome


def _is_refused(name: str, folder: Path) -> bool:
    try:
        done = subprocess.run(
            [*python_command(), "--attempt", name],
            cwd=folder,
            env=child_environment(folder),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode in {REFUSED, -signal.SIGSYS}
