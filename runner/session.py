"""A model loaded into onnxruntime, and one call of it: how it is set up, fed and told of."""

import contextlib
import functools
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path
from typing import TypeVar

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as native

from runner.errors import MeasurementFailed
from runner.given_files import open_given
from runner.handing_over import HandedOver, hand_over
from runner.inputs import Values
from runner.job import InputChoices
from runner.onnx_file import parse_model
from runner.onnx_files import OnnxFiles
from runner.providers import CPU, Provider
from runner.reasons import SET_SIZES, model_failed, raise_if_memory, reason
from runner.results import OutputSeen
from runner.shapes import PlannedInput, TensorDescription, declared_dimension
from runner.value_ranges import SUPPORTED_DTYPES

T = TypeVar("T")
_BFLOAT16_ONNX_TYPE = 16
_FATAL_ONLY = 4
_SPINNING = "session.intra_op.allow_spinning"
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


@dataclass(slots=True)
class _FirstCall:
    """How long the first call that went through took, also where another way is gone after it."""

    duration_s: float = 0.0

    def timed(self, call: Callable[[], T]) -> T:
        start_ns = time.perf_counter_ns()
        answer = call()
        self.duration_s = self.duration_s or (time.perf_counter_ns() - start_ns) / 1e9
        return answer


def _nothing() -> None:
    """What is done when nobody wants to know."""


class _FromMemory(onnxruntime.InferenceSession):  # type: ignore[misc]
    """A session whose model's bytes live no longer than until they are parsed.

    onnxruntime's own class keeps them as long as the session.
    """

    def __init__(
        self,
        read: Callable[[], HandedOver],
        make_options: Callable[[], onnxruntime.SessionOptions],
        provider: Provider = CPU,
        on_parsed: Callable[[], None] = _nothing,
    ) -> None:
        self._read = read
        self._make_options = make_options
        self._provider = provider
        self._on_parsed = on_parsed
        # A second try without a provider that fails is `load`'s.
        super().__init__(
            b"read later", make_options(), providers=[provider.name], enable_fallback=0
        )

    def _create_inference_session(self, *_: object) -> None:
        parsed = self._parsed()
        self._on_parsed()
        names, settings = zip(*self._provider.wanted, strict=True)
        parsed.initialize_session(list(names), list(settings), set())
        self._given.forget_pages()
        self._bind_session(parsed)

    def _parsed(self) -> native.InferenceSession:
        given, options = self._read(), self._make_options()
        if given.value_by_name:
            names, values = zip(*given.value_by_name.items(), strict=True)
            options.add_external_initializers(list(names), list(values))
        self._given = replace(given, contents=b"")
        return native.InferenceSession(options, given.contents, False, False)


def load(
    files: OnnxFiles,
    *,
    intra_op_threads: int,
    cores: Sequence[int] = (),
    provider: Provider = CPU,
    on_parsed: Callable[[], None] = _nothing,
) -> onnxruntime.InferenceSession:
    """Return the model in ``files`` as a session with just so many threads on the processor.

    Where there is one of ``cores`` for each thread, each thread stays on its own. Where the GPU's
    ``provider`` fails, the session is one on the CPU. ``on_parsed`` is called once the file's
    bytes are gone again and before the session is built of them.
    Raises MeasurementFailed with onnxruntime's reason when it does not take the model.
    """
    with _saying_why(), open_given(files.onnx) as file:
        read = functools.partial(_read, file, files)
        make_options = functools.partial(_options, intra_op_threads, cores)
        if provider.is_gpu:
            with contextlib.suppress(*RUNTIME_ERRORS):
                return _FromMemory(read, make_options, provider, on_parsed)
        return _FromMemory(read, make_options, on_parsed=on_parsed)


def load_to_profile(
    files: OnnxFiles, *, intra_op_threads: int, path: Path
) -> onnxruntime.InferenceSession:
    """Return the model in ``files`` with its graph as it is in the file, and every node timed.

    The profile is written to ``path``. Raises as `load` does.
    """
    make_options = functools.partial(_profiling_options, intra_op_threads, path)
    with _saying_why(), open_given(files.onnx) as file:
        return _FromMemory(functools.partial(_read, file, files), make_options)


def _read(file: FileIO, files: OnnxFiles) -> HandedOver:
    file.seek(0)
    if not files.data:
        return HandedOver(file.readall())
    return hand_over(parse_model(file.readall()), files.mapped_data())


@contextlib.contextmanager
def _saying_why() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MeasurementFailed(
            "missing_file", "The model's file cannot be opened. Upload it again."
        ) from error
    except RUNTIME_ERRORS as error:
        raise_if_memory(error)
        if "configure locales" in str(error):
            raise MeasurementFailed("load_failed", _MISSING_LOCALE) from error
        raise MeasurementFailed(
            "load_failed",
            f"onnxruntime {onnxruntime.__version__} could not load this model: "
            f"{reason(error)} Check that it loads there, or export it again.",
        ) from error


