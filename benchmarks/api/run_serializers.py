"""The JSON of runs: what one asks for, and what one gets."""

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from benchmarks.api.accuracy_serializers import RunEvaluationSerializer
from benchmarks.api.estimate_shape import EstimateSerializer, GradeSerializer, SciSerializer
from benchmarks.api.run_shape import run_shape
from benchmarks.models import InputSet, ModelVersion, Run
from hardware.api.serializers import PowerSerializer
from hardware.models import HardwareProfile

# Larger than any size that memory can hold, and within what JSON readers keep exact.
MAX_DIMENSION = 2**31 - 1
MAX_BATCH_SIZE = 65_536
MAX_THREADS = 1_024


@extend_schema_field({"type": "number"})
class NumberField(serializers.FloatField):
    """A finite number; a whole one stays whole."""

    def to_internal_value(self, data):
        """Return ``data`` as the number that it is; texts and booleans are none."""
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        as_float = super().to_internal_value(data)
        return data if isinstance(data, int) else as_float

    def to_representation(self, value):
        """Return the number as it was stored."""
        return value


class DimensionField(serializers.IntegerField):
    """The size of a dimension."""

    def __init__(self, **kwargs):
        super().__init__(min_value=0, max_value=MAX_DIMENSION, **kwargs)


class InputsSerializer(serializers.Serializer):
    """What is decided about the model's inputs; what is left out is made up."""

    dims = serializers.DictField(
        child=DimensionField(), required=False, help_text="Sizes by the free dimension's name."
    )
    shapes = serializers.DictField(
        child=serializers.ListField(child=DimensionField(), max_length=16),
        required=False,
        help_text="Whole shapes by the input's name.",
    )
    ranges = serializers.DictField(
        child=serializers.ListField(child=NumberField(), min_length=2, max_length=2),
        required=False,
        help_text="Lowest and highest value, both included, by the input's name.",
    )


class OwnedIdField(serializers.PrimaryKeyRelatedField):
    """The id of something that the user may use; ``allowed`` names the queryset's method."""

    def __init__(self, *, queryset, allowed: str, noun: str, **kwargs):
        self.allowed = allowed
        kwargs["error_messages"] = {
            "does_not_exist": f"There is no {noun} “{{pk_value}}” that you may use."
        }
        super().__init__(queryset=queryset, pk_field=serializers.UUIDField(), **kwargs)

    def get_queryset(self):
        """Return the rows among which the id is looked up."""
        return getattr(super().get_queryset(), self.allowed)(self.context["request"].user)


class MeasurementRequestSerializer(serializers.Serializer):
    """What a run and a sweep are both asked for with."""

    version = OwnedIdField(
        queryset=ModelVersion.objects.select_related("onnx_model"),
        allowed="editable_by",
        noun="version",
        help_text="A ready version of one of your models.",
    )
    profile = OwnedIdField(
        queryset=HardwareProfile.objects.select_related("zone", "cpu", "gpu"),
        allowed="visible_to",
        noun="profile",
        help_text="A profile of yours or a public one.",
    )
    effort = serializers.ChoiceField(choices=Run.Effort, default=Run.Effort.STANDARD)
    inputs = InputsSerializer(
        required=False, help_text="Left out, what is saved with the model; {} for the guesses."
    )
    values = OwnedIdField(
        queryset=InputSet.objects.all(),
        allowed="editable_by",
        noun="set of inputs",
        required=False,
        allow_null=True,
        help_text="Real inputs of the model, fed as they are; what they leave out is made up.",
    )


class RunRequestSerializer(MeasurementRequestSerializer):
    """What a run is asked for with."""

    batch_size = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_BATCH_SIZE,
        help_text="Left out, 1, or as many items as the real inputs hold.",
    )
    intra_op_threads = serializers.IntegerField(default=1, min_value=1, max_value=MAX_THREADS)
    measures_accuracy = serializers.BooleanField(
        default=False,
        help_text="Whether values are an evaluation set, with labels: its first batch is timed, "
        "and all of it evaluated.",
    )
    answer_output = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="The output with the answer; left out, the only one that can be.",
    )


class FailureSerializer(serializers.Serializer):
    code = serializers.CharField()
    message = serializers.CharField()


