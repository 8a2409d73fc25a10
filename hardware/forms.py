"""How what a person types about a machine becomes a profile."""

from django import forms
from django.core.exceptions import ValidationError

from hardware.models import EmbodiedFigure, HardwareProfile, Processor, PueFigure, Zone
from hardware.profile_rules import check_profile, save_profile

SUGGESTION_COUNT = 3
ZONE_GROUPS = {
    Zone.Kind.WORLD: "World average",
    Zone.Kind.COUNTRY: "Countries",
    Zone.Kind.SUBDIVISION: "States, provinces and grid zones",
    Zone.Kind.CLOUD_REGION: "Cloud regions",
}
MAKING_FIELDS = ("embodied_figure", "embodied_kg_co2e", "lifetime_years")
COPIED_FIELDS = (
    "name",
    "zone",
    "pue",
    "pue_figure",
    "cpu_tdp_w",
    "cpu_count",
    "ram_gb",
    "ram_power_w",
    "gpu_tdp_w",
    "embodied_figure",
    "embodied_kg_co2e",
    "lifetime_years",
    "visibility",
)


def zone_choices() -> list:
    """Return every zone, grouped by kind, as the choices of a plain select."""
    groups: dict[str, list] = {label: [] for label in ZONE_GROUPS.values()}
    for code, name, kind in Zone.objects.values_list("code", "name", "kind"):
        groups[ZONE_GROUPS[kind]].append((code, name))
    filled = [(label, choices) for label, choices in groups.items() if choices]
    return [("", "Choose a country or region"), *filled]


def _number(label: str, *, step: str = "any", **options) -> forms.FloatField:
    # The range is checked by profile_rules, whose sentences say what to do.
    widget = forms.NumberInput(attrs={"step": step, "min": 0, "inputmode": "decimal"})
    errors = {"required": "Type a number.", "invalid": "Type a number, such as 16 or 0.5."}
    return forms.FloatField(label=label, widget=widget, error_messages=errors, **options)


def _count(label: str, *, lowest: int, **options) -> forms.IntegerField:
    widget = forms.NumberInput(attrs={"step": 1, "min": lowest, "inputmode": "numeric"})
    errors = {"required": "Type a whole number.", "invalid": "Type a whole number, such as 2."}
    return forms.IntegerField(label=label, widget=widget, error_messages=errors, **options)


def _processor_name(label: str, **options) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, max_length=160, widget=widget, **options)


