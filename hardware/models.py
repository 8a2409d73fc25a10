"""Zones and their carbon intensities, processors, smaller tables, and the machines of people."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.ids import new_id
from footprint.ram import ram_power_w
from hardware.querysets import (
    CarbonIntensityQuerySet,
    HardwareProfileQuerySet,
    ProcessorQuerySet,
    SmallTableQuerySet,
    ZoneQuerySet,
)

MAX_INTENSITY_G_PER_KWH = 3000
MAX_TDP_W = 5000
MAX_PUE = 5
MAX_EMBODIED_KG = 1_000_000
MAX_LIFETIME_YEARS = 100


class Zone(models.Model):
    """A place with a carbon intensity: a country, a part of one, a cloud region, the world."""

    class Kind(models.TextChoices):
        COUNTRY = "country", "Country"
        SUBDIVISION = "subdivision", "State or province"
        CLOUD_REGION = "cloud_region", "Cloud region"
        WORLD = "world", "World"

    code = models.CharField(primary_key=True, max_length=40)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, choices=Kind)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT)

    objects = ZoneQuerySet.as_manager()

    class Meta:
        ordering = ["name", "code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["country", "subdivision", "cloud_region", "world"]),
                name="zone_kind_known",
            )
        ]

    def __str__(self):
        return self.name


class ReferenceRow(models.Model):
    """What every reference row says of its origin, and whether a person has changed it since."""

    source = models.CharField(max_length=200)
    vintage = models.CharField(max_length=40, blank=True)
    # A vintage that somebody loaded; null for a row as this site ships it.
    loaded_at = models.DateTimeField(null=True, blank=True, editable=False)
    loaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    edited_at = models.DateTimeField(null=True, blank=True, editable=False)
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    class Meta:
        abstract = True

    def note_edit(self, user) -> None:
        """Mark the row as changed by ``user``, so that a new vintage leaves it alone."""
        self.edited_at = timezone.now()
        self.edited_by = user

    @property
    def last_changed(self) -> "LastChange | None":
        """Who gave the row its figure, and when; None for a row as this site ships it."""
        if self.edited_at:
            return LastChange("edited", self.edited_at, self.edited_by)
        if self.loaded_at:
            return LastChange("loaded", self.loaded_at, self.loaded_by)
        return None

    @property
    def last_change(self) -> str:
        """The same in words."""
        return str(self.last_changed or "as shipped")


@dataclass(frozen=True, slots=True)
class LastChange:
    """A row was edited by hand, or loaded with a vintage; ``by`` is None for nobody known."""

    how: str
    at: datetime
    by: models.Model | None

    def __str__(self):
        who = f" by {self.by.get_username()}" if self.by else ""
        return f"{self.how} {self.at:%-d %b %Y}{who}"


class CarbonIntensity(ReferenceRow):
    """Grams of CO2 equivalent for one kWh, in one zone and year, by one way of counting."""

    class Measure(models.TextChoices):
        LIFE_CYCLE = "life_cycle", "Life cycle"
        OPERATIONAL = "operational", "Operational"
        CO2_ONLY = "co2_only", "CO2 only, fossil combustion"

        @property
        def page_label(self) -> str:
            """The label as pages write it: a subscript in the label would be a migration."""
            return self.label.replace("CO2", "CO₂")

        @property
        def words(self) -> str:
            """The same in the middle of a sentence."""
            return self.page_label if self.label.startswith("CO") else self.label.lower()

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    zone = models.ForeignKey(Zone, on_delete=models.CASCADE, related_name="intensities")
    year = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1990), MaxValueValidator(2100)]
    )
    g_per_kwh = models.FloatField(
        "g/kWh", validators=[MinValueValidator(0.001), MaxValueValidator(MAX_INTENSITY_G_PER_KWH)]
    )
    measure = models.CharField(max_length=16, choices=Measure, default=Measure.LIFE_CYCLE)

    objects = CarbonIntensityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "carbon intensities"
        ordering = ["zone", "-year"]
        constraints = [
            models.UniqueConstraint(
                fields=["zone", "year", "measure"], name="one_intensity_per_zone_year_measure"
            ),
            # A zero is missing data, not clean power.
            models.CheckConstraint(
                condition=Q(g_per_kwh__gt=0, g_per_kwh__lte=MAX_INTENSITY_G_PER_KWH),
                name="intensity_positive",
            ),
            models.CheckConstraint(
                condition=Q(measure__in=["life_cycle", "operational", "co2_only"]),
                name="intensity_measure_known",
            ),
        ]

    def __str__(self):
        return f"{self.zone_id} {self.year}: {self.g_per_kwh:g} g/kWh, {self.measure_words}"

    @property
    def measure_words(self) -> str:
        """What the figure counts, in the middle of a sentence."""
        return self.Measure(self.measure).words


class Processor(ReferenceRow):
    """A CPU or GPU with the power its maker rates it at."""

    class Kind(models.TextChoices):
        CPU = "cpu", "CPU"
        GPU = "gpu", "GPU"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=3, choices=Kind)
    vendor = models.CharField(max_length=60)
    name = models.CharField(max_length=160)
    tdp_w = models.FloatField(
        "TDP (W)", validators=[MinValueValidator(0.1), MaxValueValidator(MAX_TDP_W)]
    )
    core_count = models.PositiveSmallIntegerField(null=True, blank=True)
    memory_gb = models.FloatField("memory (GB)", null=True, blank=True)
    year = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = ProcessorQuerySet.as_manager()

    class Meta:
        ordering = ["vendor", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "vendor", "name"], name="one_row_per_processor"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["cpu", "gpu"]), name="processor_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(tdp_w__gt=0, tdp_w__lte=MAX_TDP_W), name="processor_tdp_positive"
            ),
        ]

    def __str__(self):
        return f"{self.vendor} {self.name}"


class RamModel(ReferenceRow):
    """A published way to tell the power of memory from its size (footprint.ram computes it)."""

    class Kind(models.TextChoices):
        LINEAR = "linear", "Watts per GB"
        PER_MODULE = "per_module", "Watts per module and per GB"
        TIERED = "tiered", "Watts per module, fewer for the later ones"

    key = models.SlugField(primary_key=True, max_length=60)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=Kind)
    w_per_gb = models.FloatField("W/GB", null=True, blank=True, validators=[MinValueValidator(0)])
    w_per_module = models.FloatField(
        "W per module", null=True, blank=True, validators=[MinValueValidator(0)]
    )
    module_gb = models.FloatField(
        "module (GB)", null=True, blank=True, validators=[MinValueValidator(0.1)]
    )
    year = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = SmallTableQuerySet.as_manager()
    search_fields = ("name", "source")

    class Meta:
        verbose_name = "RAM power model"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="linear", w_per_gb__isnull=False, w_per_gb__gt=0)
                | Q(
                    kind="per_module",
                    w_per_gb__isnull=False,
                    w_per_module__isnull=False,
                    module_gb__isnull=False,
                    w_per_module__gt=0,
                    module_gb__gt=0,
                )
                | Q(kind="tiered", w_per_module__isnull=False, w_per_module__gt=0),
                name="ram_model_complete",
            )
        ]

    def __str__(self):
        return self.name


class PueFigure(ReferenceRow):
    """What a provider's buildings draw for each watt of its computers, in all or in one region."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.CharField(max_length=80)
    region = models.CharField(max_length=60, blank=True)
    year = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1990), MaxValueValidator(2100)]
    )
    pue = models.FloatField("PUE", validators=[MinValueValidator(1), MaxValueValidator(MAX_PUE)])

    objects = SmallTableQuerySet.as_manager()
    search_fields = ("provider", "region", "source")

    class Meta:
        verbose_name = "PUE figure"
        ordering = ["provider", "region"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "region"], name="one_pue_per_provider_region"
            ),
            models.CheckConstraint(
                condition=Q(pue__gte=1, pue__lte=MAX_PUE), name="pue_figure_in_range"
            ),
        ]

    def __str__(self):
        return f"{self.provider} {self.region}".strip()


