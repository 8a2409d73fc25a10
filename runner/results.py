"""What a child answers, as JSON, and how little of it is believed.

Field names are the database's and the API's; a measurement or an inspection that holds
together is the only thing that leaves `read_answer`.
"""

from dataclasses import dataclass, field
from typing import Literal

from runner.composition import Composition
from runner.descriptions import TensorDescription
from runner.errors import Nonsense
from runner.evaluated import EvaluationResult
from runner.job import SCHEMA, Kind
from runner.layers import Sandbox
from runner.messages import decode, parse_json, to_json
from runner.meters.metered import Metered

MAX_SAMPLES_KEPT = 2_000
MAX_CODE_LENGTH = 40
# It takes about 30 us, and is timed in whole nanoseconds.
SHORTEST_SENTINEL_S, LONGEST_SENTINEL_S = 1e-9, 1.0
Phase = Literal[
    "starting",
    "inspecting",
    "loading",
    "warming_up",
    "measuring",
    "finishing",
    "profiling",
    "evaluating",
]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no result: a stable code and one sentence for the reader."""

    code: str
    message: str

    def __post_init__(self) -> None:
        if not 0 < len(self.code) <= MAX_CODE_LENGTH or not self.message:
            raise Nonsense("failure", "says nothing, or at too great a length")


@dataclass(frozen=True, slots=True)
class Progress:
    """What a child is doing now, and how many inferences it has timed so far."""

    phase: Phase
    sample_count: int = 0

    @classmethod
    def from_json(cls, text: str | bytes) -> "Progress":
        """Read a progress file; raises Nonsense when it is none."""
        return decode(cls, parse_json(text))


@dataclass(frozen=True, slots=True)
class InspectionResult:
    """What a model file says about itself, found without running it.

    ``mac_count`` and ``flop_count`` are for one inference with every free dimension 1, and
    None when an operator in ``uncounted_operators`` could not be counted.
    """

    opset: int | None
    opset_imports: dict[str, int]
    ir_version: int
    producer: str
    inputs: tuple[TensorDescription, ...]
    outputs: tuple[TensorDescription, ...]
    parameter_count: int
    mac_count: int | None
    flop_count: int | None
    uncounted_operators: tuple[str, ...]
    node_count: int
    operators: dict[str, int]

    def __post_init__(self) -> None:
        for name in ("parameter_count", "mac_count", "flop_count", "node_count"):
            if (getattr(self, name) or 0) < 0:
                raise Nonsense(name, "must not be negative")


@dataclass(frozen=True, slots=True)
class Latency:
    """What the samples say about one inference: a call's time divided by the batch size.

    ``quiet_ratio`` is the share of bursts that nothing else slowed, and the samples are those
    of these bursts; where these are too few they are all samples, and ``is_noisy`` is true.
    The interval is a Student t-interval over the means of the rounds.
    """

    mean_s: float
    median_s: float
    stdev_s: float
    min_s: float
    max_s: float
    p90_s: float
    p95_s: float
    p99_s: float
    ci95_low_s: float | None
    ci95_high_s: float | None
    sample_count: int
    quiet_ratio: float | None = None
    is_noisy: bool | None = None

    def __post_init__(self) -> None:
        rising = (0.0, self.min_s, self.median_s, self.p90_s, self.p95_s, self.p99_s, self.max_s)
        if list(rising) != sorted(rising) or self.mean_s <= 0:
            raise Nonsense("latency", "does not hold together")
        if not self.min_s <= self.mean_s * (1 + 1e-9) or self.mean_s > self.max_s * (1 + 1e-9):
            raise Nonsense("latency.mean_s", "lies outside the samples")
        if self.stdev_s < 0 or self.sample_count < 1:
            raise Nonsense("latency", "must not be negative")


@dataclass(frozen=True, slots=True)
class AsMeasured:
    """All samples of a run, the disturbed ones included, per inference."""

    mean_s: float
    median_s: float
    p90_s: float
    p95_s: float
    p99_s: float
    max_s: float
    sample_count: int


@dataclass(frozen=True, slots=True)
class Timing:
    """How the samples were taken, and in ``notes`` what they cannot tell, as sentences.

    A sample is the mean of ``calls_per_sample`` calls. ``round_count`` counts the rounds that
    the interval rests on. ``best_sentinel_s`` is the sentinel's best in this run, and
    ``known_best_sentinel_s`` its best in earlier runs that it was held to, ``speed_spread`` how far
    from its usual speed the machine was in those, which the interval includes; if any was known.
    ``cores`` is empty where the system let none be chosen.
    """

    calls_per_sample: int = 1
    burst_count: int = 0
    quiet_burst_count: int = 0
    round_count: int = 0
    best_sentinel_s: float | None = None
    cores: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    known_best_sentinel_s: float | None = None
    speed_spread: float | None = None

    def __post_init__(self) -> None:
        if self.calls_per_sample < 1 or not 0 <= self.quiet_burst_count <= self.burst_count:
            raise Nonsense("timing", "does not hold together")
        # Kept for later runs, which work with it: one made up must not take them out of bounds.
        best_s = self.best_sentinel_s
        if best_s is not None and not SHORTEST_SENTINEL_S <= best_s <= LONGEST_SENTINEL_S:
            raise Nonsense("timing.best_sentinel_s", "is no time that the sentinel takes")


@dataclass(frozen=True, slots=True)
class InputUsed:
    """An input as it was fed, and for each dimension why it had that size.

    Values were drawn from ``low`` to ``high``, both None where values have no order (texts);
    ``range_why`` says why, and nothing where nobody chose them and nothing is known of them.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    why: tuple[str, ...]
    low: int | float | None
    high: int | float | None
    range_why: str = ""


