"""Under what a run came to its figure: runs in the same circumstances may be added up."""

import hashlib
import json

from django.db import models

UNKNOWN_MACHINE = "unknown machine"
UNKNOWN_RUNTIME = "of unknown version"


class Circumstances(models.Model):
    """All that decides a run's grams beside its latency, and all that it is told apart by.

    A hundred thousand runs share a few dozen of these, so that a history is summed up, and
    priced anew, by circumstances and not run by run. Made with a result
    (``benchmarks.outcomes``), never changed.
    """

    onnx_model = models.ForeignKey(
        "OnnxModel", on_delete=models.CASCADE, related_name="circumstances"
    )
    version = models.ForeignKey(
        "ModelVersion", on_delete=models.CASCADE, related_name="circumstances"
    )
    profile = models.ForeignKey(
        "hardware.HardwareProfile", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    profile_name = models.CharField(max_length=120)
    batch_size = models.PositiveIntegerField()
    intra_op_threads = models.PositiveSmallIntegerField()
    input_choices = models.JSONField(default=dict)
    values_name = models.CharField(max_length=120, blank=True)
    values_sha256 = models.CharField(max_length=64, blank=True)
    cpu = models.TextField(blank=True)
    machine_fingerprint = models.CharField(max_length=64)
    onnxruntime = models.TextField(blank=True)
    software_fingerprint = models.CharField(max_length=64)
    # Of the estimate that stands, as hardware.assumptions writes them.
    assumptions = models.JSONField()
    digest = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "circumstances"
        constraints = [
            models.UniqueConstraint(fields=["version", "digest"], name="circumstances_told_once")
        ]

    def __str__(self):
        return f"{self.version} on {self.profile_name}, {self.machine}"

    @property
    def machine(self) -> str:
        """What it was measured on, in words."""
        return self.cpu or UNKNOWN_MACHINE

    @property
    def runtime(self) -> str:
        """The version of onnxruntime, in words."""
        return self.onnxruntime or UNKNOWN_RUNTIME


class Charted(models.Model):
    """What a run's place in its model's history needs, told with the result; null until then."""

    onnx_model = models.ForeignKey(
        "OnnxModel",
        null=True,
        on_delete=models.CASCADE,
        related_name="results",
        # The index below begins with it.
        db_index=False,
    )
    circumstances = models.ForeignKey(
        Circumstances, null=True, on_delete=models.CASCADE, related_name="runs", db_index=False
    )
    # The measurement's mean.
    latency_s = models.FloatField(null=True)

    class Meta:
        abstract = True


# The first one holds all that a chart asks, so that the wide rows themselves are not read.
CHART_INDEXES = [
    models.Index(
        fields=["onnx_model", "finished_at", "id", "circumstances", "latency_s", "sweep"],
        name="run_chart",
    ),
    models.Index(fields=["circumstances", "finished_at", "id"], name="run_line"),
]


def digest_of(values: dict) -> str:
    """Return a word for ``values``, JSON's own types, that is the same only for the same ones.

    >>> digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    True
    """
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
