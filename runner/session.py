"""A model loaded into onnxruntime, and one call of it: how it is set up, fed and told of."""

import contextlib
import functools
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as native

from runner.endings import means_out_of_memory
from runner.errors import MeasurementFailed
from runner.given_files import open_given
from runner.inputs import Values
from runner.job import InputChoices
from runner.providers import CPU, Provider
from runner.results import OutputSeen
from runner.shapes import PlannedInput, TensorDescription, declared_dimension
from runner.value_ranges import SUPPORTED_DTYPES

T = TypeVar("T")
_BFLOAT16_ONNX_TYPE = 16
_FATAL_ONLY = 4
MAX_REASON_LENGTH = 400
_MISSING_LOCALE = (
    "This model normalises text for a language that the measuring machine does not have. "
    "Ask whoever runs it to install the locale en_US.UTF-8, then run it again."
)

RUNTIME_ERRORS: tuple[type[Exception], ...] = (
    *(
        kind
        for kind in vars(native).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ),
    RuntimeError,
    ValueError,
    TypeError,
)
_DTYPES = {
    **{"float": "float32", "double": "float64", "float16": "float16", "bfloat16": "bfloat16"},
    **{f"{sign}int{bits}": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **{"bool": "bool", "string": "string"},
}
_TENSOR_TYPE = re.compile(r"tensor\((\w+)\)")
# What stands before onnxruntime's own words: an error number, a file of its source, a function.
_PREFIX = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")
_SOURCE_PLACE = re.compile(r"\S*/onnxruntime(_src)?/\S+:\d+ (.*?\)( const| \[.*?\])* )?")


@dataclass(frozen=True, slots=True)
class Inference:
    """A model with its inputs in place: ``call`` does one inference of the whole batch.

    ``kept_alive`` owns the memory that a native call reads from.
    """

    call: Callable[[], object]
    uses_io_binding: bool
    first_call_s: float
    outputs: tuple[OutputSeen, ...]
    kept_alive: object = None


def _nothing() -> None:
    """What is done when nobody wants to know."""


class _FromMemory(onnxruntime.InferenceSession):  # type: ignore[misc]
    """A session whose model's bytes live no longer than until they are parsed.

    onnxruntime's own class keeps them as long as the session.
    """

    def __init__(
        self,
        read: Callable[[], bytes],
        options: onnxruntime.SessionOptions,
        provider: Provider = CPU,
        on_parsed: Callable[[], None] = _nothing,
    ) -> None:
        self._read = read
        self._provider = provider
        self._on_parsed = on_parsed
        # A second try without a provider that fails is `load`'s.
        super().__init__(b"read later", options, providers=[provider.name], enable_fallback=0)

    def _create_inference_session(self, *_: object) -> None:
        parsed = native.InferenceSession(self._sess_options, self._read(), False, False)
        self._on_parsed()
        names, settings = zip(*self._provider.wanted, strict=True)
        parsed.initialize_session(list(names), list(settings), set())
        self._bind_session(parsed)


def load(
    path: Path,
    *,
    intra_op_threads: int,
    cores: Sequence[int] = (),
    provider: Provider = CPU,
    on_parsed: Callable[[], None] = _nothing,
) -> onnxruntime.InferenceSession:
    """Return the model at ``path`` as a session with just so many threads on the processor.

    Where there is one of ``cores`` for each thread, each thread stays on its own. Where the GPU's
    ``provider`` fails, the session is one on the CPU. ``on_parsed`` is called once the file's
    bytes are gone again and before the session is built of them.
    Raises MeasurementFailed with onnxruntime's reason when it does not take the model.
    """
    options = _options(intra_op_threads, cores)
    with _saying_why(), open_given(path) as file:
        if provider.is_gpu:
            with contextlib.suppress(*RUNTIME_ERRORS):
                return _FromMemory(file.readall, options, provider, on_parsed)
            file.seek(0)
        return _FromMemory(file.readall, options, on_parsed=on_parsed)


def load_to_profile(
    path: Path, *, intra_op_threads: int, prefix: Path
) -> onnxruntime.InferenceSession:
    """Return the model at ``path`` with its graph as it is in the file, and every node timed.

    The profile's path begins with ``prefix``. Raises as `load` does.
    """
    options = _options(intra_op_threads, ())
    options.enable_profiling = True
    options.profile_file_prefix = str(prefix)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    # Weights that a kernel has packed for itself are no operands any more, and have no shape.
    options.add_session_config_entry("session.disable_prepacking", "1")
    with _saying_why(), open_given(path) as file:
        return _FromMemory(file.readall, options)


@contextlib.contextmanager
def _saying_why() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MeasurementFailed(
            "missing_file", "The model's file cannot be opened. Upload it again."
        ) from error
    except RUNTIME_ERRORS as error:
        _raise_if_memory(error)
        if "configure locales" in str(error):
            raise MeasurementFailed("load_failed", _MISSING_LOCALE) from error
        raise MeasurementFailed(
            "load_failed",
            f"onnxruntime {onnxruntime.__version__} could not load this model: "
            f"{_reason(error)} Check that it loads there, or export it again.",
        ) from error


def load_bytes(contents: bytes, *, intra_op_threads: int) -> onnxruntime.InferenceSession:
    """Return a model of ours as a session."""
    return _FromMemory(lambda: contents, _options(intra_op_threads, ()))


def _options(intra_op_threads: int, cores: Sequence[int]) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = intra_op_threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _FATAL_ONLY
    # Spinning burns CPU time between calls, which makes CPU time say nothing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    if 1 < intra_op_threads == len(cores):
        # The first thread is the caller's own. onnxruntime counts cores from 1.
        others = ";".join(str(core + 1) for core in cores[1:])
        options.add_session_config_entry("session.intra_op_thread_affinities", others)
    # Else a file may claim to be of another format, read by another parser.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    return options


def declared_inputs(
    session: onnxruntime.InferenceSession, choices: InputChoices
) -> tuple[TensorDescription, ...]:
    """Return what the loaded model wants to be fed."""
    return tuple(
        TensorDescription(
            wanted.name,
            _dtype(wanted.type),
            _shape(wanted.shape, is_chosen=wanted.name in choices.shapes),
        )
        for wanted in session.get_inputs()
    )


def _shape(declared: Sequence[object], *, is_chosen: bool) -> tuple[int | str | None, ...] | None:
    # onnxruntime says [] both for a lone number and for a rank that is not declared.
    if not declared and is_chosen:
        return None
    return tuple(
        declared_dimension(size)
        if isinstance(size, str) or (isinstance(size, int) and size > 0)
        else None
        for size in declared
    )


def _dtype(spoken: str) -> str:
    """numpy's name for ``tensor(float)``; other kinds, and other types, are named as they are."""
    found = _TENSOR_TYPE.fullmatch(spoken)
    return _DTYPES.get(found[1], found[1]) if found else spoken


def prepare(
    session: onnxruntime.InferenceSession,
    planned: Sequence[PlannedInput],
    values: Mapping[str, Values],
) -> Inference:
    """Return ``session`` ready to be called, after its first call.

    Raises MeasurementFailed with onnxruntime's reason when the model fails on these inputs.
    """
    if all(item.dtype in SUPPORTED_DTYPES and item.dtype != "string" for item in planned):
        try:
            return _bound(session, planned, values)
        # A wrong declared rank and outputs that are no tensors break binding, but not `run`.
        except RUNTIME_ERRORS as error:
            _raise_if_memory(error)
            if any(item.dtype == "bfloat16" for item in planned):
                raise _model_failed(error, planned) from error
    try:
        return _unbound(session, values)
    except RUNTIME_ERRORS as error:
        _raise_if_memory(error)
        raise _model_failed(error, planned) from error


def call_or_fail(call: Callable[[], T], planned: Sequence[PlannedInput]) -> T:
    """Return what ``call``, of one or more inferences, returns.

    Raises MeasurementFailed when the model fails where it did not before.
    """
    try:
        return call()
    except RUNTIME_ERRORS as error:
        _raise_if_memory(error)
        raise _model_failed(error, planned) from error


def _bound(
    session: onnxruntime.InferenceSession,
    planned: Sequence[PlannedInput],
    values: Mapping[str, Values],
) -> Inference:
    binding = session.io_binding()
    for item in planned:
        binding.bind_ortvalue_input(item.name, _native_value(item, values[item.name]))
    for output in session.get_outputs():
        binding.bind_output(output.name)

    call = _bound_call(session, binding)
    start_ns = time.perf_counter_ns()
    call()
    first_call_s = (time.perf_counter_ns() - start_ns) / 1e9
    # The second call finds the outputs of the first bound: only now a wrong rank is refused.
    call()
    found = zip(session.get_outputs(), binding.get_outputs(), strict=True)
    outputs = tuple(
        OutputSeen(declared.name, _dtype(value.data_type()), tuple(value.shape()))
        for declared, value in found
    )
    return Inference(call, True, first_call_s, outputs, kept_alive=binding)


def _bound_call(
    session: onnxruntime.InferenceSession, binding: onnxruntime.IOBinding
) -> Callable[[], object]:
    """One inference with as little Python around it as there can be.

    The wrapper's checks and its new RunOptions for every call take 1.6 us, as long as a tiny
    model itself. They are left out where onnxruntime keeps its native objects where we know.
    """
    try:
        native_run = session._sess.run_with_iobinding
        return functools.partial(native_run, binding._iobinding, onnxruntime.RunOptions())
    except AttributeError:
        return functools.partial(session.run_with_iobinding, binding)


def _native_value(item: PlannedInput, values: Values) -> onnxruntime.OrtValue:
    if item.dtype == "bfloat16":
        return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(values, _BFLOAT16_ONNX_TYPE)
    return onnxruntime.OrtValue.ortvalue_from_numpy(values)


def _unbound(session: onnxruntime.InferenceSession, values: Mapping[str, Values]) -> Inference:
    names = [output.name for output in session.get_outputs()]
    feeds = dict(values)

    def call() -> object:
        return session.run(names, feeds)

    start_ns = time.perf_counter_ns()
    answers = session.run(names, feeds)
    first_call_s = (time.perf_counter_ns() - start_ns) / 1e9
    outputs = tuple(
        OutputSeen(declared.name, _dtype(declared.type), _shape_of(answer))
        for declared, answer in zip(session.get_outputs(), answers, strict=True)
    )
    return Inference(call, False, first_call_s, outputs)


def _shape_of(answer: object) -> tuple[int, ...] | None:
    shape = getattr(answer, "shape", None)
    return None if shape is None else tuple(int(size) for size in shape)


def _raise_if_memory(error: Exception) -> None:
    if means_out_of_memory(str(error)):
        raise MemoryError(str(error)) from error


def _model_failed(error: Exception, planned: Sequence[PlannedInput]) -> MeasurementFailed:
    fed = ", ".join(f"{item.name[:60]} {list(item.shape)}" for item in planned[:6])
    return MeasurementFailed(
        "model_failed",
        f"The model failed while it ran: {_reason(error)} It was fed {fed or 'no inputs'}. "
        "Set sizes and ranges for its inputs that it accepts, and run it again.",
    )


def _reason(error: Exception) -> str:
    """onnxruntime's own words as one clean, short sentence without places in its source."""
    text = _SOURCE_PLACE.sub("", _PREFIX.sub("", str(error).strip()))
    text = re.sub(r"Load model from \S+ failed:\s*", "", text)
    text = "".join(character if character.isprintable() else " " for character in text)
    text = re.sub(r"\s+", " ", text).strip()
    if len(text) > MAX_REASON_LENGTH:
        text = text[:MAX_REASON_LENGTH].rstrip() + "…"
    if not text:
        return "it gave no reason."
    return text if text[-1] in ".!?…" else f"{text}."
