"""What the site asks of a measuring child: one job, as JSON, checked before anything is done."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from runner.data_names import MAX_DATA_FILE_COUNT, plain_name
from runner.errors import InputProblem, Nonsense
from runner.messages import decode, parse_json, to_json
from runner.onnx_files import OnnxFiles

SCHEMA = 1
MAX_THREADS = 1_024
MAX_BATCH_SIZE = 65_536

Kind = Literal["measure", "inspect", "profile", "evaluate"]
Effort = Literal["quick", "standard", "careful"]

MEASURING_S_BY_EFFORT: dict[Effort, float] = {"quick": 5.0, "standard": 20.0, "careful": 75.0}
# A careful run goes on until it is sure enough, a standard one until enough of it was quiet; or
# until this.
LONGEST_MEASURING_S_BY_EFFORT: dict[Effort, float] = {
    "quick": 5.0,
    "standard": 40.0,
    "careful": 300.0,
}
# Loading, the first call, warm-up and one slow last call have to fit in beside the measuring.
OVERHEAD_S = 120.0


@dataclass(frozen=True, slots=True)
class InputChoices:
    """What a user decided about a model's inputs; everything left out is made up.

    ``dims`` maps a free dimension's name to its size, ``shapes`` an input's name to its whole
    shape, ``ranges`` an input's name to the lowest and highest value, both included.
    """

    dims: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    ranges: dict[str, tuple[int | float, int | float]] = field(default_factory=dict)

    @classmethod
    def from_plain(cls, value: object) -> "InputChoices":
        """Return the choices that a plain JSON value such as ``{"dims": {"n": 2}}`` states.

        Raises InputProblem, its field starting with ``inputs``, when it states none.
        """
        try:
            return decode(cls, value, "inputs")
        except Nonsense as error:
            raise InputProblem(error.field, error.message) from error


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use before it is stopped; ``memory_bytes`` None is worked out from the file.

    ``wall_s`` is kept by the parent, the others by the child itself.
    """

    wall_s: float
    cpu_s: float
    memory_bytes: int | None = None

    def __post_init__(self) -> None:
        if not (self.wall_s > 0 and self.cpu_s > 0):
            raise Nonsense("limits", "must be more than nothing")
        if self.memory_bytes is not None and self.memory_bytes <= 0:
            raise Nonsense("limits.memory_bytes", "must be more than nothing")


