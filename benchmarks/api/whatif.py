"""The API of what-ifs: a run's estimate under other factors, worked out and not stored."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from benchmarks import whatif
from benchmarks.api.run_serializers import EnergySerializer, OwnedIdField, RunIntensitySerializer
from benchmarks.models import Run
from benchmarks.whatif_form import MAX_INFERENCES_PER_DAY, YEARS
from footprint.scaling import Scaled
from hardware.api.serializers import PowerSerializer
from hardware.models import MAX_PUE, HardwareProfile, Zone

QUESTION = (
    ("zone", {"type": "string"}, "A zone's code, such as FRA. Its newest figure counts."),
    ("year", {"type": "integer"}, "The year of the carbon intensity."),
    ("pue", {"type": "number"}, f"1 to {MAX_PUE}."),
    ("profile", {"type": "string", "format": "uuid"}, "Its power, PUE and zone count."),
    ("inferences_per_day", {"type": "number"}, "Adds per_day and per_year to the answer."),
)
PARAMETERS = [
    OpenApiParameter(name, type=schema, description=text) for name, schema, text in QUESTION
]


class NoResult(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "no_result"
    default_detail = "This run has no result, so there is nothing to work out anew."


class QuestionSerializer(serializers.Serializer):
    """What is to be different; what is left out stays as it is."""

    zone = serializers.PrimaryKeyRelatedField(
        queryset=Zone.objects.all(),
        pk_field=serializers.CharField(),
        required=False,
        error_messages={"does_not_exist": "There is no zone “{pk_value}”."},
    )
    year = serializers.IntegerField(required=False, min_value=YEARS[0], max_value=YEARS[1])
    pue = serializers.FloatField(required=False, min_value=1, max_value=MAX_PUE)
    profile = OwnedIdField(
        queryset=HardwareProfile.objects.with_factors(),
        allowed="visible_to",
        noun="profile",
        required=False,
    )
    inferences_per_day = serializers.FloatField(
        required=False, min_value=0, max_value=MAX_INFERENCES_PER_DAY
    )


class ScaledSerializer(serializers.Serializer):
    """Energy and emission of so many inferences."""

    inference_count = serializers.FloatField()
    energy_kwh = serializers.FloatField()
    emission_g = serializers.FloatField()


class EquivalentSerializer(serializers.Serializer):
    """An everyday act, in words with how many of it emit as much, and whose figure that is."""

    sentence = serializers.CharField()
    source = serializers.CharField()


class WhatIfSerializer(serializers.Serializer):
    """The run's estimate under the question's factors, per inference."""

    run = serializers.UUIDField()
    profile = serializers.UUIDField(
        allow_null=True, help_text="The profile asked for; null for the run's own factors."
    )
    latency_s = serializers.FloatField(help_text="As measured, whatever the machine.")
    power = PowerSerializer()
    pue = serializers.FloatField()
    energy = EnergySerializer()
    intensity = RunIntensitySerializer()
    emission_g = serializers.FloatField()
    stored_emission_g = serializers.FloatField(help_text="What the run itself is stored with.")
    per_day = ScaledSerializer(allow_null=True)
    per_year = ScaledSerializer(allow_null=True)
    equivalents = EquivalentSerializer(
        many=True,
        help_text="Of per_year; of a million inferences where it is null. Of almost nothing: none.",
    )


class RunWhatIf(GenericAPIView):
    """What a finished run would come to under other factors."""

    queryset = Run.objects.with_results().defer("measurement__samples_s")
    serializer_class = WhatIfSerializer
    more_problem_statuses = ("409",)

    def get_queryset(self):
        """Runs that the user may see."""
        return super().get_queryset().visible_to(self.request.user)

    @extend_schema(
        operation_id="runs_whatif", parameters=PARAMETERS, responses={200: WhatIfSerializer}
    )
    def get(self, request, pk):
        """Work out energy and grams elsewhere, without measuring; nothing is stored."""
        run = get_object_or_404(self.get_queryset(), pk=pk)
        if run.estimate is None:
            raise NoResult()
        asked = {name: value for name, value in request.query_params.items() if value}
        question = QuestionSerializer(data=asked, context={"request": request})
        question.is_valid(raise_exception=True)
        answer = whatif.answer(run, whatif.Question(**question.validated_data))
        return Response(self.get_serializer(_shape(answer)).data)


def _shape(answer: whatif.Answer) -> dict:
    numbers, origin, energy = (
        answer.assumed.numbers,
        answer.assumed.intensity,
        answer.estimate.energy,
    )
    power = numbers.power
    return {
        "run": answer.run.pk,
        "profile": answer.question.profile.pk if answer.question.profile else None,
        "latency_s": answer.estimate.latency_s,
        "power": {
            "cpu_w": power.cpu_w,
            "ram_w": power.ram_w,
            "gpu_w": power.gpu_w,
            "total_w": power.total_w,
        },
        "pue": numbers.pue,
        "energy": {
            "cpu_kwh": energy.cpu_kwh,
            "ram_kwh": energy.ram_kwh,
            "gpu_kwh": energy.gpu_kwh,
            "total_kwh": energy.total_kwh,
        },
        "intensity": {
            "zone": origin.zone,
            "year": origin.year,
            "g_per_kwh": numbers.intensity_g_per_kwh,
            "source": origin.source,
            "measure": origin.measure,
            "is_fallback": origin.is_fallback,
        },
        "emission_g": answer.estimate.emission_g,
        "stored_emission_g": answer.stored_g,
        "per_day": _scaled(answer.per_day),
        "per_year": _scaled(answer.per_year),
        "equivalents": [
            {"sentence": sentence, "source": source} for sentence, source in answer.equivalences
        ],
    }


def _scaled(scaled: Scaled | None) -> dict | None:
    if scaled is None:
        return None
    return {
        "inference_count": scaled.inference_count,
        "energy_kwh": scaled.energy_kwh,
        "emission_g": scaled.emission_g,
    }