def load_bytes(contents: bytes, *, intra_op_threads: int) -> onnxruntime.InferenceSession:
    """Return a model of ours as a session."""
    make_options = functools.partial(_options, intra_op_threads, ())
    return _FromMemory(lambda: HandedOver(contents), make_options)


def _options(intra_op_threads: int, cores: Sequence[int]) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = intra_op_threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _FATAL_ONLY
    # Spinning burns CPU time between calls, which makes CPU time say nothing.
    options.add_session_config_entry(_SPINNING, "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    if 1 < intra_op_threads == len(cores):
        # The first thread is the caller's own. onnxruntime counts cores from 1.
        others = ";".join(str(core + 1) for core in cores[1:])
        options.add_session_config_entry("session.intra_op_thread_affinities", others)
    # Else a file may claim to be of another format, read by another parser.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    return options


def _profiling_options(intra_op_threads: int, path: Path) -> onnxruntime.SessionOptions:
    options = _options(intra_op_threads, ())
    options.enable_profiling = True
    # open(2) sees nothing behind the NUL, where onnxruntime puts the time: one name is writable.
    options.profile_file_prefix = f"{path}\0"
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    # Weights that a kernel has packed for itself are no operands any more, and have no shape.
    options.add_session_config_entry("session.disable_prepacking", "1")
    return options


def options_of(session: onnxruntime.InferenceSession) -> dict[str, str]:
    """Return how ``session`` was told to run, by onnxruntime's own names."""
    options = session.get_session_options()
    return {
        "allow_spinning": options.get_session_config_entry(_SPINNING),
        "execution_mode": options.execution_mode.name,
        "graph_optimization_level": options.graph_optimization_level.name,
        "inter_op_num_threads": str(options.inter_op_num_threads),
        "intra_op_num_threads": str(options.intra_op_num_threads),
    }


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
    first_call = _FirstCall()
    if all(item.dtype in SUPPORTED_DTYPES and item.dtype != "string" for item in planned):
        try:
            return _bound(session, planned, values, first_call)
        # A wrong declared rank and outputs that are no tensors break binding, but not `run`.
        except RUNTIME_ERRORS as error:
            raise_if_memory(error)
    try:
        return _unbound(session, planned, values, first_call)
    except RUNTIME_ERRORS as error:
        raise_if_memory(error)
        raise model_failed(error, planned) from error


def call_or_fail(
    call: Callable[[], T], planned: Sequence[PlannedInput], *, advice: str = SET_SIZES
) -> T:
    """Return what ``call``, of one or more inferences, returns.

    Raises MeasurementFailed, with ``advice`` at its end, when the model fails.
    """
    try:
        return call()
    except RUNTIME_ERRORS as error:
        raise_if_memory(error)
        raise model_failed(error, planned, advice) from error


def _bound(
    session: onnxruntime.InferenceSession,
    planned: Sequence[PlannedInput],
    values: Mapping[str, Values],
    first_call: _FirstCall,
) -> Inference:
    binding = session.io_binding()
    for item in planned:
        binding.bind_ortvalue_input(item.name, _native_value(item, values[item.name]))
    for output in session.get_outputs():
        binding.bind_output(output.name)

    call = _bound_call(session, binding)
    first_call.timed(call)
    # The second call finds the outputs of the first bound: only now a wrong rank is refused.
    call()
    found = zip(session.get_outputs(), binding.get_outputs(), strict=True)
    outputs = tuple(
        OutputSeen(declared.name, _dtype(value.data_type()), tuple(value.shape()))
        for declared, value in found
    )
    return Inference(call, True, first_call.duration_s, outputs, kept_alive=binding)


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


def _unbound(
    session: onnxruntime.InferenceSession,
    planned: Sequence[PlannedInput],
    values: Mapping[str, Values],
    first_call: _FirstCall,
) -> Inference:
    names = [output.name for output in session.get_outputs()]
    call: Callable[[], list[object]] = functools.partial(session.run, names, dict(values))
    # numpy has no such type, so `run` would take its bits for whole numbers.
    if any(item.dtype == "bfloat16" for item in planned):
        native_values = {item.name: _native_value(item, values[item.name]) for item in planned}
        call = functools.partial(session.run_with_ort_values, names, native_values)
    answers = first_call.timed(call)
    outputs = tuple(
        OutputSeen(declared.name, _dtype(declared.type), _shape_of(answer))
        for declared, answer in zip(session.get_outputs(), answers, strict=True)
    )
    return Inference(call, False, first_call.duration_s, outputs)


def _shape_of(answer: object) -> tuple[int, ...] | None:
    if isinstance(answer, onnxruntime.OrtValue):
        return tuple(answer.shape()) if answer.is_tensor() else None
    shape = getattr(answer, "shape", None)
    return None if shape is None else tuple(int(size) for size in shape)
