"""The admin's view of the reference tables and of people's machines."""

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.template.response import TemplateResponse
from django.urls import path

from hardware.file_admin import ReferenceFileAdmin
from hardware.matching import MAX_NAME_LENGTH, match_processors
from hardware.models import (
    CarbonIntensity,
    EmbodiedFigure,
    Equivalence,
    HardwareProfile,
    Processor,
    PueFigure,
    RamModel,
    Zone,
)
from hardware.profile_rules import check_profile
from hardware.tables import FIXED_RAM_MODEL, TABLES

__all__ = ["ReferenceFileAdmin"]

IS_EDITED_FILTER = ("edited_at", admin.EmptyFieldListFilter)
ORIGIN = ("vintage", "source", "last_change")


class ReferenceAdmin(admin.ModelAdmin):
    """A reference table: every change is marked, so that a new vintage leaves it alone."""

    change_list_template = "admin/hardware/reference_change_list.html"
    readonly_fields = ("loaded_at", "loaded_by", "edited_at", "edited_by")
    list_select_related = ("edited_by", "loaded_by")
    list_per_page = 50
    show_full_result_count = False

    def save_model(self, request, obj, form, change):
        if form.changed_data:
            obj.note_edit(request.user)
        super().save_model(request, obj, form, change)

    def changelist_view(self, request, extra_context=None):
        slug = next(table.slug for table in TABLES if table.model is self.model)
        return super().changelist_view(request, {"slug": slug, **(extra_context or {})})

    @admin.display(description="last change", ordering="edited_at")
    def last_change(self, row):
        """Who gave the row its figure, and when."""
        return row.last_change


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
    list_display = ("zone", "zone_code", "year", "g_per_kwh", "measure", *ORIGIN)
    list_display_links = ("zone",)
    list_editable = ("g_per_kwh",)
    list_filter = ("zone__kind", "measure", IS_EDITED_FILTER, "vintage", "year")
    list_select_related = ("zone", "edited_by", "loaded_by")
    search_fields = ("zone__name", "=zone__code")
    autocomplete_fields = ("zone",)
    ordering = ("zone__name", "-year", "measure")

    @admin.display(description="code", ordering="zone_id")
    def zone_code(self, row):
        return row.zone_id


@admin.register(Processor)
class ProcessorAdmin(ReferenceAdmin):
    list_display = ("name", "vendor", "kind", "tdp_w", "year", *ORIGIN)
    list_editable = ("tdp_w",)
    list_filter = ("kind", IS_EDITED_FILTER, "vintage", "vendor")
    search_fields = ("vendor", "name")
    change_list_template = "admin/hardware/processor_change_list.html"

    def get_urls(self):
        match = self.admin_site.admin_view(self.match_view)
        return [path("match/", match, name="hardware_processor_match"), *super().get_urls()]

    def match_view(self, request):
        """Which rows a machine's own words may mean, best first, or honestly none."""
        said = request.GET.get("name", "").strip()[:MAX_NAME_LENGTH]
        context = {
            **self.admin_site.each_context(request),
            "title": "Which row does this machine match?",
            "opts": self.opts,
            "said": said,
            "matches": match_processors(Processor.objects.all(), said) if said else [],
        }
        return TemplateResponse(request, "admin/hardware/processor_match.html", context)


@admin.register(RamModel)
class RamModelAdmin(ReferenceAdmin):
    list_display = ("name", "kind", "w_per_gb", "w_per_module", "module_gb", *ORIGIN)
    search_fields = ("name", "source")

    def get_readonly_fields(self, request, obj=None):
        fixed = ("key",) if obj else ()
        if obj is not None and obj.pk == FIXED_RAM_MODEL:
            # The headline's rule is a part of the formula.
            fixed = ("key", "kind", "w_per_gb", "w_per_module", "module_gb")
        return (*fixed, *self.readonly_fields)


@admin.register(PueFigure)
class PueFigureAdmin(ReferenceAdmin):
    list_display = ("provider", "region", "pue", "year", *ORIGIN)
    list_editable = ("pue",)
    list_filter = (IS_EDITED_FILTER, "provider")
    search_fields = ("provider", "region")


class KeyedAdmin(ReferenceAdmin):
    """A table whose rows go by a key that never changes."""

    def get_readonly_fields(self, request, obj=None):
        return (*(("key",) if obj else ()), *self.readonly_fields)


@admin.register(EmbodiedFigure)
class EmbodiedFigureAdmin(KeyedAdmin):
    list_display = ("name", "kind", "per", "kg_co2e", "lifetime_years", "year", *ORIGIN)
    list_editable = ("kg_co2e", "lifetime_years")
    list_filter = ("kind", IS_EDITED_FILTER)
    search_fields = ("name", "source")


@admin.register(Equivalence)
class EquivalenceAdmin(KeyedAdmin):
    list_display = ("singular", "emission_g", "year", *ORIGIN)
    list_editable = ("emission_g",)
    list_filter = (IS_EDITED_FILTER,)
    search_fields = ("singular", "source")


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
    autocomplete_fields = ("zone", "cpu", "gpu", "pue_figure", "embodied_figure")
    raw_id_fields = ("owner",)
    readonly_fields = ("created_at", "updated_at")

    @admin.display(description="power (W)")
    def power(self, profile):
        return f"{profile.total_power_w:g}"
