"""What people ask about a run that was not measured so: form fields and their typed values."""

from django import forms

from benchmarks.forms import StepForm
from benchmarks.whatif import Question, offered_profiles
from hardware.models import MAX_PUE, HardwareProfile, Zone

YEARS = (1990, 2100)
MAX_INFERENCES_PER_DAY = 1e15


class ZoneChoiceField(forms.ModelChoiceField):
    """A zone by its code; parts of a country are named with it."""

    def label_from_instance(self, zone):
        """Return the name, and the country's where there is one: there are two Georgias."""
        return f"{zone.name} ({zone.parent.name})" if zone.parent_id else zone.name


class MachineChoiceField(forms.ModelChoiceField):
    """A profile by its id; what is no id at all is no such machine either."""

    def to_python(self, value):
        """Return the profile."""
        try:
            return super().to_python(value)
        except forms.ValidationError as error:
            message = self.error_messages["invalid_choice"]
            raise forms.ValidationError(message, "invalid_choice") from error


class WhatIfForm(StepForm):
    """Another place, year, PUE or machine, and how often; each may be left as it is."""

    zone = ZoneChoiceField(
        Zone.objects.select_related("parent"),
        label="Country or region",
        required=False,
        empty_label="as measured",
        error_messages={"invalid_choice": "There is no such country or region."},
    )
    year = forms.IntegerField(
        label="Year of the electricity", required=False, min_value=YEARS[0], max_value=YEARS[1]
    )
    pue = forms.FloatField(label="PUE", required=False, min_value=1, max_value=MAX_PUE)
    profile = MachineChoiceField(
        HardwareProfile.objects.none(),
        label="Machine",
        required=False,
        empty_label="as measured",
        error_messages={"invalid_choice": "There is no such machine that you may see."},
    )
    inferences_per_day = forms.FloatField(
        label="Inferences a day", required=False, min_value=0, max_value=MAX_INFERENCES_PER_DAY
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.zones = list(self.fields["zone"].queryset)
        self.profiles = offered_profiles(user)
        self.fields["profile"].queryset = HardwareProfile.objects.visible_to(user).with_factors()
        # Both lists are read once, for the choices and for the script of the page.
        for name, rows in (("zone", self.zones), ("profile", self.profiles)):
            field = self.fields[name]
            labels = [(str(one.pk), field.label_from_instance(one)) for one in rows]
            field.choices = [("", field.empty_label), *labels]
        for name in ("pue", "inferences_per_day"):
            self.fields[name].widget.attrs["step"] = "any"
        # Kept apart from the other controls of the pages that it stands on.
        self.auto_id = "whatif-%s"

    def question(self) -> Question:
        """Return what was asked."""
        return Question(**self.cleaned_data)


def is_asked(parameters) -> bool:
    """Answer whether an address asks anything: one field of the form is filled."""
    return any(parameters.get(name) for name in WhatIfForm.base_fields)
