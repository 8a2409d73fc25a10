"""The JSON of an accuracy that a run has measured, with a version and with the run itself."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from benchmarks.models import Evaluation, Run
from benchmarks.whose_values import reason_told, told_of


class EvaluationFailureSerializer(serializers.Serializer):
    code = serializers.CharField()
    message = serializers.CharField()


class MeasuredAccuracySerializer(serializers.Serializer):
    """Top-1 accuracy over an evaluation set, with its 95 % interval (Wilson)."""

    run = serializers.UUIDField(source="run_id")
    accuracy_ratio = serializers.FloatField(allow_null=True)
    ci95_low_ratio = serializers.FloatField(allow_null=True)
    ci95_high_ratio = serializers.FloatField(allow_null=True)
    item_count = serializers.IntegerField(allow_null=True)
    correct_count = serializers.IntegerField(allow_null=True)
    values_name = serializers.CharField(
        help_text="The evaluation set, as its owner called it; others are told that it is theirs."
    )
    values_sha256 = serializers.CharField(
        allow_null=True, help_text="Null for all but the owner of the model."
    )
    evaluated_at = serializers.DateTimeField()


class RunEvaluationSerializer(MeasuredAccuracySerializer):
    """What came of a run's evaluation set; figures are null where ``failure`` says why."""

    run = None
    output = serializers.CharField(allow_null=True, help_text="The output with the answer.")
    reading = serializers.CharField(
        allow_null=True,
        help_text="scores (the highest number per class), labels (the class itself), probability "
        "(one number, more than 0.5 is class 1) or unbounded (one number, more than 0 is class 1).",
    )
    class_count = serializers.IntegerField(allow_null=True)
    not_a_number_count = serializers.IntegerField(
        allow_null=True, help_text="Answers that were no number; they count as wrong."
    )
    batch_size = serializers.IntegerField(allow_null=True)
    padded_count = serializers.IntegerField(allow_null=True)
    notes = serializers.ListField(child=serializers.CharField())
    failure = EvaluationFailureSerializer(allow_null=True)


READING_FIELDS = (
    "output",
    "reading",
    "class_count",
    "not_a_number_count",
    "batch_size",
    "padded_count",
)
FIGURES = (
    "accuracy_ratio",
    "ci95_low_ratio",
    "ci95_high_ratio",
    "item_count",
    "correct_count",
    "evaluated_at",
)


def evaluation_shape(run: Run, *, is_told: bool) -> dict | None:
    """Return the plain values of the evaluation of ``run``; None where it has none (yet).

    ``is_told`` is whether name and hash of the set are for whoever asks.
    """
    found: Evaluation | None = getattr(run, "evaluation", None)
    if found is None:
        return None
    failure = {"code": found.failure_code, "message": reason_told(found, is_told=is_told)}
    return {
        **{name: getattr(found, name) for name in FIGURES},
        **told_of(found, is_told=is_told),
        **{name: found.reading.get(name) for name in READING_FIELDS},
        "notes": found.reading.get("notes", []),
        "failure": failure if found.failure_code else None,
    }


@extend_schema_field({"type": "object", "nullable": True})
class NothingField(serializers.Field):
    """A field that can only be cleared."""

    default_error_messages = {
        "not_null": "A measured accuracy can only be cleared, with null. A run measures it."
    }

    def __init__(self, **kwargs):
        super().__init__(allow_null=True, required=False, **kwargs)

    def to_internal_value(self, data):
        """Refuse everything: null never comes here."""
        self.fail("not_null")

    def to_representation(self, value):
        """Return nothing: it is only ever written."""
        return