class EmbodiedFigure(ReferenceRow):
    """Kilograms of CO2 equivalent that making a machine, or a part of one, has emitted."""

    class Kind(models.TextChoices):
        MACHINE = "machine", "Machine"
        PART = "part", "Part"

    class Per(models.TextChoices):
        PIECE = "piece", "piece"
        GB = "GB", "GB"
        CM2 = "cm2", "cm²"

    key = models.SlugField(primary_key=True, max_length=60)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, choices=Kind)
    per = models.CharField(max_length=8, choices=Per, default=Per.PIECE)
    kg_co2e = models.FloatField(
        "kg CO2e", validators=[MinValueValidator(0.001), MaxValueValidator(MAX_EMBODIED_KG)]
    )
    lifetime_years = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.1), MaxValueValidator(MAX_LIFETIME_YEARS)],
    )
    year = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = SmallTableQuerySet.as_manager()
    search_fields = ("name", "source")

    class Meta:
        verbose_name = "embodied emission"
        ordering = ["kind", "name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kg_co2e__gt=0, kg_co2e__lte=MAX_EMBODIED_KG), name="embodied_positive"
            ),
            models.CheckConstraint(
                condition=Q(lifetime_years__isnull=True) | Q(lifetime_years__gt=0),
                name="embodied_lifetime_positive",
            ),
        ]

    def __str__(self):
        return self.name


class Equivalence(ReferenceRow):
    """An everyday act that an emission is compared with, and the grams that one of it emits."""

    key = models.SlugField(primary_key=True, max_length=60)
    singular = models.CharField(max_length=80)
    plural = models.CharField(max_length=80)
    emission_g = models.FloatField("g CO2e", validators=[MinValueValidator(0.001)])
    year = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = SmallTableQuerySet.as_manager()
    search_fields = ("singular", "plural", "source")

    class Meta:
        ordering = ["emission_g"]
        constraints = [
            models.CheckConstraint(condition=Q(emission_g__gt=0), name="equivalence_positive")
        ]

    def __str__(self):
        return self.singular


