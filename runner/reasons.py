"""What onnxruntime said when it failed on a model, as a sentence that says what would help."""

import re
from collections.abc import Sequence

import onnxruntime

from runner.endings import means_out_of_memory
from runner.errors import MeasurementFailed
from runner.shapes import PlannedInput

MAX_REASON_LENGTH = 400
SET_SIZES = "Set sizes and ranges for its inputs that it accepts, and run it again."
_SET_VALUES = (
    "The model itself sets the size of every input: give ranges of values that it accepts, or try "
    "it in onnxruntime and export it again."
)
_EXPORT = (
    "Other sizes or values will hardly help: export it with operators and types of numbers that "
    "onnxruntime runs."
)
# What stands before onnxruntime's own words: an error number, a file of its source, a function.
_PREFIX = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")
_SOURCE_PLACE = re.compile(r"\S*/onnxruntime(_src)?/\S+:\d+ (.*?\)( const| \[.*?\])* )?")
# A kernel may be there for an operator and still lack a type or a case of it, which shows only
# when it is called.
_LACKING = re.compile(
    r"not (yet )?(supported|implemented)|unsupported|: NOT_IMPLEMENTED :", re.IGNORECASE
)


def raise_if_memory(error: Exception) -> None:
    """Raise MemoryError where ``error`` says that memory ran out."""
    if means_out_of_memory(str(error)):
        raise MemoryError(str(error)) from error


def model_failed(
    error: Exception, planned: Sequence[PlannedInput], advice: str = SET_SIZES
) -> MeasurementFailed:
    """Return what to raise for a call that ended in ``error`` on the ``planned`` inputs."""
    fed = ", ".join(f"{item.name[:60]} {list(item.shape)}" for item in planned[:6])
    told = f"{reason(error)} It was fed {fed or 'no inputs'}. "
    if _LACKING.search(str(error)):
        lacking = f"onnxruntime {onnxruntime.__version__} cannot do all that this model asks: "
        return MeasurementFailed("not_implemented", lacking + told + _EXPORT)
    if advice == SET_SIZES and all(why == "declared" for item in planned for why in item.why):
        advice = _SET_VALUES
    return MeasurementFailed("model_failed", f"The model failed while it ran: {told}{advice}")


def reason(error: Exception) -> str:
    """Return onnxruntime's own words as one clean, short sentence without places in its source."""
    text = _SOURCE_PLACE.sub("", _PREFIX.sub("", str(error).strip()))
    text = re.sub(r"Load model from \S+ failed:\s*", "", text)
    text = "".join(character if character.isprintable() else " " for character in text)
    text = re.sub(r"\s+", " ", text).strip()
    if len(text) > MAX_REASON_LENGTH:
        text = text[:MAX_REASON_LENGTH].rstrip() + "…"
    if not text:
        return "it gave no reason."
    return text if text[-1] in ".!?…" else f"{text}."