class RunSettingsSerializer(serializers.Serializer):
    batch_size = serializers.IntegerField()
    intra_op_threads = serializers.IntegerField()
    effort = serializers.ChoiceField(choices=Run.Effort)
    inputs = InputsSerializer()
    values = serializers.UUIDField(
        allow_null=True, help_text="The real inputs that it is fed; null for made-up values."
    )
    values_name = serializers.CharField(
        allow_null=True,
        help_text="Their name, which stays when they are deleted. All but the owner are told that "
        "they are the owner's.",
    )
    values_sha256 = serializers.CharField(
        allow_null=True, help_text="Null for all but the owner, too."
    )
    measures_accuracy = serializers.BooleanField()
    answer_output = serializers.CharField(allow_null=True)


class ProgressSerializer(serializers.Serializer):
    """What the run is at, while it is measured."""

    phase = serializers.CharField()
    sample_count = serializers.IntegerField()


class AsMeasuredSerializer(serializers.Serializer):
    """All samples, in seconds per inference."""

    mean_s = serializers.FloatField()
    median_s = serializers.FloatField()
    p90_s = serializers.FloatField()
    p95_s = serializers.FloatField()
    p99_s = serializers.FloatField()
    max_s = serializers.FloatField()
    sample_count = serializers.IntegerField()


class LatencySerializer(AsMeasuredSerializer):
    """The samples taken while the machine was quiet, in seconds per inference."""

    stdev_s = serializers.FloatField()
    min_s = serializers.FloatField()
    ci95_low_s = serializers.FloatField(allow_null=True)
    ci95_high_s = serializers.FloatField(allow_null=True)
    quiet_ratio = serializers.FloatField(allow_null=True)
    is_noisy = serializers.BooleanField(allow_null=True)


class EnergySerializer(serializers.Serializer):
    """Energy of one inference; the total has the PUE in it."""

    cpu_kwh = serializers.FloatField()
    ram_kwh = serializers.FloatField()
    gpu_kwh = serializers.FloatField()
    total_kwh = serializers.FloatField()


class RunIntensitySerializer(serializers.Serializer):
    """The carbon intensity that the run rests on, as it was when the run was asked for."""

    zone = serializers.CharField()
    year = serializers.IntegerField()
    g_per_kwh = serializers.FloatField()
    source = serializers.CharField()
    measure = serializers.CharField()
    is_fallback = serializers.BooleanField(
        help_text="Whether the world's figure stands in for a zone that has none."
    )


class ModelledEmissionSerializer(serializers.Serializer):
    name = serializers.CharField()
    power_w = serializers.FloatField()
    emission_g = serializers.FloatField()
    source = serializers.CharField()


class RangeSerializer(serializers.Serializer):
    """What other published models of power give for the same run."""

    low_g = serializers.FloatField()
    high_g = serializers.FloatField()
    models = ModelledEmissionSerializer(many=True)


class MeterSerializer(serializers.Serializer):
    """One meter of the measuring machine: its figures, or the reason why it has none."""

    name = serializers.CharField()
    covers = serializers.ChoiceField(
        choices=("cpu", "ram", "gpu"), help_text="What it sees all of, whoever uses it."
    )
    is_available = serializers.BooleanField()
    reason = serializers.CharField(help_text="Empty where the meter is available.")
    power_w = serializers.FloatField(
        allow_null=True, help_text="Mean while inferences were timed, idle power included."
    )
    idle_power_w = serializers.FloatField(
        allow_null=True, help_text="Measured just before; subtracted from nothing."
    )
    energy_kwh_per_inference = serializers.FloatField(
        allow_null=True, help_text="power_w for the mean latency, without the PUE."
    )


class MeteredSerializer(serializers.Serializer):
    """What was metered beside the rated energy."""

    meters = MeterSerializer(many=True)


class TimingSerializer(serializers.Serializer):
    """How the samples were taken, and in ``notes`` what they cannot tell."""

    calls_per_sample = serializers.IntegerField(help_text="A sample is the mean of so many calls.")
    burst_count = serializers.IntegerField()
    quiet_burst_count = serializers.IntegerField()
    round_count = serializers.IntegerField()
    best_sentinel_s = serializers.FloatField(allow_null=True)
    known_best_sentinel_s = serializers.FloatField(
        allow_null=True,
        default=None,
        help_text="The sentinel's best in earlier runs, which this one was held to.",
    )
    speed_spread = serializers.FloatField(
        allow_null=True,
        default=None,
        help_text="How far from its usual speed this machine was in 95 of 100 earlier runs, as a "
        "share of it. The interval includes it.",
    )
    cores = serializers.ListField(child=serializers.IntegerField())
    notes = serializers.ListField(child=serializers.CharField())


