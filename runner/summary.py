"""What somebody who starts the child by hand reads at the end: one sentence."""

from runner.evaluated import EvaluationResult
from runner.results import Answer, InspectionResult, MeasurementResult

_PREFIXES = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))


def summary(answer: Answer, answer_name: str) -> str:
    """Return what came of the job, and the name of the file that has all of it."""
    if answer.failure is not None:
        return f"{answer.failure.message} ({answer.failure.code}, written to {answer_name})"
    if isinstance(answer.result, EvaluationResult):
        seen = answer.result
        ratio = seen.correct_count / seen.item_count
        told = f"{seen.correct_count:,} of {seen.item_count:,} items right ({ratio:.4g})"
        return f"{told}, by the output {seen.output}, written to {answer_name}"
    if not isinstance(answer.result, MeasurementResult):
        did = "Inspected" if isinstance(answer.result, InspectionResult) else "Looked into"
        return f"{did}, written to {answer_name}"
    latency = answer.result.latency
    unit, scale = _prefix(latency.mean_s)
    told = f"{latency.mean_s / scale:.4g} {unit} per inference in the mean"
    if latency.ci95_low_s is not None and latency.ci95_high_s is not None:
        low, high = latency.ci95_low_s / scale, latency.ci95_high_s / scale
        told += f" (95 % interval {low:.4g} to {high:.4g} {unit})"
    if latency.is_noisy:
        told += ", on a noisy machine"
    return f"{told}, written to {answer_name}"


def _prefix(value_s: float) -> tuple[str, float]:
    """The unit that leaves 1 to 999 in front of it, and what it is in seconds."""
    return next((one for one in _PREFIXES if value_s >= one[1]), _PREFIXES[-1])
