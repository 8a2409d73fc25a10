"""The profile that onnxruntime writes, read line by line: what each node did in each call.

Its names are a stranger's and its size is bounded by nothing but the file size allowed, so
that it is never loaded whole and nothing in it is taken for granted.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

from runner.composition import MAX_NAME_LENGTH
from runner.errors import MeasurementFailed
from runner.mac_rules import Shape

MAX_LINE_BYTES = 2**20
MAX_NODE_CALLS = 50_000
MAX_RANK = 64
MAX_OPERANDS = 4_096
_LARGEST = 2**62
_KERNEL = "_kernel_time"
# What has graphs of its own, whose nodes' events lie within its own.
_HOLDERS = frozenset({"If", "Loop", "Scan", "SequenceMap", "BeamSearch", "GreedySearch"})


@dataclass(slots=True)
class NodeCall:
    """One call of one node, in microseconds; ``own_us`` is without the nodes inside it.

    ``depth`` is 0 for the model's own graph. A shape is None where an operand is no tensor.
    """

    name: str
    operator: str
    index: str
    start_us: int
    duration_us: int
    own_us: int
    inputs: tuple[Shape | None, ...]
    outputs: tuple[Shape | None, ...]
    output_bytes: int
    parameter_bytes: int
    depth: int = 0

    @property
    def is_holder(self) -> bool:
        return self.operator in _HOLDERS


@dataclass(slots=True)
class Profile:
    """Whole calls of a model, each the calls of its nodes; ``is_cut`` where the file ends early."""

    calls: list[list[NodeCall]] = field(default_factory=list)
    is_cut: bool = False


def read_profile(path: Path) -> Profile:
    """Return the calls that the profile at ``path`` holds whole, in their order.

    Raises MeasurementFailed when there is no such file, or when it is no profile.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except OSError as error:
        raise _no_profile("onnxruntime wrote no profile") from error


def _no_profile(reason: str) -> MeasurementFailed:
    return MeasurementFailed("no_profile", f"{reason}.")


def _read(file: BufferedReader) -> Profile:
    profile = Profile(is_cut=True)
    under_way: list[NodeCall] = []
    node_call_count = 0
    for event in _events(file):
        if event is None:
            profile.is_cut = False
            break
        if event.get("cat") == "Session" and event.get("name") == "model_run":
            profile.calls.append(under_way)
            under_way = []
        elif event.get("cat") == "Node" and str(event.get("name", "")).endswith(_KERNEL):
            node_call_count += 1
            if node_call_count > MAX_NODE_CALLS:
                break
            _add(under_way, _node_call(event))
    return profile


def _events(file: BufferedReader) -> Iterator[Mapping[str, object] | None]:
    """Yield each event, and None at the profile's proper end."""
    if file.readline(MAX_LINE_BYTES).strip() != b"[":
        raise _no_profile("What onnxruntime wrote is no profile")
    while line := file.readline(MAX_LINE_BYTES):
        if line.strip() == b"]":
            yield None
            return
        if not line.endswith(b"\n"):
            # Cut off in the middle, or longer than any honest line.
            return
        try:
            event = json.loads(line.rstrip().rstrip(b","))
        except (ValueError, RecursionError) as error:
            raise _no_profile("The profile that onnxruntime wrote cannot be read") from error
        if isinstance(event, dict):
            yield event


def _add(under_way: list[NodeCall], added: NodeCall) -> None:
    """Append a call; nodes inside it came before it, and what they took is not its own."""
    if added.is_holder:
        inside_us = 0
        for call in reversed(under_way):
            if call.start_us < added.start_us:
                break
            if call.depth == 0:
                inside_us += call.duration_us
            call.depth += 1
        added.own_us = max(0, added.duration_us - inside_us)
    under_way.append(added)


def _node_call(event: Mapping[str, object]) -> NodeCall:
    arguments = event.get("args")
    if not isinstance(arguments, dict):
        raise _no_profile("The profile that onnxruntime wrote is not of the kind known here")
    duration_us = _number(event.get("dur"))
    name = clean_name(str(event["name"])[: -len(_KERNEL)])
    return NodeCall(
        name=name,
        operator=clean_name(str(arguments.get("op_name", ""))) or "?",
        index=clean_name(str(arguments.get("node_index", ""))),
        start_us=_number(event.get("ts")),
        duration_us=duration_us,
        own_us=duration_us,
        inputs=_shapes(arguments.get("input_type_shape")),
        outputs=_shapes(arguments.get("output_type_shape")),
        output_bytes=_number(arguments.get("output_size")),
        parameter_bytes=_number(arguments.get("parameter_size")),
    )


def clean_name(name: str) -> str:
    """Return a stranger's name as one line of bounded length.

    >>> clean_name("a\\nb")
    'a b'
    """
    shown = "".join(
        character if character.isprintable() else " " for character in name[: MAX_NAME_LENGTH + 1]
    )
    return shown if len(shown) <= MAX_NAME_LENGTH else f"{shown[: MAX_NAME_LENGTH - 1]}…"


def _number(value: object) -> int:
    """A count that onnxruntime writes as a number or as text; 0 where it is none."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if 0 <= value <= _LARGEST else 0


def _shapes(value: object) -> tuple[Shape | None, ...]:
    """The shapes in a list such as ``[{"float": [1, 3]}]``."""
    if not isinstance(value, list):
        return ()
    return tuple(_shape(operand) for operand in value[:MAX_OPERANDS])


def _shape(operand: object) -> Shape | None:
    if not isinstance(operand, dict) or len(operand) != 1:
        return None
    sizes = next(iter(operand.values()))
    if not isinstance(sizes, list) or len(sizes) > MAX_RANK:
        return None
    if any(type(size) is not int or not 0 <= size < 2**40 for size in sizes):
        return None
    return tuple(sizes)
