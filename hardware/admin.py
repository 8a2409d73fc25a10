"""The admin's view of the reference tables and of people's machines."""

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from import_export.admin import ImportExportModelAdmin
from import_export.formats.base_formats import CSV

from hardware.models import CarbonIntensity, HardwareProfile, Processor, Zone
from hardware.profile_rules import check_profile
from hardware.resources import CarbonIntensityResource, ProcessorResource

IS_EDITED_FILTER = ("edited_at", admin.EmptyFieldListFilter)


class ReferenceAdmin(ImportExportModelAdmin):
    """A reference table: every change is marked, so that a new vintage leaves it alone."""

    formats = (CSV,)
    # Its page of choices needs inline scripts, which this site refuses: export everything.
    skip_export_form = True
    readonly_fields = ("edited_at", "edited_by")
    list_per_page = 50
    show_full_result_count = False

    def save_model(self, request, obj, form, change):
        if form.changed_data:
            obj.note_edit(request.user)
        super().save_model(request, obj, form, change)


@admin.register(Zone)
class ZoneAdmin(admin.ModelAdmin):
    list_display = ("name", "code", "kind", "parent")
    list_filter = ("kind",)
    list_select_related = ("parent",)
    search_fields = ("name", "code")
    autocomplete_fields = ("parent",)

    def get_readonly_fields(self, request, obj=None):
        # Intensities and runs refer to a zone by its code.
        return ("code",) if obj else ()


@admin.register(CarbonIntensity)
class CarbonIntensityAdmin(ReferenceAdmin):
    resource_classes = (CarbonIntensityResource,)
    list_display = (
        "zone",
        "zone_code",
        "year",
        "g_per_kwh",
        "measure",
        "source",
        "edited_at",
        "edited_by",
    )
    list_display_links = ("zone",)
    list_editable = ("g_per_kwh",)
    list_filter = ("zone__kind", "measure", IS_EDITED_FILTER, "year")
    list_select_related = ("zone", "edited_by")
    search_fields = ("zone__name", "=zone__code")
    autocomplete_fields = ("zone",)
    ordering = ("zone__name", "-year", "measure")

    @admin.display(description="code", ordering="zone_id")
    def zone_code(self, row):
        return row.zone_id


@admin.register(Processor)
class ProcessorAdmin(ReferenceAdmin):
    resource_classes = (ProcessorResource,)
    list_display = ("name", "vendor", "kind", "tdp_w", "source", "edited_at", "edited_by")
    list_editable = ("tdp_w",)
    list_filter = ("kind", IS_EDITED_FILTER, "vendor")
    list_select_related = ("edited_by",)
    search_fields = ("vendor", "name")


class ProfileAdminForm(forms.ModelForm):
    """A machine under the same rules as on its owner's page."""

    def _post_clean(self):
        super()._post_clean()
        if self.errors:
            return
        try:
            check_profile(self.instance)
        except ValidationError as refusal:
            self.add_error(None, refusal)


@admin.register(HardwareProfile)
class HardwareProfileAdmin(admin.ModelAdmin):
    form = ProfileAdminForm
    list_display = ("name", "owner", "zone", "power", "pue", "visibility", "updated_at")
    list_filter = ("visibility", "zone__kind")
    list_select_related = ("owner", "zone", "cpu", "gpu")
    search_fields = ("name", "owner__username", "zone__name")
    autocomplete_fields = ("zone", "cpu", "gpu")
    raw_id_fields = ("owner",)
    readonly_fields = ("created_at", "updated_at")

    @admin.display(description="power (W)")
    def power(self, profile):
        return f"{profile.total_power_w:g}"
