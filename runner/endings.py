"""What it means that a child ended without a result: every way has its own code and sentence."""

import signal

from runner.results import Failure

OUT_OF_MEMORY = Failure(
    "out_of_memory",
    "The model needed more memory than it may use and was stopped. "
    "Try smaller inputs or a smaller batch. Whoever runs the measuring machine can allow more: see "
    "“How much memory a model gets” in docs/operations.md.",
)
OUT_OF_CPU = Failure(
    "out_of_cpu",
    "The model used up the computing time it is allowed and was stopped. "
    "Try smaller inputs, a smaller batch or the quick effort.",
)
FORBIDDEN_CALL = Failure(
    "forbidden_call",
    "The model made the runtime ask the system for something that no measurement needs, such as "
    "a network connection or another program, and was stopped. Honest models do not: export it "
    "again from a source that you trust.",
)
_MEMORY_WORDS = (
    "bad_alloc",
    "MemoryError",
    "Cannot allocate memory",
    "Failed to allocate memory",
    "failed to map segment",
    "Memory allocation still failed",
)


# The runtime may crash where it is refused memory, and say nothing. Seen at 0.82 and 0.86 of the
# bound, which also holds the addresses of libraries.
NEARLY_ALL_MEMORY_RATIO = 0.75
_REFUSED_MEMORY_SIGNALS = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS)


def means_out_of_memory(text: str) -> bool:
    """Whether what a library said last is one of the ways of saying that memory ran out."""
    return any(word in text for word in _MEMORY_WORDS)


def failure_of_exit(exit_status: int, stderr: str, *, memory_ratio: float = 0.0) -> Failure:
    """Return why a child ended that nobody stopped; ``exit_status`` is subprocess's, not 0.

    ``stderr`` is what it wrote last, which is where the C++ runtime says that memory ran out.
    ``memory_ratio`` is the most memory that it held, as a share of what it may use.
    """
    if exit_status == -signal.SIGXCPU:
        return OUT_OF_CPU
    if exit_status == -signal.SIGSYS:
        return FORBIDDEN_CALL
    was_refused_memory = (
        -exit_status in _REFUSED_MEMORY_SIGNALS and memory_ratio > NEARLY_ALL_MEMORY_RATIO
    )
    if was_refused_memory or means_out_of_memory(stderr):
        return OUT_OF_MEMORY
    if exit_status == -signal.SIGKILL:
        return Failure(
            "killed",
            "The measurement was stopped from outside, most likely because the machine ran out "
            "of memory. Run it again.",
        )
    if exit_status < 0:
        name = _signal_name(-exit_status)
        return Failure(
            "crashed",
            f"The runtime crashed on this model ({name}). The model may be damaged, or may have "
            "met a fault of onnxruntime: try it there, or export it again.",
        )
    return Failure(
        "no_result", f"The measurement ended early (exit status {exit_status}). Run it again."
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
