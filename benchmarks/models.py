"""Models and their versions, the runs made of them, and what the runs found."""

from django.conf import settings
from django.core.validators import (
    MaxValueValidator,
    MinValueValidator,
    ProhibitNullCharactersValidator,
)
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.ids import new_id
from accounts.querysets import SharedQuerySet
from benchmarks.circumstances import CHART_INDEXES, Charted
from benchmarks.data_files import WithDataFiles
from benchmarks.measured import Accuracy, Evaluation, Measurement
from benchmarks.querysets import (
    MAX_ATTEMPTS,
    InputSetQuerySet,
    ModelVersionQuerySet,
    RunQuerySet,
    SweepQuerySet,
    WorkerQuerySet,
)
from footprint.embodied import SoftwareCarbonIntensity
from hardware.assumptions import SourcedAssumptions

__all__ = [
    "Estimate",
    "Evaluation",
    "IdempotencyKey",
    "InputSet",
    "Measurement",
    "ModelVersion",
    "OnnxModel",
    "Run",
    "Sweep",
    "Worker",
]


class OnnxModel(models.Model):
    """A model that someone follows over its versions."""

    class Visibility(models.TextChoices):
        PRIVATE = "private", "Private: only you"
        PUBLIC = "public", "Public: anyone may read the results"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="onnx_models"
    )
    name = models.CharField(max_length=120, validators=[ProhibitNullCharactersValidator()])
    visibility = models.CharField(max_length=8, choices=Visibility, default=Visibility.PRIVATE)
    # What runs are fed when nothing else is said: dims, shapes and ranges; empty for the guesses.
    saved_inputs = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = SharedQuerySet.as_manager()

    class Meta:
        verbose_name = "model"
        ordering = ["-updated_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="one_model_name_per_owner"),
            models.CheckConstraint(
                condition=Q(visibility__in=["private", "public"]), name="model_visibility_known"
            ),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("model", args=[self.pk])

    @property
    def latest_version(self) -> "ModelVersion | None":
        return self.versions.order_by("-number").first()

    @property
    def newest_ready_version(self) -> "ModelVersion | None":
        """The newest version that can be run: its inputs are the model's."""
        return self.versions.filter(status="ready").order_by("-number").first()


class ModelVersion(WithDataFiles):
    """One upload of a model, and what reading it without running it told."""

    class Status(models.TextChoices):
        INSPECTING = "inspecting", "Being inspected"
        READY = "ready", "Ready"
        REJECTED = "rejected", "Rejected"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    onnx_model = models.ForeignKey(OnnxModel, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    label = models.CharField(
        max_length=80, blank=True, validators=[ProhibitNullCharactersValidator()]
    )
    file = models.FileField(max_length=255)
    original_name = models.CharField(max_length=255, blank=True)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    status = models.CharField(max_length=10, choices=Status, default=Status.INSPECTING)
    rejection_code = models.CharField(max_length=40, blank=True)
    rejection_reason = models.TextField(blank=True)
    inspection_attempts = models.PositiveSmallIntegerField(default=0)
    inspection_rung_at = models.DateTimeField(default=timezone.now)
    opset = models.PositiveIntegerField(null=True)
    ir_version = models.PositiveIntegerField(null=True)
    producer = models.CharField(max_length=200, blank=True)
    parameter_count = models.BigIntegerField(null=True)
    mac_count = models.BigIntegerField(null=True)
    flop_count = models.BigIntegerField(null=True)
    node_count = models.PositiveIntegerField(null=True)
    operators = models.JSONField(default=dict)
    uncounted_operators = models.JSONField(default=list)
    inputs = models.JSONField(default=list)
    outputs = models.JSONField(default=list)
    accuracy_ratio = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    # The evaluation whose accuracy stands for the version, before the one that was typed.
    evaluation = models.ForeignKey(
        Evaluation, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    training_time_s = models.FloatField(null=True, blank=True, validators=[MinValueValidator(0)])
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        verbose_name = "version"
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["onnx_model", "number"], name="one_version_per_number"),
            models.CheckConstraint(
                condition=Q(status__in=["inspecting", "ready", "rejected"]),
                name="version_status_known",
            ),
            models.CheckConstraint(
                condition=~Q(status="rejected") | ~Q(rejection_reason=""),
                name="rejected_version_says_why",
            ),
            models.CheckConstraint(
                condition=Q(accuracy_ratio__isnull=True)
                | Q(accuracy_ratio__gte=0, accuracy_ratio__lte=1),
                name="version_accuracy_is_a_ratio",
            ),
        ]

    def __str__(self):
        return f"{self.onnx_model} {self.title}"

    @property
    def title(self) -> str:
        """The version's short name: its number, and its label if it has one."""
        return f"v{self.number} {self.label}".strip()

    @property
    def is_ready(self) -> bool:
        return self.status == self.Status.READY

    @property
    def accuracy(self) -> Accuracy | None:
        """The accuracy that counts: measured, else as typed; None where neither is known."""
        return Accuracy.of(self.accuracy_ratio, self.evaluation)


class InputSet(models.Model):
    """Real inputs for a model: an ``.npz`` whose arrays are named as the inputs are."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    onnx_model = models.ForeignKey(OnnxModel, on_delete=models.CASCADE, related_name="input_sets")
    name = models.CharField(max_length=120, validators=[ProhibitNullCharactersValidator()])
    file = models.FileField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    # Per array: name, dtype, shape.
    tensors = models.JSONField(default=list)
    # Whether one array holds what the answers should be: it is kept, and fed to no input.
    has_labels = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = InputSetQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["onnx_model", "name"], name="one_input_set_per_name")
        ]

    def __str__(self):
        return self.name


class Sweep(models.Model):
    """Runs asked for at once, which differ in batch size and threads and in nothing else."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sweeps"
    )
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="sweeps")
    profile = models.ForeignKey(
        "hardware.HardwareProfile", null=True, on_delete=models.SET_NULL, related_name="sweeps"
    )
    profile_name = models.CharField(max_length=120)
    # What was asked for: batch_sizes and intra_op_threads (lists), effort, inputs.
    settings = models.JSONField()
    # Real inputs, where its runs are fed any; their name and hash outlive them.
    input_set = models.ForeignKey(
        InputSet, null=True, on_delete=models.SET_NULL, related_name="sweeps"
    )
    values_name = models.CharField(max_length=120, blank=True)
    values_sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SweepQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self):
        return f"Sweep of {self.version} on {self.profile_name}"

    def get_absolute_url(self):
        return reverse("sweep", args=[self.pk])


