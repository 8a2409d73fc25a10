"""How a CSV becomes intensities and processors in the admin: known rows changed, bad ones named."""

import math

from import_export import fields, resources, widgets

from hardware.models import CarbonIntensity, Processor, Zone


class ZoneCode(widgets.ForeignKeyWidget):
    """A zone by its code; a code that no zone has is the line's error."""

    def clean(self, value, row=None, **kwargs):
        """Return the zone; raise ValueError when there is none of that code."""
        try:
            return super().clean(value, row, **kwargs)
        except Zone.DoesNotExist as missing:
            raise ValueError(f"There is no zone with the code “{value}”.") from missing


class FiniteNumber(widgets.NumberWidget):
    """A plain decimal number; nan and infinity are refused with everything else."""

    def clean(self, value, row=None, **kwargs):
        """Return the number, or None for an empty cell; raise ValueError for any other text."""
        if self.is_empty(value):
            return None
        try:
            number = float(value)
        except ValueError as unreadable:
            raise ValueError(f"“{value}” is not a number.") from unreadable
        if not math.isfinite(number):
            raise ValueError(f"“{value}” is not a finite number.")
        return number


class ReferenceResource(resources.ModelResource):
    """What both tables do: check every line, skip what is the same, and mark what is not."""

    def before_save_instance(self, instance, row, **kwargs):
        """Mark the row as changed by the person who imports the file."""
        instance.note_edit(kwargs.get("user"))


class CarbonIntensityResource(ReferenceResource):
    """Intensities by zone, year and measure."""

    zone = fields.Field("zone", "zone", widget=ZoneCode(Zone))
    g_per_kwh = fields.Field("g_per_kwh", "g_per_kwh", widget=FiniteNumber())

    class Meta:
        model = CarbonIntensity
        import_id_fields = ("zone", "year", "measure")
        fields = ("zone", "year", "g_per_kwh", "measure", "source", "vintage")
        clean_model_instances = True
        skip_unchanged = True


class ProcessorResource(ReferenceResource):
    """Processors by kind, vendor and name."""

    tdp_w = fields.Field("tdp_w", "tdp_w", widget=FiniteNumber())
    memory_gb = fields.Field("memory_gb", "memory_gb", widget=FiniteNumber())

    class Meta:
        model = Processor
        import_id_fields = ("kind", "vendor", "name")
        fields = (
            "kind",
            "vendor",
            "name",
            "tdp_w",
            "core_count",
            "memory_gb",
            "year",
            "source",
            "vintage",
        )
        clean_model_instances = True
        skip_unchanged = True
