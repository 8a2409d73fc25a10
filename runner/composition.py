"""What a profiled run says a model is made of, and how little of it is believed."""

from collections.abc import Iterable
from dataclasses import dataclass

from runner.errors import Nonsense

MAX_LAYERS = 200
MAX_OPERATORS = 500
MAX_NAME_LENGTH = 200
# Shares are sums of many rounded numbers.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class OperatorShare:
    """All calls of one operator in one call of the model.

    ``time_ratio`` is None where the whole call was too short to tell. ``mac_count`` is per
    inference, and None for an operator that nothing here can count.
    """

    operator: str
    call_count: int
    time_ratio: float | None
    mac_count: int | None
    output_bytes: int


@dataclass(frozen=True, slots=True)
class LayerShare:
    """One node of the graph; a node in a loop's body is called more than once."""

    name: str
    operator: str
    call_count: int
    time_ratio: float | None
    mac_count: int | None
    output_shape: tuple[int, ...] | None
    parameter_bytes: int


@dataclass(frozen=True, slots=True)
class OtherLayers:
    """All nodes beyond the `MAX_LAYERS` that took the most time."""

    layer_count: int
    time_ratio: float | None
    mac_count: int


@dataclass(frozen=True, slots=True)
class Composition:
    """What a model is made of, by a run of its graph as it is in the file, without optimisations.

    ``mac_count`` and ``flop_count`` are per inference, without the ``uncounted_operators``.
    ``activation_bytes`` is the sum of all that the nodes of one call (a whole batch) put out,
    ``peak_activation_bytes`` the most of it needed at one time, where that can be told.
    ``constant_node_count`` nodes only rearrange constants; they are left out everywhere.
    """

    parameter_count: int
    weight_bytes: int
    mac_count: int
    flop_count: int
    activation_bytes: int
    peak_activation_bytes: int | None
    operators: tuple[OperatorShare, ...]
    layers: tuple[LayerShare, ...]
    other_layers: OtherLayers | None
    uncounted_operators: tuple[str, ...]
    constant_node_count: int
    profiled_call_s: float
    profiled_call_count: int
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.operators) > MAX_OPERATORS or len(self.layers) > MAX_LAYERS:
            raise Nonsense("layers", "are more than can be")
        names = [one.operator for one in self.operators]
        names += [text for one in self.layers for text in (one.name, one.operator)]
        if any(len(name) > MAX_NAME_LENGTH or not name.isprintable() for name in names):
            raise Nonsense("layers", "have names that are none")
        _check_shares([one.time_ratio for one in self.operators])
        rest = None if self.other_layers is None else self.other_layers.time_ratio
        _check_shares([*(one.time_ratio for one in self.layers), rest])
        _check_counts(self._counts())
        if self.flop_count != 2 * self.mac_count or self.profiled_call_s < 0:
            raise Nonsense("flop_count", "does not hold together")

    def _counts(self) -> Iterable[int | None]:
        yield from (self.parameter_count, self.weight_bytes, self.mac_count)
        yield from (self.activation_bytes, self.peak_activation_bytes)
        yield from (self.constant_node_count, self.profiled_call_count - 1)
        for one in self.operators:
            yield from (one.call_count, one.mac_count, one.output_bytes)
        for layer in self.layers:
            yield from (layer.call_count, layer.mac_count, layer.parameter_bytes)
            yield from layer.output_shape or ()
        if self.other_layers is not None:
            yield from (self.other_layers.layer_count, self.other_layers.mac_count)


def _check_shares(shares: list[float | None]) -> None:
    known = [share for share in shares if share is not None]
    if any(not 0 <= share <= 1 for share in known) or sum(known) > 1 + _ROUNDING:
        raise Nonsense("time_ratio", "must be shares of one whole")


def _check_counts(counts: Iterable[int | None]) -> None:
    if any(count is not None and count < 0 for count in counts):
        raise Nonsense("composition", "must not be negative")