class MissingLayerSerializer(serializers.Serializer):
    layer = serializers.CharField()
    reason = serializers.CharField()


class SandboxSerializer(serializers.Serializer):
    """What kept the model in while it was measured, and what of it the machine did not have."""

    layers = serializers.ListField(child=serializers.CharField())
    missing = MissingLayerSerializer(many=True)


class MachineSerializer(serializers.Serializer):
    """The machine that measured."""

    cpu = serializers.CharField()
    core_count = serializers.IntegerField()
    memory_bytes = serializers.IntegerField(allow_null=True)
    cache_bytes = serializers.DictField(
        child=serializers.IntegerField(), default=dict, help_text="Of one core, by level: L1d, L2."
    )
    os = serializers.CharField()
    kernel = serializers.CharField(allow_null=True, default=None)
    is_virtual = serializers.BooleanField(allow_null=True, default=None)
    governor = serializers.CharField(allow_null=True, default=None)
    fingerprint = serializers.CharField()


class RunSerializer(serializers.Serializer):
    """A run: where it stands, what was measured, what that means; null is not known (yet)."""

    id = serializers.UUIDField()
    url = serializers.URLField(help_text="The run's page.")
    job_url = serializers.URLField(help_text="The job file that repeats it elsewhere.")
    status = serializers.ChoiceField(choices=Run.Status.choices)
    failure = FailureSerializer(allow_null=True)
    version = serializers.UUIDField()
    profile = serializers.UUIDField(allow_null=True)
    sweep = serializers.UUIDField(
        allow_null=True, help_text="The sweep that asked for it; null for a run by itself."
    )
    settings = RunSettingsSerializer()
    queued_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    attempts = serializers.IntegerField()
    progress = ProgressSerializer(allow_null=True)
    latency = LatencySerializer(allow_null=True)
    as_measured = AsMeasuredSerializer(allow_null=True)
    throughput_per_s = serializers.FloatField(allow_null=True)
    load_s = serializers.FloatField(allow_null=True)
    first_call_s = serializers.FloatField(allow_null=True)
    session_memory_bytes = serializers.IntegerField(allow_null=True)
    peak_memory_bytes = serializers.IntegerField(allow_null=True)
    cpu_usage_ratio = serializers.FloatField(allow_null=True)
    cpu_time_per_inference_s = serializers.FloatField(
        allow_null=True, help_text="Of all its threads together."
    )
    timing = TimingSerializer(allow_null=True)
    power = PowerSerializer()
    pue = serializers.FloatField()
    pue_source = serializers.CharField(
        allow_null=True,
        help_text="The row of the PUE table that it is from; null where it was typed.",
    )
    energy = EnergySerializer(allow_null=True)
    intensity = RunIntensitySerializer()
    emission_g = serializers.FloatField(allow_null=True)
    range = RangeSerializer(allow_null=True)
    grade = GradeSerializer(allow_null=True)
    sci = SciSerializer(allow_null=True)
    estimates = EstimateSerializer(many=True)
    evaluation = RunEvaluationSerializer(
        allow_null=True, help_text="The accuracy, where the run was asked to measure it."
    )
    metered = MeteredSerializer(allow_null=True)
    sandbox = SandboxSerializer(allow_null=True)
    machine = MachineSerializer(allow_null=True)
    software = serializers.DictField(allow_null=True)

    def to_representation(self, run):
        """Return the JSON of ``run``."""
        absolute = self.context["request"].build_absolute_uri
        addresses = {
            "url": absolute(run.get_absolute_url()),
            "job_url": absolute(reverse("api-run-job", args=[run.pk])),
        }
        return super().to_representation({**self.shape(run), **addresses})

    def shape(self, run) -> dict:
        """Return the plain values of ``run``."""
        return run_shape(run, self.context["request"].user)