class Run(Charted):
    """One measurement of one version for one profile; the row is also its place in the queue."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        MEASURING = "measuring", "Measuring"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    class Effort(models.TextChoices):
        QUICK = "quick", "Quick: about 5 s"
        STANDARD = "standard", "Standard: about 20 s"
        CAREFUL = "careful", "Careful: 75 s to 5 minutes"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="runs")
    profile = models.ForeignKey(
        "hardware.HardwareProfile", null=True, on_delete=models.SET_NULL, related_name="runs"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="runs"
    )
    # A run outlives the sweep that asked for it: its result is one like any other.
    sweep = models.ForeignKey(Sweep, null=True, on_delete=models.SET_NULL, related_name="runs")
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    batch_size = models.PositiveIntegerField(default=1)
    intra_op_threads = models.PositiveSmallIntegerField(default=1)
    effort = models.CharField(max_length=10, choices=Effort, default=Effort.STANDARD)
    input_choices = models.JSONField(default=dict)
    # Real inputs, where it is fed any; their name and hash outlive them.
    input_set = models.ForeignKey(
        InputSet, null=True, on_delete=models.SET_NULL, related_name="runs"
    )
    values_name = models.CharField(max_length=120, blank=True)
    values_sha256 = models.CharField(max_length=64, blank=True)
    # Whether they are an evaluation set that the accuracy is measured on, and by which output.
    measures_accuracy = models.BooleanField(default=False)
    answer_output = models.CharField(max_length=200, blank=True)
    # The numbers and origins of hardware.assumptions, as they were when the run was asked for.
    assumptions = models.JSONField()
    queued_at = models.DateTimeField(default=timezone.now)
    # When its turn is due. The runs of a sweep fall due one after another, so that what others
    # ask for meanwhile goes in between.
    turn_at = models.DateTimeField(default=timezone.now)
    rung_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    claim_token = models.UUIDField(null=True)
    claimed_by = models.CharField(max_length=120, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    phase = models.CharField(max_length=20, blank=True)
    sample_count = models.PositiveIntegerField(default=0)
    failure_code = models.CharField(max_length=40, blank=True)
    failure_message = models.TextField(blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-queued_at", "-id"]
        indexes = [
            models.Index(fields=["status", "turn_at"], name="run_queue"),
            models.Index(fields=["version", "-queued_at"], name="run_history"),
            models.Index(fields=["-queued_at", "-id"], name="run_newest_first"),
            models.Index(fields=["owner", "-queued_at", "-id"], name="run_of_owner"),
            *CHART_INDEXES,
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["queued", "measuring", "done", "failed", "cancelled"]),
                name="run_status_known",
            ),
            models.CheckConstraint(
                condition=Q(effort__in=["quick", "standard", "careful"]), name="run_effort_known"
            ),
            models.CheckConstraint(
                condition=~Q(status="measuring")
                | Q(claim_token__isnull=False, lease_expires_at__isnull=False),
                name="measured_run_is_claimed",
            ),
            models.CheckConstraint(
                condition=~Q(status="failed") | ~Q(failure_code="") & ~Q(failure_message=""),
                name="failed_run_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["done", "failed", "cancelled"])
                | Q(finished_at__isnull=False),
                name="ended_run_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(batch_size__gte=1, intra_op_threads__gte=1),
                name="run_settings_positive",
            ),
        ]

    def __str__(self):
        return f"{self.version} on {self.profile_name}"

    def get_absolute_url(self):
        return reverse("run", args=[self.pk])

    @property
    def profile_name(self) -> str:
        """The profile's name when the run was asked for."""
        return self.assumptions["profile_name"]

    @property
    def is_last_attempt(self) -> bool:
        """Whether it is given up when its worker is lost once more."""
        return self.attempts >= MAX_ATTEMPTS

    @property
    def is_over(self) -> bool:
        return self.status in {self.Status.DONE, self.Status.FAILED, self.Status.CANCELLED}

    @property
    def estimate(self) -> "Estimate | None":
        """The estimate that stands: the newest, made when the run ended or re-priced since.

        None for a run that was not done when its row was read: its estimates are read a moment
        later, and may be there without its measurement.
        """
        if self.status != self.Status.DONE:
            return None
        return next((one for one in self.estimates.all() if one.is_headline), None)