INSPECTION_LIMITS = Limits(wall_s=60.0, cpu_s=45.0)
PROFILING_WALL_S = 60.0
EVALUATING_WALL_S = 180.0


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to do with one file: inspect it, measure it, profile a few calls, or evaluate it.

    ``limits`` None means the usual ones for this job, ``measuring_s`` None the effort's.
    ``max_opset`` None means what the installed runtime can read. ``wants_gpu`` asks for the GPU
    where onnxruntime offers one. ``best_sentinel_s`` is what `Timing.best_sentinel_s` came to
    on this machine at its best, ``speed_spread`` how far from its usual speed it is from run to
    run, as a ratio; None where that is not known. ``values_path`` names an ``.npz`` with arrays
    that are fed as they are, each called like its input; with ``values_are_items`` they are an
    evaluation set, of which the first batch is timed and all is evaluated, by the labels in it
    and the output called ``answer_output`` (None: the only one that can be). ``data_paths`` are
    the files that the model keeps weights in, by the names that its graph knows them by.
    ``progress_path`` is a file that progress is written to when the job is done by hand. With
    ``requires_sandbox`` it is not done at all where the cage lacks what matters.
    ``counts_macs`` is whether an inspection does.
    """

    kind: Kind
    onnx_path: str
    batch_size: int = 1
    intra_op_threads: int = 1
    effort: Effort = "standard"
    seed: int = 0
    inputs: InputChoices = field(default_factory=InputChoices)
    limits: Limits | None = None
    progress_path: str | None = None
    max_opset: int | None = None
    measuring_s: float | None = None
    wants_gpu: bool = False
    best_sentinel_s: float | None = None
    speed_spread: float | None = None
    values_path: str | None = None
    data_paths: dict[str, str] = field(default_factory=dict)
    requires_sandbox: bool = False
    counts_macs: bool = True
    values_are_items: bool = False
    answer_output: str | None = None
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        if self.schema != SCHEMA:
            raise Nonsense("schema", f"must be {SCHEMA}, this is {self.schema}")
        if not self.onnx_path:
            raise Nonsense("onnx_path", "must name a file")
        if not 1 <= self.batch_size <= MAX_BATCH_SIZE:
            raise Nonsense("batch_size", f"must be between 1 and {MAX_BATCH_SIZE:,}")
        if not 1 <= self.intra_op_threads <= MAX_THREADS:
            raise Nonsense("intra_op_threads", f"must be between 1 and {MAX_THREADS:,}")
        if self.seed < 0:
            raise Nonsense("seed", "must not be negative")
        if self.measuring_s is not None and not 0 < self.measuring_s <= 3_600:
            raise Nonsense("measuring_s", "must be more than 0 and at most 3,600")
        if self.best_sentinel_s is not None and self.best_sentinel_s <= 0:
            raise Nonsense("best_sentinel_s", "must be more than nothing")
        if self.speed_spread is not None and self.speed_spread < 0:
            raise Nonsense("speed_spread", "must not be negative")
        self._check_data_paths()

    def _check_data_paths(self) -> None:
        if len(self.data_paths) > MAX_DATA_FILE_COUNT:
            raise Nonsense("data_paths", f"must be at most {MAX_DATA_FILE_COUNT}")
        if any(plain_name(name) != name for name in self.data_paths):
            raise Nonsense("data_paths", "must be called as files beside the model")

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of the files that the job is about; all that its child gets to read."""
        values = () if self.values_path is None else (self.values_path,)
        return (self.onnx_path, *values, *self.data_paths.values())

    @property
    def onnx_files(self) -> OnnxFiles:
        """The model's files: the .onnx file, and those that it keeps weights in."""
        data = {name: Path(path) for name, path in self.data_paths.items()}
        return OnnxFiles(Path(self.onnx_path), data)

    @property
    def may_use_gpu(self) -> bool:
        """Whether a GPU is asked for, by a kind of job that uses one, and no whole cage is."""
        return self.wants_gpu and self.kind == "measure" and not self.requires_sandbox

    @property
    def wanted_measuring_s(self) -> float:
        """How long inferences are timed for at least."""
        if self.measuring_s is not None:
            return self.measuring_s
        return MEASURING_S_BY_EFFORT[self.effort]

    @property
    def longest_measuring_s(self) -> float:
        """How long inferences are timed for at most, but for the last of them."""
        if self.measuring_s is not None:
            return self.measuring_s
        return LONGEST_MEASURING_S_BY_EFFORT[self.effort]

    @property
    def effective_limits(self) -> Limits:
        """The limits asked for, or the usual ones of such a job."""
        if self.limits is not None:
            return self.limits
        if self.kind == "inspect":
            return INSPECTION_LIMITS
        wall_s = self.longest_measuring_s + OVERHEAD_S
        if self.kind == "profile":
            wall_s = PROFILING_WALL_S
        if self.kind == "evaluate":
            wall_s = EVALUATING_WALL_S
        return Limits(wall_s=wall_s, cpu_s=wall_s * self.intra_op_threads + 5.0)

    def caged_by(self, *, memory_bytes: int, requires_sandbox: bool) -> "Job":
        """The same job with so much address space, its other limits as they are."""
        limits = replace(self.effective_limits, memory_bytes=memory_bytes)
        return replace(self, limits=limits, requires_sandbox=requires_sandbox)

    def beside(self, folder: Path) -> "Job":
        """The same job with the files it names looked for from ``folder``, that of the job."""
        return replace(
            self,
            onnx_path=str(folder / self.onnx_path),
            values_path=None if self.values_path is None else str(folder / self.values_path),
            data_paths={name: str(folder / path) for name, path in self.data_paths.items()},
        )

    def to_json(self) -> str:
        """The text of a job file."""
        return to_json(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Job":
        """Read a job file; raises Nonsense naming the field when it is no job."""
        return decode(cls, parse_json(text))
