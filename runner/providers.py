"""Where a model runs: on the GPU where one is asked for and onnxruntime offers it, else the CPU."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

CPU_NAME = "CPUExecutionProvider"
CUDA_NAME = "CUDAExecutionProvider"
# The NVIDIA driver's control device: without it there is no GPU to run on.
_DRIVER = Path("/dev/nvidiactl")

NOT_OFFERED = (
    "The profile has a GPU, but this machine's onnxruntime offers none: measured on the CPU."
)
NOT_STARTED = (
    "The profile has a GPU, but onnxruntime's CUDA provider did not start on this machine (its "
    "driver or CUDA libraries do not fit, or are out of reach): measured on the CPU."
)


CAGED = (
    "The profile has a GPU, but this site keeps models in a cage that no GPU fits into: measured "
    "on the CPU."
)


@dataclass(frozen=True, slots=True)
class Provider:
    """One of onnxruntime's execution providers; ``note`` says why it is not the one asked for."""

    name: str
    options: dict[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def is_gpu(self) -> bool:
        """Whether the processor waits for a GPU while the model runs."""
        return self.name == CUDA_NAME

    @property
    def wanted(self) -> list[tuple[str, dict[str, str]]]:
        """What a session is asked for: the CPU last, for operators that a GPU does not know."""
        own = [(self.name, self.options)]
        return [*own, (CPU_NAME, {})] if self.is_gpu else own

    def as_used(self, by_session: Sequence[str]) -> "Provider":
        """Return the provider that runs the model, given those of the session, the first first.

        onnxruntime leaves out a provider that cannot start, and says so in its log alone.
        """
        if self.name in by_session:
            return self
        return replace(CPU, note=NOT_STARTED)


CPU = Provider(CPU_NAME)


def choose(*, wants_gpu: bool, offered: Sequence[str]) -> Provider:
    """Return the provider to ask for, of those that the installed onnxruntime offers.

    >>> choose(wants_gpu=True, offered=["CUDAExecutionProvider", "CPUExecutionProvider"]).name
    'CUDAExecutionProvider'
    """
    if not wants_gpu:
        return CPU
    if CUDA_NAME not in offered:
        return replace(CPU, note=NOT_OFFERED)
    return Provider(CUDA_NAME, {"device_id": "0"})


def kept_from_gpu() -> Provider:
    """The CPU, in place of a GPU that the cage keeps the model from."""
    return replace(CPU, note=CAGED)


def maps_gpu_memory(*, wants_gpu: bool, driver: Path = _DRIVER) -> bool:
    """Whether a job may map a GPU's memory beside its own: one is asked for, and has a driver."""
    return wants_gpu and driver.exists()