class HardwareProfile(models.Model):
    """A machine as its owner describes it: what it draws, and where its electricity comes from.

    A power that is null is taken from the processor's row or from the RAM rule.
    """

    class Visibility(models.TextChoices):
        PRIVATE = "private", "Private"
        PUBLIC = "public", "Public"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="hardware_profiles"
    )
    name = models.CharField(max_length=120)
    zone = models.ForeignKey(Zone, on_delete=models.PROTECT)
    pue = models.FloatField(default=1.0)
    # The row that the PUE was picked from; null when it was typed.
    pue_figure = models.ForeignKey(
        PueFigure, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    cpu = models.ForeignKey(
        Processor, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    cpu_name = models.CharField(max_length=160, blank=True)
    cpu_tdp_w = models.FloatField(null=True, blank=True)
    cpu_count = models.PositiveSmallIntegerField(default=1)
    ram_gb = models.FloatField(default=0)
    ram_power_w = models.FloatField(null=True, blank=True)
    gpu = models.ForeignKey(
        Processor, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    gpu_name = models.CharField(max_length=160, blank=True)
    gpu_tdp_w = models.FloatField(null=True, blank=True)
    gpu_count = models.PositiveSmallIntegerField(default=0)
    # The row that the embodied emission was picked from; null when it was typed.
    embodied_figure = models.ForeignKey(
        EmbodiedFigure, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    embodied_kg_co2e = models.FloatField(null=True, blank=True)
    lifetime_years = models.FloatField(null=True, blank=True)
    visibility = models.CharField(max_length=8, choices=Visibility, default=Visibility.PRIVATE)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = HardwareProfileQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="one_profile_name_per_owner"),
            models.CheckConstraint(
                condition=Q(pue__gte=1, pue__lte=MAX_PUE), name="profile_pue_in_range"
            ),
            models.CheckConstraint(
                condition=Q(visibility__in=["private", "public"]), name="profile_visibility_known"
            ),
            models.CheckConstraint(
                condition=Q(cpu_tdp_w__isnull=True) | Q(cpu_tdp_w__gte=0),
                name="profile_cpu_tdp_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(gpu_tdp_w__isnull=True) | Q(gpu_tdp_w__gte=0),
                name="profile_gpu_tdp_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(ram_power_w__isnull=True) | Q(ram_power_w__gte=0),
                name="profile_ram_power_not_negative",
            ),
            models.CheckConstraint(condition=Q(ram_gb__gte=0), name="profile_ram_not_negative"),
            # A processor's power is a row of the table or typed, never guessed.
            models.CheckConstraint(
                condition=Q(cpu__isnull=False) | Q(cpu_tdp_w__isnull=False),
                name="profile_cpu_power_known",
            ),
            models.CheckConstraint(
                condition=Q(gpu_count=0) | Q(gpu__isnull=False) | Q(gpu_tdp_w__isnull=False),
                name="profile_gpu_power_known",
            ),
            # A share of making the machine needs both.
            models.CheckConstraint(
                condition=Q(embodied_kg_co2e__isnull=True, lifetime_years__isnull=True)
                | Q(
                    embodied_kg_co2e__isnull=False,
                    lifetime_years__isnull=False,
                    embodied_kg_co2e__gte=0,
                    lifetime_years__gt=0,
                ),
                name="profile_embodied_complete",
            ),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("profile", args=[self.pk])

    @property
    def cpu_power_w(self) -> float:
        """The rated power of all CPUs together."""
        tdp_w = self.cpu_tdp_w if self.cpu_tdp_w is not None else getattr(self.cpu, "tdp_w", 0.0)
        return tdp_w * self.cpu_count

    @property
    def memory_power_w(self) -> float:
        """The RAM's power: typed, else by the rule of 3 W for 8 GB."""
        return self.ram_power_w if self.ram_power_w is not None else ram_power_w(self.ram_gb)

    @property
    def gpu_power_w(self) -> float:
        """The rated power of all GPUs together."""
        tdp_w = self.gpu_tdp_w if self.gpu_tdp_w is not None else getattr(self.gpu, "tdp_w", 0.0)
        return tdp_w * self.gpu_count

    @property
    def total_power_w(self) -> float:
        return self.cpu_power_w + self.memory_power_w + self.gpu_power_w


class ReferenceFile(models.Model):
    """A file of figures that an admin sent: its bytes until it is applied, then the record."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    file_name = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField(default=b"")
    vintage = models.CharField(max_length=40, blank=True)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    sent_at = models.DateTimeField(auto_now_add=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    outcome = models.TextField(blank=True)

    class Meta:
        ordering = ["-sent_at"]

    def __str__(self):
        return self.file_name