class ProfileForm(forms.Form):
    """A machine: where it stands, and what its parts draw."""

    name = forms.CharField(
        label="Name",
        max_length=120,
        help_text="What you call this machine, for example “Office laptop”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Give the machine a name, so that you find it again."},
    )
    zone = forms.ModelChoiceField(
        Zone.objects.all(),
        label="Country or region",
        help_text="Where the machine draws its electricity.",
        error_messages={
            "required": "Choose the country or region that the machine stands in.",
            "invalid_choice": "Choose a country or region from the list.",
        },
    )
    pue = _number(
        "PUE",
        initial=1,
        help_text="Power usage effectiveness: 1 for a machine on its own, "
        "1.1 to 1.6 in a data centre, whose cooling draws power too.",
    )
    pue_figure = forms.ModelChoiceField(
        PueFigure.objects.all(),
        label="PUE from the table",
        required=False,
        empty_label="Typed beside it",
        help_text="A provider's or region's published figure; the machine keeps its source.",
        error_messages={"invalid_choice": "Choose a figure from the list."},
    )
    cpu_name = _processor_name(
        "CPU",
        help_text="Type a part of its name and choose it from the table; "
        "or type any name, and its TDP beside it.",
        error_messages={"required": "Choose a CPU from the table, or type its name and its TDP."},
    )
    cpu_tdp_w = _number(
        "TDP of one CPU (W)",
        required=False,
        help_text="Leave empty to use the table's figure. Needed for a CPU that is not in it.",
    )
    cpu_count = _count("Number of CPUs", lowest=1, initial=1, help_text="Sockets, not cores.")
    ram_gb = _number("RAM (GB)", initial=8)
    ram_power_w = _number(
        "Power of the RAM (W)",
        required=False,
        help_text="Leave empty for the rule of 3 W for every 8 GB.",
    )
    gpu_name = _processor_name(
        "GPU", required=False, help_text="Leave empty when there is none, or when it is not used."
    )
    gpu_tdp_w = _number(
        "TDP of one GPU (W)",
        required=False,
        help_text="Leave empty to use the table's figure. Needed for a GPU that is not in it.",
    )
    gpu_count = _count("Number of GPUs", lowest=0, initial=1, required=False)
    embodied_figure = forms.ModelChoiceField(
        EmbodiedFigure.objects.filter(kind=EmbodiedFigure.Kind.MACHINE),
        label="From the table",
        required=False,
        empty_label="Typed beside it, or not known",
        help_text="Fills in the emission and the lifetime; the machine keeps its source.",
        error_messages={"invalid_choice": "Choose a figure from the list."},
    )
    embodied_kg_co2e = _number(
        "Embodied emission (kg CO₂e)",
        required=False,
        help_text="What making the machine has emitted. Leave empty when it is not known.",
    )
    lifetime_years = _number(
        "Lifetime (years)",
        required=False,
        help_text="For how long it is used: the embodied emission is shared out over it.",
    )
    visibility = forms.ChoiceField(
        label="Who can see it",
        choices=[
            (HardwareProfile.Visibility.PRIVATE, "Only me"),
            (HardwareProfile.Visibility.PUBLIC, "Everyone, and they may run models for it"),
        ],
        initial=HardwareProfile.Visibility.PRIVATE,
    )

    def __init__(self, *args, profile: HardwareProfile, **kwargs):
        super().__init__(*args, **kwargs)
        self.profile = profile
        if not profile._state.adding:
            self.initial = _initial_values(profile)
        self.fields["zone"].widget.choices = zone_choices()

    def clean(self):
        values = super().clean()
        self._take_picked_figures(values)
        for name in COPIED_FIELDS:
            if name in values:
                setattr(self.profile, name, values[name])
        self._set_processor("cpu")
        self._set_processor("gpu")
        has_gpu = bool(values.get("gpu_name")) or values.get("gpu_tdp_w") is not None
        self.profile.gpu_count = self._gpu_count() if has_gpu else 0
        try:
            check_profile(self.profile)
        except ValidationError as refusal:
            self._show(refusal)
        return values

    def save(self) -> bool:
        """Store the profile; False, with the reason beside its field, when that fails after all."""
        try:
            save_profile(self.profile)
        except ValidationError as refusal:
            self._show(refusal)
            return False
        return True

    def _take_picked_figures(self, values: dict) -> None:
        """Without JavaScript a picked row fills in what was left as it was."""
        pue_figure, embodied = values.get("pue_figure"), values.get("embodied_figure")
        if pue_figure is not None and "pue" not in self.changed_data:
            is_new_choice = pue_figure.pk != self.profile.pue_figure_id
            values["pue"] = pue_figure.pue if is_new_choice else self.profile.pue
        if embodied is not None and embodied.pk != self.profile.embodied_figure_id:
            if "embodied_kg_co2e" not in self.changed_data:
                values["embodied_kg_co2e"] = embodied.kg_co2e
            if "lifetime_years" not in self.changed_data:
                values["lifetime_years"] = embodied.lifetime_years

    @property
    def picked_figures(self) -> dict:
        """What each choice of the two tables brings, for the page's script."""
        return {
            "pue_figure": {
                str(row.pk): {"pue": row.pue, "note": f"{row}: {row.source}, {row.year}."}
                for row in PueFigure.objects.all()
            },
            "embodied_figure": {
                row.pk: {
                    "embodied_kg_co2e": row.kg_co2e,
                    "lifetime_years": row.lifetime_years,
                    "note": f"{row.name}: {row.source}.",
                }
                for row in EmbodiedFigure.objects.filter(kind=EmbodiedFigure.Kind.MACHINE)
            },
        }

    @property
    def tells_of_making(self) -> bool:
        """Whether anything is said, or wrong, about making the machine."""
        return any(
            self[name].value() not in {None, ""} or self.has_error(name) for name in MAKING_FIELDS
        )

    def _gpu_count(self) -> int:
        count = self.cleaned_data.get("gpu_count")
        if count == 0:
            self.add_error(
                "gpu_count", "You named a GPU: say how many there are, or clear its name and TDP."
            )
        return 1 if count is None else count

    def _set_processor(self, kind: str) -> None:
        field = f"{kind}_name"
        typed_name = self.cleaned_data.get(field, "")
        rows = list(Processor.objects.filter(kind=kind).named(typed_name)) if typed_name else []
        if len(rows) > 1:
            names = " or ".join(str(row) for row in rows)
            self.add_error(field, f"Several makers have one of that name: type {names}.")
        row = rows[0] if rows else None
        setattr(self.profile, kind, row)
        setattr(self.profile, field, "" if row else typed_name)

    def _show(self, refusal: ValidationError) -> None:
        for field, messages in refusal.message_dict.items():
            shown_by = {"cpu": "cpu_name", "gpu": "gpu_name"}.get(field, field)
            if shown_by in self.errors:
                continue
            self.add_error(shown_by, messages + self._suggestions(shown_by))

    def _suggestions(self, field: str) -> list[str]:
        kind = field.removesuffix("_tdp_w")
        if kind == field or getattr(self.profile, field) is not None:
            return []
        rows = Processor.objects.filter(kind=kind).search(getattr(self.profile, f"{kind}_name"))
        names = ", ".join(str(row) for row in rows[:SUGGESTION_COUNT])
        return [f"Close to it in the table: {names}."] if names else []


def _initial_values(profile: HardwareProfile) -> dict:
    values = {name: _as_typed(getattr(profile, name)) for name in COPIED_FIELDS}
    values["cpu_name"] = str(profile.cpu or profile.cpu_name)
    values["gpu_name"] = str(profile.gpu or profile.gpu_name)
    # Without a GPU the count would be 0, and choosing one later would be refused.
    values["gpu_count"] = profile.gpu_count or 1
    return values


def _as_typed(value):
    """Return a whole number without the decimals that nobody typed: 64, not 64.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