class Estimate(models.Model):
    """Energy and emission of one inference of a run, with every number it rests on."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="estimates")
    is_headline = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    latency_s = models.FloatField()
    cpu_power_w = models.FloatField()
    ram_power_w = models.FloatField()
    gpu_power_w = models.FloatField()
    pue = models.FloatField()
    cpu_energy_kwh = models.FloatField()
    ram_energy_kwh = models.FloatField()
    gpu_energy_kwh = models.FloatField()
    energy_kwh = models.FloatField()
    intensity = models.ForeignKey(
        "hardware.CarbonIntensity", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    intensity_g_per_kwh = models.FloatField()
    intensity_zone = models.CharField(max_length=40)
    intensity_zone_name = models.CharField(max_length=120)
    intensity_year = models.PositiveSmallIntegerField()
    intensity_source = models.CharField(max_length=200)
    intensity_measure = models.CharField(max_length=16)
    is_intensity_fallback = models.BooleanField(default=False)
    emission_g = models.FloatField()
    low_g = models.FloatField()
    high_g = models.FloatField()
    # Per published power model: name, power_w, emission_g, source (footprint.power_models).
    power_models = models.JSONField(default=list)
    # The share of making the machine; null where the profile does not tell it.
    embodied_g = models.FloatField(null=True)
    # What it rests on where that is not what the run assumed: a later re-pricing.
    assumptions = models.JSONField(null=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["run"], condition=Q(is_headline=True), name="one_headline_per_run"
            ),
            models.CheckConstraint(
                condition=Q(latency_s__gt=0, energy_kwh__gte=0, emission_g__gte=0),
                name="estimate_not_negative",
            ),
        ]

    def __str__(self):
        return f"{self.emission_g} g"

    @property
    def power_w(self) -> float:
        """The rated power of all components together."""
        return self.cpu_power_w + self.ram_power_w + self.gpu_power_w

    @property
    def assumed(self) -> SourcedAssumptions:
        """What it rests on, with every origin."""
        return SourcedAssumptions.from_json(self.assumptions or self.run.assumptions)

    @property
    def sci(self) -> SoftwareCarbonIntensity | None:
        """Operational and embodied grams per inference; None where the latter is not known."""
        if self.embodied_g is None:
            return None
        return SoftwareCarbonIntensity(self.emission_g, self.embodied_g)


class IdempotencyKey(models.Model):
    """What a client's ``Idempotency-Key`` made the first time, so that a retry gets it back."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    action = models.CharField(max_length=80)
    key = models.CharField(max_length=200)
    object_id = models.UUIDField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "action", "key"], name="one_object_per_key")
        ]

    def __str__(self):
        return self.key


class Worker(models.Model):
    """A process that takes work from queues, and when it was last known to live."""

    name = models.CharField(primary_key=True, max_length=200)
    queues = models.JSONField(default=list)
    host = models.CharField(max_length=120)
    process_id = models.PositiveIntegerField()
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField()

    objects = WorkerQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name
