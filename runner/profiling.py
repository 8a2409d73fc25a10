"""What a model is made of and where its time goes: a few calls with every node timed.

A pass of its own, because timing every node slows a model down, and because the graph is run as
it is in the file: only then do all operands have a shape.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import onnxruntime

from runner import cores
from runner.composition import (
    MAX_LAYERS,
    MAX_OPERATORS,
    Composition,
    LayerShare,
    OperatorShare,
    OtherLayers,
)
from runner.counting import MAX_COUNT, is_countable
from runner.errors import MeasurementFailed
from runner.feeding import feed, inputs_of
from runner.graph_facts import GraphFacts
from runner.item_sets import values_to_feed
from runner.job import Job
from runner.mac_rules import EINSUM, MAC_RULES, Shape, UnknownShape, einsum_macs, mac_count
from runner.onnx_file import read_structure
from runner.profile_file import NodeCall, Profile, read_profile
from runner.rehearsal import rehearse
from runner.reporting import Reporter
from runner.session import call_or_fail, load_to_profile

MAX_CALLS = 20
# A call of more than a second says enough by itself.
LONGEST_CALLING_S = 1.0
# Of 32 MiB that may be written, at about 1 kB for each.
MAX_PLANNED_EVENTS = 20_000
US_PER_S = 1_000_000
_CUT = (
    "The profile was longer than may be written, as happens with loops of many rounds: the shares "
    "rest on the calls that it holds whole."
)

_ON_CPU = "This pass ran on the processor: on the GPU the shares are others, the counts the same."


def profile(
    job: Job, reporter: Reporter, *, path: Path, close_cage: Callable[[], object]
) -> Composition:
    """Return what the model of ``job`` is made of, from a few calls on the job's own inputs.

    ``close_cage`` is called before anything of the model is read; from then on only the file at
    ``path`` can be written. Raises what a measurement of the same job raises, and
    MeasurementFailed where onnxruntime writes no profile that can be read.
    """
    reporter.enter("profiling")
    rehearse()
    cores.pin(job.intra_op_threads)
    close_cage()
    facts = GraphFacts.of(read_structure(job.onnx_files))
    session = load_to_profile(job.onnx_files, intra_op_threads=job.intra_op_threads, path=path)
    call_count = _call(session, job, most_calls=_most_calls(facts))
    _end(session)
    seen = read_profile(path)
    notes = ((seen.is_cut, _CUT), (job.wants_gpu, _ON_CPU))
    return compose(
        facts,
        _believed(seen, call_count),
        batch_size=job.batch_size,
        notes=tuple(note for is_due, note in notes if is_due),
    )


def _end(session: onnxruntime.InferenceSession) -> None:
    """Have the profile written to its end; whether it was, its reader sees."""
    # What it answers, the profile's name, need not be a text.
    with contextlib.suppress(TypeError, ValueError):
        session.end_profiling()


def _call(session: onnxruntime.InferenceSession, job: Job, *, most_calls: int) -> int:
    """Call the model as a measurement does; return how many of the last calls are warm."""
    declared = inputs_of(session, job)
    fed = feed(session, declared, job, values_to_feed(job, declared))
    inference, planned = fed.inference, fed.planned
    # With bound inputs the first call was followed by a second one.
    warm_count = int(inference.uses_io_binding)
    if warm_count and inference.first_call_s > LONGEST_CALLING_S:
        return warm_count
    start_s = time.perf_counter()
    while warm_count < most_calls:
        call_or_fail(inference.call, planned)
        warm_count += 1
        if time.perf_counter() - start_s > LONGEST_CALLING_S:
            break
    return warm_count


def _most_calls(facts: GraphFacts) -> int:
    # How often a loop's body runs is not known before, and each time takes its room.
    if facts.has_loops:
        return 1
    return max(1, min(MAX_CALLS, MAX_PLANNED_EVENTS // max(1, len(facts.node_by_name))))


def _believed(seen: Profile, call_count: int) -> list[list[NodeCall]]:
    """The warm calls of a profile: the last ones of a whole one, all but the first of a cut one."""
    calls = seen.calls[1:] or seen.calls if seen.is_cut else seen.calls[-call_count:]
    if not calls:
        raise MeasurementFailed(
            "profile_too_long",
            "One call of the model runs more nodes than a profile may hold, as happens with loops "
            "of many rounds.",
        )
    return calls


@dataclass(slots=True)
class _Tally:
    """What the calls of one node, or of one operator, add up to in one call of the model."""

    operator: str
    name: str = ""
    call_count: int = 0
    own_us: float = 0.0
    macs: int | None = None
    output_bytes: int = 0
    output_shape: Shape | None = None
    parameter_bytes: int = 0
    is_uncounted: bool = False

    def add(self, call: NodeCall, macs: int | None) -> None:
        self.call_count += 1
        self.is_uncounted |= macs is None
        self.macs = (self.macs or 0) + (macs or 0)
        # What a loop or a condition puts out, its own nodes have put out already.
        self.output_bytes += 0 if call.is_holder else call.output_bytes
        self.output_shape = call.outputs[0] if call.outputs else None
        self.parameter_bytes = max(self.parameter_bytes, call.parameter_bytes)


@dataclass(slots=True)
class _Tallies:
    by_operator: dict[str, _Tally] = field(default_factory=dict)
    by_layer: dict[tuple[object, ...], _Tally] = field(default_factory=dict)

    def of(self, call: NodeCall) -> tuple[_Tally, _Tally]:
        layer = (call.depth, call.name, call.operator, call.index)
        return (
            self.by_operator.setdefault(call.operator, _Tally(call.operator)),
            self.by_layer.setdefault(layer, _Tally(call.operator, call.name or call.operator)),
        )


def compose(
    facts: GraphFacts,
    calls: Sequence[Sequence[NodeCall]],
    *,
    batch_size: int = 1,
    notes: tuple[str, ...] = (),
) -> Composition:
    """Return what ``calls`` of the model, of shape (calls, node calls), say it is made of."""
    varying = [[call for call in nodes if not _is_constant(call, facts)] for nodes in calls]
    quiet = _quieter_half(varying)
    tallies = _Tallies()
    for call in varying[-1]:
        for tally in tallies.of(call):
            tally.add(call, _macs(call, facts))
    for nodes in quiet:
        for call in nodes:
            for tally in tallies.of(call):
                tally.own_us += call.own_us / len(quiet)
    call_us = sum(tally.own_us for tally in tallies.by_operator.values())
    operators = _ranked(tallies.by_operator.values())
    layers = _ranked(tallies.by_layer.values())
    macs = _per_inference(sum(tally.macs or 0 for tally in operators), batch_size)
    return Composition(
        parameter_count=facts.parameter_count,
        weight_bytes=facts.weight_bytes,
        mac_count=macs,
        flop_count=2 * macs,
        activation_bytes=sum(tally.output_bytes for tally in operators),
        peak_activation_bytes=facts.peak_bytes(varying[-1]),
        operators=tuple(
            _operator(tally, call_us, batch_size) for tally in operators[:MAX_OPERATORS]
        ),
        layers=tuple(_layer(tally, call_us, batch_size) for tally in layers[:MAX_LAYERS]),
        other_layers=_others(layers[MAX_LAYERS:], call_us, batch_size),
        uncounted_operators=tuple(sorted(one.operator for one in operators if one.is_uncounted)),
        constant_node_count=len(calls[-1]) - len(varying[-1]),
        profiled_call_s=call_us / US_PER_S,
        profiled_call_count=len(quiet),
        notes=notes,
    )


def _is_constant(call: NodeCall, facts: GraphFacts) -> bool:
    return call.depth == 0 and call.name in facts.constant_nodes


def _quieter_half(calls: Sequence[Sequence[NodeCall]]) -> list[Sequence[NodeCall]]:
    """The faster half of the calls: what disturbs a machine only ever makes a call longer."""
    by_time = sorted(calls, key=lambda nodes: sum(call.own_us for call in nodes))
    return by_time[: (len(calls) + 1) // 2]


def _macs(call: NodeCall, facts: GraphFacts) -> int | None:
    """What one call of a node multiplies; None where it cannot be told."""
    try:
        if call.operator == EINSUM:
            return einsum_macs(facts.equation_by_node.get(call.name, "?"), call.inputs)
        if call.operator in MAC_RULES:
            return mac_count(call.operator, call.inputs, call.outputs)
    except UnknownShape:
        return None
    return 0 if is_countable(call.operator) else None


def _per_inference(macs: int, batch_size: int) -> int:
    return min(round(macs / batch_size) if batch_size > 1 else macs, MAX_COUNT)


def _ranked(tallies: Iterable[_Tally]) -> list[_Tally]:
    return sorted(tallies, key=lambda tally: (-tally.own_us, -(tally.macs or 0), tally.name))


def _share(own_us: float, call_us: float) -> float | None:
    return min(1.0, own_us / call_us) if call_us else None


def _operator(tally: _Tally, call_us: float, batch_size: int) -> OperatorShare:
    return OperatorShare(
        operator=tally.operator,
        call_count=tally.call_count,
        time_ratio=_share(tally.own_us, call_us),
        mac_count=_known_macs(tally, batch_size),
        output_bytes=tally.output_bytes,
    )


def _layer(tally: _Tally, call_us: float, batch_size: int) -> LayerShare:
    return LayerShare(
        name=tally.name,
        operator=tally.operator,
        call_count=tally.call_count,
        time_ratio=_share(tally.own_us, call_us),
        mac_count=_known_macs(tally, batch_size),
        output_shape=tally.output_shape,
        parameter_bytes=tally.parameter_bytes,
    )


def _known_macs(tally: _Tally, batch_size: int) -> int | None:
    return None if tally.is_uncounted else _per_inference(tally.macs or 0, batch_size)


def _others(rest: Sequence[_Tally], call_us: float, batch_size: int) -> OtherLayers | None:
    if not rest:
        return None
    return OtherLayers(
        layer_count=len(rest),
        time_ratio=_share(sum(tally.own_us for tally in rest), call_us),
        mac_count=_per_inference(sum(tally.macs or 0 for tally in rest), batch_size),
    )
