"""The JSON of sweeps: what one asks for, and what one gets."""

from rest_framework import serializers

from benchmarks.api.run_serializers import (
    MAX_BATCH_SIZE,
    MAX_THREADS,
    FailureSerializer,
    InputsSerializer,
    MeasurementRequestSerializer,
)
from benchmarks.models import Run, Sweep
from benchmarks.sweep_reports import Cell, SweepReport
from benchmarks.sweeps import MAX_RUN_COUNT
from benchmarks.whose_values import are_told_to, told_of
from footprint.knee import SweptSetting


def _numbers(*, max_value: int, **kwargs) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=max_value),
        min_length=1,
        max_length=MAX_RUN_COUNT,
        **kwargs,
    )


class SweepRequestSerializer(MeasurementRequestSerializer):
    """What a sweep is asked for with: each batch size is combined with each thread count."""

    batch_sizes = _numbers(
        max_value=MAX_BATCH_SIZE,
        required=False,
        help_text="Left out, 1, or as many items as the real inputs hold.",
    )
    intra_op_threads = _numbers(max_value=MAX_THREADS, default=[1])


class SweepSettingsSerializer(serializers.Serializer):
    batch_sizes = serializers.ListField(child=serializers.IntegerField())
    intra_op_threads = serializers.ListField(child=serializers.IntegerField())
    effort = serializers.ChoiceField(choices=Run.Effort)
    inputs = InputsSerializer()
    values = serializers.UUIDField(
        allow_null=True, help_text="The real inputs that its runs are fed; null for made-up values."
    )
    values_name = serializers.CharField(
        allow_null=True,
        help_text="Their name, which stays when they are deleted. All but the owner are told that "
        "they are the owner's.",
    )
    values_sha256 = serializers.CharField(
        allow_null=True, help_text="Null for all but the owner, too."
    )

    def to_representation(self, sweep):
        """Return what ``sweep`` was asked for with."""
        is_told = are_told_to(self.context["request"].user, sweep)
        values = {"values": sweep.input_set_id, **told_of(sweep, is_told=is_told)}
        return super().to_representation({**sweep.settings, **values})


class SweepSerializer(serializers.ModelSerializer):
    """A sweep and how far it is."""

    url = serializers.SerializerMethodField(help_text="The sweep's page.")
    version = serializers.UUIDField(source="version_id")
    profile = serializers.UUIDField(source="profile_id", allow_null=True)
    settings = SweepSettingsSerializer(source="*")
    run_count = serializers.IntegerField()
    open_count = serializers.IntegerField(help_text="Runs queued or under way.")
    done_count = serializers.IntegerField(help_text="Runs that have a result.")

    class Meta:
        model = Sweep
        fields = [
            "id",
            "url",
            "version",
            "profile",
            "settings",
            "created_at",
            "run_count",
            "open_count",
            "done_count",
        ]
        read_only_fields = fields

    def get_url(self, sweep) -> str:
        """Return the address of the sweep's page."""
        return self.context["request"].build_absolute_uri(sweep.get_absolute_url())


class SweepRunSerializer(serializers.Serializer):
    """One setting's run in short; ``GET /runs/{id}/`` has all of it. Figures per inference."""

    id = serializers.UUIDField()
    batch_size = serializers.IntegerField()
    intra_op_threads = serializers.IntegerField()
    status = serializers.ChoiceField(choices=Run.Status.choices)
    failure = FailureSerializer(allow_null=True)
    mean_s = serializers.FloatField(allow_null=True)
    ci95_low_s = serializers.FloatField(allow_null=True)
    ci95_high_s = serializers.FloatField(allow_null=True)
    throughput_per_s = serializers.FloatField(allow_null=True)
    emission_g = serializers.FloatField(allow_null=True)
    change_ratio = serializers.FloatField(
        allow_null=True, help_text="Emission against the baseline's: -0.39 is 39 % less."
    )
    is_within_noise = serializers.BooleanField(
        allow_null=True, help_text="Whether its interval and the baseline's overlap."
    )


class SweptSettingSerializer(serializers.Serializer):
    batch_size = serializers.IntegerField()
    intra_op_threads = serializers.IntegerField()
    emission_g = serializers.FloatField()


class KneeSerializer(SweptSettingSerializer):
    """The smallest setting that costs as little as any."""

    saved_ratio = serializers.FloatField(
        allow_null=True, help_text="Of the baseline's emission: 0.39 is 39 % less; 0 is nothing."
    )
    is_beyond_known = serializers.BooleanField(
        help_text="Whether a larger setting was measured too, and brought nothing."
    )
    baseline = SweptSettingSerializer(help_text="The smallest setting that has a result.")


class SweepDetailSerializer(SweepSerializer):
    """A sweep with its runs, small settings first, and its knee; null until two have a result."""

    runs = SweepRunSerializer(many=True)
    knee = KneeSerializer(allow_null=True)
    conclusion = serializers.CharField(help_text="What the sweep found, as one sentence.")

    class Meta(SweepSerializer.Meta):
        fields = [*SweepSerializer.Meta.fields, "runs", "knee", "conclusion"]
        read_only_fields = fields

    def to_representation(self, report: SweepReport):
        """Return the JSON of a sweep's report."""
        plain = SweepSerializer(report.sweep, context=self.context).data
        runs = SweepRunSerializer([_run_shape(cell) for cell in report.cells], many=True).data
        knee = _knee_shape(report)
        return {
            **plain,
            "runs": runs,
            "knee": knee and KneeSerializer(knee).data,
            "conclusion": report.conclusion,
        }


def _run_shape(cell: Cell) -> dict:
    run = cell.run
    found = getattr(run, "measurement", None)
    is_failed = run.status == Run.Status.FAILED
    names = ("mean_s", "ci95_low_s", "ci95_high_s", "throughput_per_s")
    return {
        "id": run.pk,
        "batch_size": run.batch_size,
        "intra_op_threads": run.intra_op_threads,
        "status": run.status,
        "failure": {"code": run.failure_code, "message": run.failure_message}
        if is_failed
        else None,
        **{name: getattr(found, name, None) for name in names},
        "emission_g": cell.setting.emission_g if cell.setting else None,
        "change_ratio": cell.change_ratio,
        "is_within_noise": cell.is_within_noise,
    }


def _knee_shape(report: SweepReport) -> dict | None:
    knee = report.knee
    if knee is None:
        return None
    return {
        **_setting_shape(knee.setting),
        "saved_ratio": knee.saved_ratio,
        "is_beyond_known": knee.is_beyond_known,
        "baseline": _setting_shape(knee.baseline),
    }


def _setting_shape(setting: SweptSetting) -> dict:
    return {
        "batch_size": setting.batch_size,
        "intra_op_threads": setting.thread_count,
        "emission_g": setting.emission_g,
    }
