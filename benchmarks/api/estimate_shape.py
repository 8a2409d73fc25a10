"""What the API says of a run's estimates: how sure they are, and which ones there are."""

from rest_framework import serializers

from benchmarks.grading import grade_of
from benchmarks.models import Estimate, Run
from hardware.assumptions import RowOrigin


class GradeSerializer(serializers.Serializer):
    """How sure the result is."""

    letter = serializers.ChoiceField(choices=("A", "B", "C", "D"), help_text="A is the surest.")
    reasons = serializers.ListField(
        child=serializers.CharField(), help_text="The weightiest doubt first."
    )


class SciSerializer(serializers.Serializer):
    """Software Carbon Intensity per inference (ISO/IEC 21031)."""

    operational_g = serializers.FloatField(help_text="The same as emission_g.")
    embodied_g = serializers.FloatField(help_text="The share of making the machine.")
    total_g = serializers.FloatField()
    embodied_source = serializers.CharField(
        allow_null=True, help_text="The row of the embodied table; null where it was typed."
    )


class EstimateIntensitySerializer(serializers.Serializer):
    """The carbon intensity that an estimate rests on."""

    zone = serializers.CharField()
    year = serializers.IntegerField()
    g_per_kwh = serializers.FloatField()
    source = serializers.CharField()
    measure = serializers.CharField()
    is_fallback = serializers.BooleanField()


class EstimateSerializer(serializers.Serializer):
    """One estimate made of the measurement, per inference."""

    id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    is_headline = serializers.BooleanField(help_text="Whether the run's figures are this one's.")
    made_by = serializers.CharField(
        allow_null=True, help_text="Who re-priced; null for the one made when the run ended."
    )
    note = serializers.CharField(help_text="Why; empty where nothing was said.")
    power_w = serializers.FloatField()
    pue = serializers.FloatField()
    energy_kwh = serializers.FloatField()
    emission_g = serializers.FloatField()
    intensity = EstimateIntensitySerializer()


def judged(run: Run) -> dict:
    """Return the grade, the SCI and the estimates of ``run``, taken ``with_results()``."""
    estimate, grade = run.estimate, grade_of(run)
    sci = estimate.sci if estimate else None
    return {
        "grade": grade and {"letter": grade.letter, "reasons": [one.text for one in grade.reasons]},
        "sci": sci
        and {
            "operational_g": sci.operational_g,
            "embodied_g": sci.embodied_g,
            "total_g": sci.total_g,
            "embodied_source": _text(estimate.assumed.embodied_origin),
        },
        "estimates": [_estimate(one) for one in run.estimates.all()],
    }


def _text(origin: RowOrigin | None) -> str | None:
    return str(origin) if origin else None


def _estimate(one: Estimate) -> dict:
    return {
        "id": one.pk,
        "created_at": one.created_at,
        "is_headline": one.is_headline,
        "made_by": one.made_by.get_username() if one.made_by else None,
        "note": one.note,
        "power_w": one.power_w,
        "pue": one.pue,
        "energy_kwh": one.energy_kwh,
        "emission_g": one.emission_g,
        "intensity": {
            "zone": one.intensity_zone,
            "year": one.intensity_year,
            "g_per_kwh": one.intensity_g_per_kwh,
            "source": one.intensity_source,
            "measure": one.intensity_measure,
            "is_fallback": one.is_intensity_fallback,
        },
    }
