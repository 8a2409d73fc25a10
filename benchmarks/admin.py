"""Models, versions and runs for the people who look after the site; results are read only."""

from django.contrib import admin
from django.utils.html import format_html

from benchmarks.admin_repricing import reprice_action
from benchmarks.data_files import DataFile
from benchmarks.models import (
    Estimate,
    InputSet,
    Measurement,
    ModelVersion,
    OnnxModel,
    Run,
    Sweep,
    Worker,
)
from benchmarks.overview import HEAVY_COLUMNS
from benchmarks.querysets import CONTENTS, CONTENTS_OF_VERSION
from footprint.units import format_energy_kwh, format_quantity


class ReadOnlyAdmin(admin.ModelAdmin):
    """What was measured or made by the site: to be looked at, and deleted at most."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False


class ReadOnlyInline(admin.StackedInline):
    """A result within its run; never changed, never added by hand."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False


class VersionInline(admin.TabularInline):
    """The versions of a model, each a link to its own page."""

    model = ModelVersion
    fields = ("number", "label", "status", "size_bytes", "parameter_count", "created_at")
    readonly_fields = fields
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request, obj=None):
        return False


class DataFileInline(ReadOnlyInline):
    """The files beside a version's .onnx file."""

    model = DataFile


class MeasurementInline(ReadOnlyInline):
    """What a run measured; the samples are too many to be listed."""

    model = Measurement
    exclude = ("samples_s",)


class EstimateInline(ReadOnlyInline):
    """The estimates made of a run, with every number that they rest on."""

    model = Estimate


@admin.register(OnnxModel)
class OnnxModelAdmin(admin.ModelAdmin):
    list_display = ("name", "owner", "visibility", "created_at", "updated_at")
    list_filter = ("visibility", "created_at")
    list_select_related = ("owner",)
    search_fields = ("name", "owner__username", "id")
    autocomplete_fields = ("owner",)
    readonly_fields = ("id", "saved_inputs", "created_at", "updated_at")
    inlines = (VersionInline,)

    def has_add_permission(self, request):
        """Models come with a file, by way of the upload page."""
        return False

    def has_delete_permission(self, request, obj=None):
        """Deleting here would leave the files behind; the owner's page deletes both."""
        return False


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "status", "size", "opset", "parameter_count", "created_at")
    list_filter = ("status", "opset", "created_at")
    list_select_related = ("onnx_model",)
    search_fields = ("onnx_model__name", "onnx_model__owner__username", "label", "sha256", "id")
    date_hierarchy = "created_at"
    inlines = (DataFileInline,)

    def get_queryset(self, request):
        """Versions without what their files are made of, which one version's own page reads."""
        return super().get_queryset(request).defer(*CONTENTS)

    def has_delete_permission(self, request, obj=None):
        """The file would stay behind."""
        return False

    @admin.display(ordering="size_bytes")
    def size(self, version):
        """The size of all its files as one reads it."""
        return format_quantity(version.whole_bytes, "B")


@admin.register(InputSet)
class InputSetAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "onnx_model", "size", "has_labels", "created_at")
    list_filter = ("has_labels", "created_at")
    list_select_related = ("onnx_model",)
    search_fields = ("name", "onnx_model__name", "onnx_model__owner__username", "sha256", "id")

    def has_delete_permission(self, request, obj=None):
        """The file would stay behind."""
        return False

    @admin.display(ordering="size_bytes")
    def size(self, input_set):
        """The file's size as one reads it."""
        return format_quantity(input_set.size_bytes, "B")


@admin.register(Sweep)
class SweepAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "owner", "profile_name", "created_at")
    list_select_related = ("version__onnx_model", "owner")
    search_fields = ("version__onnx_model__name", "owner__username", "id")
    date_hierarchy = "created_at"


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "status", "owner", "latency", "energy", "emission", "queued_at")
    list_filter = ("status", "effort", "failure_code", "queued_at")
    list_select_related = ("version__onnx_model", "owner", "measurement")
    search_fields = ("version__onnx_model__name", "owner__username", "failure_message", "id")
    date_hierarchy = "queued_at"
    inlines = (MeasurementInline, EstimateInline)
    readonly_fields = ("page",)
    actions = (reprice_action,)

    def get_queryset(self, request):
        """Runs with their estimates, and without the thousands of samples and of layers."""
        runs = super().get_queryset(request).prefetch_related("estimates")
        return runs.defer(*HEAVY_COLUMNS, *CONTENTS_OF_VERSION)

    def has_reprice_permission(self, request):
        """Whoever may add estimates, though never by hand."""
        return request.user.has_perm("benchmarks.add_estimate")

    @admin.display(ordering="measurement__mean_s")
    def latency(self, run):
        """The mean time of one inference."""
        found = getattr(run, "measurement", None)
        return format_quantity(found.mean_s, "s") if found else None

    @admin.display
    def energy(self, run):
        """The energy of one inference."""
        return format_energy_kwh(run.estimate.energy_kwh) if run.estimate else None

    @admin.display(description="CO₂")
    def emission(self, run):
        """The grams of one inference."""
        return format_quantity(run.estimate.emission_g, "g") if run.estimate else None

    @admin.display(description="Page")
    def page(self, run):
        """A link to the run as its owner sees it."""
        return format_html('<a href="{0}">{0}</a>', run.get_absolute_url())


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    """The processes that measure and inspect, and when each was last known to live."""

    list_display = ["name", "queues", "host", "process_id", "started_at", "seen_at", "is_alive"]

    @admin.display(boolean=True, description="alive")
    def is_alive(self, worker):
        return Worker.objects.alive().filter(pk=worker.pk).exists()