@dataclass(frozen=True, slots=True)
class OutputSeen:
    """An output as it came back from the first call; None where it was no tensor."""

    name: str
    dtype: str
    shape: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine that measured; ``fingerprint`` changes when its figures stop being comparable.

    ``cache_bytes`` are those that one core reaches, by level and kind ("L1d", "L2", "L3").
    """

    cpu: str
    core_count: int
    memory_bytes: int | None
    os: str
    kernel: str
    architecture: str
    is_virtual: bool | None
    governor: str | None
    fingerprint: str
    cache_bytes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Software:
    """What ran the model; ``fingerprint`` changes when its figures stop being comparable."""

    onnxruntime: str
    provider: str
    provider_options: dict[str, str]
    python: str
    numpy: str
    engine_version: str
    fingerprint: str
    session_options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MeasurementResult:
    """One run's figures.

    ``cpu_usage_ratio`` is CPU time over time x threads; ``machine_usage_ratio`` is the same over
    all of the machine's cores, which is what the models of power want. ``session_memory_bytes``
    is what loading the model added to the memory resident, before any inference.
    """

    latency: Latency
    as_measured: AsMeasured
    samples_s: tuple[float, ...]
    throughput_per_s: float
    load_s: float
    first_call_s: float
    peak_memory_bytes: int | None
    cpu_usage_ratio: float | None
    machine_usage_ratio: float | None
    cpu_time_per_inference_s: float | None
    measuring_wall_s: float
    uses_io_binding: bool
    inputs: tuple[InputUsed, ...]
    outputs: tuple[OutputSeen, ...]
    machine: Machine
    software: Software
    session_memory_bytes: int | None = None
    timing: Timing = Timing()
    metered: Metered = Metered()
    sandbox: Sandbox = Sandbox()

    def __post_init__(self) -> None:
        if not self.samples_s or len(self.samples_s) > MAX_SAMPLES_KEPT:
            raise Nonsense("samples_s", f"must hold 1 to {MAX_SAMPLES_KEPT:,} samples")
        if min(self.samples_s) <= 0 or self.throughput_per_s <= 0:
            raise Nonsense("samples_s", "must be more than nothing")
        for name in ("load_s", "first_call_s", "measuring_wall_s", "peak_memory_bytes"):
            if (getattr(self, name) or 0) < 0:
                raise Nonsense(name, "must not be negative")
        if (self.session_memory_bytes or 0) < 0:
            raise Nonsense("session_memory_bytes", "must not be negative")
        for name in ("cpu_usage_ratio", "machine_usage_ratio"):
            if not 0 <= (getattr(self, name) or 0) <= 1:
                raise Nonsense(name, "must be between 0 and 1")


Result = InspectionResult | MeasurementResult | Composition | EvaluationResult


@dataclass(frozen=True, slots=True)
class Answer:
    """A result file: a result or a failure, never both."""

    kind: Kind
    ok: bool
    result: Result | None
    failure: Failure | None
    schema: int = SCHEMA

    def to_json(self) -> str:
        """The text of a result file."""
        return to_json(self)


def read_answer(text: str | bytes, *, kind: Kind) -> Result | Failure:
    """Return the result or failure that a result file of this ``kind`` states.

    Raises Nonsense for everything else.
    """
    plain = parse_json(text)
    if not isinstance(plain, dict) or plain.keys() != {"schema", "kind", "ok", "result", "failure"}:
        raise Nonsense("", "this is not a result file")
    if plain["schema"] != SCHEMA or plain["kind"] != kind:
        raise Nonsense("kind", "is not what was asked for")
    if plain["ok"] is False and plain["result"] is None:
        return decode(Failure, plain["failure"], "failure")
    if plain["ok"] is not True or plain["failure"] is not None:
        raise Nonsense("ok", "says one thing and the result another")
    if kind == "evaluate":
        return decode(EvaluationResult, plain["result"], "result")
    if kind == "profile":
        return decode(Composition, plain["result"], "result")
    if kind == "inspect":
        return decode(InspectionResult, plain["result"], "result")
    return decode(MeasurementResult, plain["result"], "result")
