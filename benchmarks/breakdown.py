"""Where a run's grams go: the shares of time from its profiled pass, times what the run emits."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import OuterRef, Q, Subquery

from benchmarks.models import Measurement, ModelVersion, Run

BARS_SHOWN = 12
LAYERS_SHOWN = 25
# So many of a version's newest runs are asked what the file does not tell.
ASKED_RUN_COUNT = 20


@dataclass(frozen=True, slots=True)
class Part:
    """One operator, or one node of the graph; what is not known is None.

    ``call_count`` is per call of the model, ``mac_count`` and ``emission_g`` per inference.
    """

    label: str
    operator: str
    call_count: int
    time_ratio: float | None
    emission_g: float | None
    mac_count: int | None
    output_shape: tuple[int, ...] | None = None
    parameter_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Breakdown:
    """What a measured model is made of, by its profiled pass.

    ``figures`` is the stored composition (runner.composition.Composition); the sums and counts
    of a page are read from there.
    """

    figures: dict
    operators: tuple[Part, ...]
    layers: tuple[Part, ...]
    other_layers: Part | None
    at_shapes: tuple[str, ...]

    @property
    def layers_shown(self) -> tuple[Part, ...]:
        return self.layers[:LAYERS_SHOWN]

    @property
    def layer_rest(self) -> Part | None:
        """What the table leaves out, as one row."""
        return _sum(self.layers[LAYERS_SHOWN:], self.other_layers)

    @property
    def is_timed(self) -> bool:
        return any(part.time_ratio is not None for part in self.operators)


def breakdown_of(measurement: Measurement, emission_g: float | None) -> Breakdown | None:
    """Return what ``measurement`` says the model is made of; None where it was not profiled."""
    found = measurement.composition
    if not found:
        return None
    others = found["other_layers"]
    return Breakdown(
        figures=found,
        operators=tuple(_part(one, one["operator"], emission_g) for one in found["operators"]),
        layers=tuple(_part(one, one["name"], emission_g) for one in found["layers"]),
        other_layers=_others(others, emission_g) if others else None,
        at_shapes=_shapes(measurement.inputs_used),
    )


def bars_of(parts: Iterable[Part], rest: Part | None = None) -> tuple[Part, ...]:
    """Return the largest of ``parts``, which come ranked, and all else as one last bar."""
    ranked = tuple(parts)
    last = _sum(ranked[BARS_SHOWN:], rest)
    return ranked[:BARS_SHOWN] if last is None else (*ranked[:BARS_SHOWN], last)


def _part(one: dict, label: str, emission_g: float | None) -> Part:
    shape = one.get("output_shape")
    return Part(
        label=label,
        operator=one["operator"],
        call_count=one["call_count"],
        time_ratio=one["time_ratio"],
        emission_g=share_g(one["time_ratio"], emission_g),
        mac_count=one["mac_count"],
        output_shape=None if shape is None else tuple(shape),
        parameter_bytes=one.get("parameter_bytes"),
    )


def _others(one: dict, emission_g: float | None) -> Part:
    return Part(
        label=f"{one['layer_count']:,} more",
        operator="",
        call_count=one["layer_count"],
        time_ratio=one["time_ratio"],
        emission_g=share_g(one["time_ratio"], emission_g),
        mac_count=one["mac_count"],
    )


def share_g(time_ratio: float | None, emission_g: float | None) -> float | None:
    """Return the grams of a share of the time.

    >>> share_g(0.25, 8.0)
    2.0
    """
    if time_ratio is None or emission_g is None:
        return None
    return time_ratio * emission_g


def _sum(parts: tuple[Part, ...], rest: Part | None) -> Part | None:
    """All of ``parts``, one each, and ``rest``, which stands for several, as one."""
    summed = parts if rest is None else (*parts, rest)
    if not summed:
        return None
    count = len(parts) + (rest.call_count if rest else 0)
    ratios = [part.time_ratio for part in summed if part.time_ratio is not None]
    grams = [part.emission_g for part in summed if part.emission_g is not None]
    return Part(
        label=f"{count:,} more",
        operator="",
        call_count=count,
        time_ratio=sum(ratios) if ratios else None,
        emission_g=sum(grams) if grams else None,
        mac_count=sum(part.mac_count or 0 for part in summed),
    )


@dataclass(frozen=True, slots=True)
class MeasuredCount:
    """How much work a version's newest profiled run did per inference, and at which shapes."""

    mac_count: int
    uncounted_operators: tuple[str, ...]
    at_shapes: tuple[str, ...]


def measured_counts(versions: Iterable[ModelVersion]) -> dict:
    """Return by version id what a run has counted where the file alone did not tell.

    The newest few runs are asked: they agree, and a version may have a hundred thousand.
    """
    unknown = [one.pk for one in versions if one.is_ready and one.mac_count is None]
    if not unknown:
        return {}
    rows = (
        Measurement.objects.filter(_is_recent(unknown), composition__has_key="mac_count")
        .order_by("run__finished_at", "run_id")
        .values_list(
            "run__version_id",
            "composition__mac_count",
            "composition__uncounted_operators",
            "inputs_used",
        )
    )
    # The newest comes last, and stays.
    return {
        version_id: MeasuredCount(mac_count, tuple(uncounted), _shapes(inputs_used))
        for version_id, mac_count, uncounted, inputs_used in rows
    }


def _is_recent(version_ids: Iterable) -> Q:
    """What the measurements of these versions' newest runs fulfil."""
    newest = Run.objects.done().filter(version=OuterRef("pk")).order_by("-queued_at")
    last = Subquery(newest.values("queued_at")[ASKED_RUN_COUNT - 1 : ASKED_RUN_COUNT])
    condition = Q(pk__in=[])
    for pk, since in ModelVersion.objects.filter(pk__in=version_ids).values_list("pk", last):
        condition |= Q(run__version=pk) & (Q(run__queued_at__gte=since) if since else Q())
    return condition


def _shapes(inputs_used: list[dict]) -> tuple[str, ...]:
    return tuple(
        "×".join(str(size) for size in one["shape"]) or "a single value" for one in inputs_used
    )
