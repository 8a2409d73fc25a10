"""What the child found of a run, as rows: its figures, and the accuracy of its version."""

from dataclasses import dataclass

from django.db import models
from django.db.models import Q
from django.utils import timezone

from footprint.comparison import Interval
from footprint.proportion import Proportion, difference_interval


class Measurement(models.Model):
    """What the child measured, in seconds per inference; never changed once written."""

    run = models.OneToOneField(
        "benchmarks.Run", primary_key=True, on_delete=models.CASCADE, related_name="measurement"
    )
    mean_s = models.FloatField()
    median_s = models.FloatField()
    stdev_s = models.FloatField()
    min_s = models.FloatField()
    max_s = models.FloatField()
    p90_s = models.FloatField()
    p95_s = models.FloatField()
    p99_s = models.FloatField()
    ci95_low_s = models.FloatField(null=True)
    ci95_high_s = models.FloatField(null=True)
    sample_count = models.PositiveIntegerField()
    quiet_ratio = models.FloatField(null=True)
    is_noisy = models.BooleanField(null=True)
    as_measured = models.JSONField()
    samples_s = models.JSONField()
    throughput_per_s = models.FloatField()
    load_s = models.FloatField()
    first_call_s = models.FloatField()
    peak_memory_bytes = models.BigIntegerField(null=True)
    session_memory_bytes = models.BigIntegerField(null=True)
    # CPU time over time x threads, and over time x all of the machine's cores.
    cpu_usage_ratio = models.FloatField(null=True)
    machine_usage_ratio = models.FloatField(null=True)
    cpu_time_per_inference_s = models.FloatField(null=True)
    measuring_wall_s = models.FloatField(null=True)
    timing = models.JSONField(default=dict)
    uses_io_binding = models.BooleanField(null=True)
    inputs_used = models.JSONField(default=list)
    outputs_seen = models.JSONField(default=list)
    # What each meter said, or why it is missing (runner.meters.metered.Metered).
    metered = models.JSONField(default=dict)
    # The active and the missing layers of the cage (runner.layers.Sandbox).
    sandbox = models.JSONField(default=dict)
    # Where the time goes (runner.composition.Composition), or a sentence that says why not.
    composition = models.JSONField(default=dict)
    profiling_note = models.TextField(blank=True)
    machine = models.JSONField()
    software = models.JSONField()
    machine_fingerprint = models.CharField(max_length=64)
    software_fingerprint = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(mean_s__gt=0), name="measured_mean_positive"),
            models.CheckConstraint(condition=Q(sample_count__gte=1), name="measured_something"),
        ]

    def __str__(self):
        return f"{self.mean_s} s"


class Evaluation(models.Model):
    """What came of running a whole evaluation set through a run's version; or why nothing did."""

    run = models.OneToOneField(
        "benchmarks.Run", primary_key=True, on_delete=models.CASCADE, related_name="evaluation"
    )
    values_name = models.CharField(max_length=120)
    values_sha256 = models.CharField(max_length=64)
    evaluated_at = models.DateTimeField(default=timezone.now)
    item_count = models.PositiveIntegerField(null=True)
    correct_count = models.PositiveIntegerField(null=True)
    accuracy_ratio = models.FloatField(null=True)
    ci95_low_ratio = models.FloatField(null=True)
    ci95_high_ratio = models.FloatField(null=True)
    # How the answers were read, and notes (the rest of runner.evaluated.EvaluationResult).
    reading = models.JSONField(default=dict)
    failure_code = models.CharField(max_length=40, blank=True)
    failure_message = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(failure_code="", accuracy_ratio__isnull=False)
                | Q(accuracy_ratio__isnull=True) & ~Q(failure_code="") & ~Q(failure_message=""),
                name="evaluation_has_a_result_or_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(accuracy_ratio__isnull=True)
                | Q(
                    item_count__isnull=False,
                    item_count__gte=1,
                    ci95_low_ratio__isnull=False,
                    ci95_low_ratio__gte=0,
                    ci95_high_ratio__isnull=False,
                    ci95_high_ratio__lte=1,
                    accuracy_ratio__gte=models.F("ci95_low_ratio"),
                    accuracy_ratio__lte=models.F("ci95_high_ratio"),
                ),
                name="evaluated_accuracy_is_a_ratio",
            ),
        ]

    def __str__(self):
        return self.failure_message or f"{self.correct_count} of {self.item_count}"


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The accuracy that stands for a version: ``measured`` by a run, or else as typed."""

    ratio: float
    measured: Evaluation | None = None

    @classmethod
    def of(cls, typed_ratio: float | None, measured: Evaluation | None) -> "Accuracy | None":
        """What was measured goes before what was typed; None where nothing is known."""
        if measured is not None:
            return cls(measured.accuracy_ratio, measured)
        return None if typed_ratio is None else cls(typed_ratio)

    @property
    def proportion(self) -> Proportion:
        """The share with its interval; of one that was typed no interval is known."""
        if self.measured is None:
            return Proportion.exact(self.ratio)
        return Proportion(self.ratio, self.measured.ci95_low_ratio, self.measured.ci95_high_ratio)

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of what was measured; None for what was typed."""
        if self.measured is None:
            return None
        return Interval(low=self.proportion.low, high=self.proportion.high)

    def gap_to(self, other: "Accuracy") -> Interval | None:
        """Return the 95 % interval of this less ``other``; None where both were only typed."""
        if self.measured is None and other.measured is None:
            return None
        return difference_interval(self.proportion, other.proportion)
