"""The JSON of a history: its lines, with single runs or buckets on them."""

from rest_framework import serializers

from benchmarks.buckets import Bucket, Chart, ChartLine
from benchmarks.charts import bucket_figures
from benchmarks.history import HistoryPoint
from benchmarks.pricing import Pricing

SPREAD = "Over the bucket's runs, per inference."


class SpreadSerializer(serializers.Serializer):
    """The lowest, the median and the highest of a figure."""

    min = serializers.FloatField()
    median = serializers.FloatField()
    max = serializers.FloatField()


class HistoryRunSerializer(serializers.Serializer):
    """One run of a line."""

    run = serializers.UUIDField()
    measured_at = serializers.DateTimeField()
    version_number = serializers.IntegerField()
    version_title = serializers.CharField()
    latency_s = serializers.FloatField()
    ci95_low_s = serializers.FloatField(allow_null=True)
    ci95_high_s = serializers.FloatField(allow_null=True)
    energy_kwh = serializers.FloatField()
    emission_g = serializers.FloatField()
    machine = serializers.CharField()
    onnxruntime = serializers.CharField()
    break_reason = serializers.CharField(
        allow_null=True, help_text="Why it is not comparable with the run before; null where it is."
    )
    grade = serializers.CharField()


class BucketSerializer(serializers.Serializer):
    """Runs of one version, machine and software, under the same factors, in the same time."""

    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    run_count = serializers.IntegerField()
    version_number = serializers.IntegerField()
    version_title = serializers.CharField()
    machine = serializers.CharField()
    onnxruntime = serializers.CharField()
    machine_fingerprint = serializers.CharField()
    software_fingerprint = serializers.CharField()
    latency_s = SpreadSerializer(help_text=SPREAD)
    energy_kwh = SpreadSerializer(help_text=SPREAD)
    emission_g = SpreadSerializer(help_text=SPREAD)


class LineSerializer(serializers.Serializer):
    """Runs that can be compared: of one profile, with one set of settings."""

    label = serializers.CharField()
    profile = serializers.UUIDField(allow_null=True)
    batch_size = serializers.IntegerField()
    intra_op_threads = serializers.IntegerField()
    run_count = serializers.IntegerField(help_text="In the time asked for.")
    runs = HistoryRunSerializer(many=True, help_text="Oldest first; empty where there are buckets.")
    buckets = BucketSerializer(
        many=True,
        help_text="One machine's and software's together, oldest first; else empty.",
    )


class HistorySerializer(serializers.Serializer):
    """A model's history in the time asked for."""

    model = serializers.UUIDField()
    run_count = serializers.IntegerField(help_text="The finished runs in that time.")
    covered_run_count = serializers.IntegerField(
        help_text="Those told here, as runs or in buckets; fewer only where there are more than 24 "
        "lines, or very many circumstances."
    )
    bucket_width_s = serializers.IntegerField(
        allow_null=True, help_text="The longest time that a bucket stands for; null without any."
    )
    lines = LineSerializer(many=True, help_text="The one with the newest run first.")


def history_plain(chart: Chart, pricing: Pricing) -> dict:
    """Return ``chart`` as plain values at these prices."""
    return {
        "model": chart.timeline.onnx_model.pk,
        "run_count": chart.timeline.run_count,
        "covered_run_count": chart.covered_count,
        "bucket_width_s": chart.width_s,
        "lines": [_line(one, pricing) for one in chart.lines],
    }


def _line(drawn: ChartLine, pricing: Pricing) -> dict:
    line = drawn.line
    return {
        "label": line.label,
        "profile": line.newest.circumstances.profile_id,
        "batch_size": line.key.batch_size,
        "intra_op_threads": line.key.intra_op_threads,
        "run_count": line.run_count,
        "runs": [_run(pricing.applied_to(point)) for point in drawn.points],
        "buckets": [_bucket(one, pricing) for one in drawn.buckets],
    }


def _run(point: HistoryPoint) -> dict:
    return {
        "run": point.run_id,
        "measured_at": point.measured_at,
        "version_number": point.version_number,
        "version_title": point.version_title,
        "latency_s": point.latency_s,
        "ci95_low_s": point.ci95_low_s,
        "ci95_high_s": point.ci95_high_s,
        "energy_kwh": point.energy_kwh,
        "emission_g": point.emission_g,
        "machine": point.machine,
        "onnxruntime": point.runtime,
        "break_reason": point.break_reason or None,
        "grade": point.grade,
    }


def _bucket(bucket: Bucket, pricing: Pricing) -> dict:
    one = bucket.circumstances
    figures = {
        name: bucket_figures(bucket, latency_s, pricing)
        for name, latency_s in (
            ("min", bucket.min_s),
            ("median", bucket.median_s),
            ("max", bucket.max_s),
        )
    }
    return {
        "first_at": bucket.first_at,
        "last_at": bucket.last_at,
        "run_count": bucket.run_count,
        "version_number": one.version.number,
        "version_title": one.version.title,
        "machine": one.machine,
        "onnxruntime": one.runtime,
        "machine_fingerprint": one.machine_fingerprint,
        "software_fingerprint": one.software_fingerprint,
        "latency_s": {name: each["latency"] for name, each in figures.items()},
        "energy_kwh": {name: each["energy"] for name, each in figures.items()},
        "emission_g": {name: each["emission"] for name, each in figures.items()},
    }
