"""The JSON of one run alone: all that a list says of it, and what its model is made of."""

from rest_framework import serializers

from benchmarks.api.run_serializers import RunSerializer
from benchmarks.breakdown import share_g
from benchmarks.models import Run


class OperatorSerializer(serializers.Serializer):
    """All calls of one operator in one call of the model."""

    operator = serializers.CharField()
    call_count = serializers.IntegerField()
    time_ratio = serializers.FloatField(
        allow_null=True, help_text="Its share of the pass without optimisations."
    )
    emission_g = serializers.FloatField(
        allow_null=True, help_text="time_ratio of the run's emission_g."
    )
    mac_count = serializers.IntegerField(
        allow_null=True, help_text="Per inference; null for an operator that cannot be counted."
    )
    output_bytes = serializers.IntegerField()


class LayerSerializer(serializers.Serializer):
    """One node of the graph."""

    name = serializers.CharField()
    operator = serializers.CharField()
    call_count = serializers.IntegerField()
    time_ratio = serializers.FloatField(allow_null=True)
    emission_g = serializers.FloatField(allow_null=True)
    mac_count = serializers.IntegerField(allow_null=True)
    output_shape = serializers.ListField(child=serializers.IntegerField(), allow_null=True)
    parameter_bytes = serializers.IntegerField()


class OtherLayersSerializer(serializers.Serializer):
    """All nodes beyond those listed."""

    layer_count = serializers.IntegerField()
    time_ratio = serializers.FloatField(allow_null=True)
    emission_g = serializers.FloatField(allow_null=True)
    mac_count = serializers.IntegerField()


class CompositionSerializer(serializers.Serializer):
    """What the model is made of, by a profiled run of its graph without optimisations."""

    parameter_count = serializers.IntegerField()
    weight_bytes = serializers.IntegerField()
    mac_count = serializers.IntegerField(
        help_text="Per inference, without the uncounted_operators."
    )
    flop_count = serializers.IntegerField(help_text="Two for each multiply-accumulate.")
    activation_bytes = serializers.IntegerField(
        help_text="All that the nodes of one call, of the whole batch, put out."
    )
    peak_activation_bytes = serializers.IntegerField(
        allow_null=True, help_text="The most of it that is needed at one time."
    )
    operators = OperatorSerializer(many=True)
    layers = LayerSerializer(many=True, help_text="The 200 that took the most time.")
    other_layers = OtherLayersSerializer(allow_null=True)
    uncounted_operators = serializers.ListField(child=serializers.CharField())
    constant_node_count = serializers.IntegerField(
        help_text="Nodes working with constants alone; they are left out everywhere."
    )
    profiled_call_s = serializers.FloatField()
    profiled_call_count = serializers.IntegerField()
    notes = serializers.ListField(child=serializers.CharField())


class RunDetailSerializer(RunSerializer):
    """A run with all that is known of it."""

    composition = CompositionSerializer(
        allow_null=True, help_text="Null where it is not known; profiling_note says why."
    )
    profiling_note = serializers.CharField(
        allow_null=True, help_text="Why there is no composition; null where there is one."
    )

    def shape(self, run) -> dict:
        """Return the plain values of ``run`` with its composition."""
        return {**super().shape(run), **_composition(run)}


def _composition(run: Run) -> dict:
    measurement = getattr(run, "measurement", None)
    if measurement is None or not measurement.composition:
        note = measurement.profiling_note if measurement else ""
        return {"composition": None, "profiling_note": note or None}
    found = measurement.composition
    emission_g = run.estimate.emission_g if run.estimate else None
    others = found["other_layers"]
    shape = {
        **found,
        "operators": [_with_grams(one, emission_g) for one in found["operators"]],
        "layers": [_with_grams(one, emission_g) for one in found["layers"]],
        "other_layers": _with_grams(others, emission_g) if others else None,
    }
    return {"composition": shape, "profiling_note": None}


def _with_grams(one: dict, emission_g: float | None) -> dict:
    return {**one, "emission_g": share_g(one["time_ratio"], emission_g)}
