"""What people type about models, versions and runs, turned into typed values."""

import os
import re
from pathlib import PurePath

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from benchmarks.input_fields import InputDescription, input_fields
from benchmarks.models import ModelVersion, OnnxModel, Run, Sweep
from benchmarks.submission import RunSettings, submit_run
from benchmarks.sweeps import SweepSettings, submit_sweep
from benchmarks.uploads import VersionDetails
from hardware.models import HardwareProfile

SECONDS_PER_HOUR = 3600


class StepForm(forms.Form):
    """A form whose last word is spoken by the step it feeds."""

    def add_problems(self, error: ValidationError) -> None:
        """Place what the step refused beside the field it concerns, the rest above the form."""
        problems = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: [error]}
        for field, messages in problems.items():
            self.add_error(self.place_of(field), ValidationError(messages))

    def place_of(self, problem_field: str) -> str | None:
        """Return the field beside which a problem belongs; None for above the form."""
        return problem_field if problem_field in self.fields else None


class VersionForm(StepForm):
    """A file, and what its owner knows about it."""

    file = forms.FileField(
        label="ONNX file",
        max_length=255,
        widget=forms.FileInput(attrs={"accept": ".onnx"}),
        error_messages={
            "required": "Choose the .onnx file of your model.",
            "empty": "The file is empty (0 bytes). Export the model again and upload that file.",
        },
    )
    label = forms.CharField(
        label="Version label",
        required=False,
        max_length=80,
        help_text="For instance “int8” or a commit. Shown beside the version's number.",
    )
    accuracy_percent = forms.DecimalField(
        label="Accuracy (%)",
        required=False,
        min_value=0,
        max_value=100,
        help_text="As you measured it, 0 to 100. Left empty, it is not known.",
    )
    training_time_h = forms.FloatField(
        label="Training time (hours)", required=False, min_value=0, max_value=1e7
    )

    def details(self) -> VersionDetails:
        """Return what was typed in the units that are stored."""
        percent, hours = (
            self.cleaned_data["accuracy_percent"],
            self.cleaned_data["training_time_h"],
        )
        return VersionDetails(
            label=self.cleaned_data["label"],
            accuracy_ratio=None if percent is None else float(percent / 100),
            training_time_s=None if hours is None else hours * SECONDS_PER_HOUR,
        )


class UploadForm(VersionForm):
    """A new model with its first version."""

    name = forms.CharField(
        required=False,
        max_length=120,
        help_text="Left empty, the file's name is taken.",
    )
    visibility = forms.ChoiceField(
        label="Who can see it",
        choices=OnnxModel.Visibility,
        initial=OnnxModel.Visibility.PRIVATE,
        widget=forms.RadioSelect,
    )
    field_order = ("file", "name", "visibility")

    def clean(self):
        """Name a model that was given no name after its file."""
        cleaned = super().clean()
        if "file" in cleaned and not cleaned.get("name") and "name" not in self.errors:
            cleaned["name"] = PurePath(cleaned["file"].name).stem[:120]
        return cleaned


class ModelForm(forms.ModelForm):
    """A model's name and who may see it."""

    class Meta:
        model = OnnxModel
        fields = ("name", "visibility")
        widgets = {"visibility": forms.RadioSelect}

    def clean_name(self):
        """Refuse a name that another model of the same owner has."""
        name = self.cleaned_data["name"].strip()
        others = OnnxModel.objects.filter(owner_id=self.instance.owner_id).exclude(
            pk=self.instance.pk
        )
        if others.filter(name=name).exists():
            raise ValidationError(
                f"You already have another model called “{name}”. Choose another name."
            )
        return name


class ProfileChoiceField(forms.ModelChoiceField):
    """Profiles, each with the figures that tell them apart."""

    def label_from_instance(self, profile: HardwareProfile) -> str:
        return f"{profile.name} ({profile.total_power_w:g} W, {profile.zone.name})"


class VersionChoiceField(forms.ModelChoiceField):
    """Versions of one model by their short names."""

    def label_from_instance(self, version: ModelVersion) -> str:
        return version.title


class NumbersField(forms.CharField):
    """One whole number, or several with commas or blanks between them."""

    def prepare_value(self, value):
        """Return ``value`` as it would be typed."""
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value

    def clean(self, value):
        """Return the numbers as a list, each once, in rising order."""
        words = re.split(r"[\s,;]+", super().clean(value).strip(" ,;"))
        if not all(word.isdecimal() and len(word) < 10 for word in words):
            raise ValidationError(
                "Write a whole number, or several with commas between them, as in 1, 2, 4, 8."
            )
        return sorted({int(word) for word in words})


class RunForm(StepForm):
    """How a version is to be measured, with a field for each free size and range of its inputs."""

    version = VersionChoiceField(queryset=ModelVersion.objects.none(), empty_label=None)
    profile = ProfileChoiceField(
        label="Machine",
        queryset=HardwareProfile.objects.none(),
        empty_label=None,
        help_text="Its watts and its electricity turn seconds into grams.",
        error_messages={"required": "Describe a machine first."},
    )
    batch_size = NumbersField(
        max_length=200,
        initial=1,
        help_text="Inferences per call; figures are always for one. Several, such as 1, 2, 4, 8, "
        "make a sweep: each is measured, and a chart shows which costs least.",
    )
    intra_op_threads = NumbersField(label="Threads", max_length=200, initial=1)
    effort = forms.ChoiceField(
        choices=Run.Effort, initial=Run.Effort.STANDARD, widget=forms.RadioSelect
    )

    def __init__(self, *args, user, version: ModelVersion, like: Run | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["version"].queryset = version.onnx_model.versions.filter(
            status=ModelVersion.Status.READY
        )
        self.fields["version"].initial = version
        profiles = HardwareProfile.objects.visible_to(user).with_factors()
        self.fields["profile"].queryset = profiles.mine_first(user)
        self.fields[
            "intra_op_threads"
        ].help_text = (
            f"The measuring machine has {os.cpu_count() or 1} cores. Several make a sweep here too."
        )
        self.inputs = input_fields(version.inputs)
        for one in self.inputs.fields:
            self.fields[one.field_name] = one.as_form_field()
        if like is not None:
            self.initial = self._initial_like(like) | self.initial

    def _initial_like(self, run: Run) -> dict:
        chosen = {
            "profile": run.profile_id,
            "batch_size": run.batch_size,
            "intra_op_threads": run.intra_op_threads,
            "effort": run.effort,
        }
        return chosen | self.inputs.initial(run.input_choices)

    @property
    def has_batch(self) -> bool:
        """Whether the batch size sets any dimension."""
        return bool(self.inputs.batch_places)

    @property
    def shows_ranges(self) -> bool:
        """Whether the ranges are worth opening: one is wrong, is set, or is probably needed."""
        ends = [self[one.field_name] for one in self.inputs.fields if one.is_range_end]
        return self.inputs.has_scalars or any(
            end.errors or end.value() not in (None, "") for end in ends
        )

    @property
    def size_rows(self) -> list[forms.BoundField]:
        """The bound fields of the free dimensions and of the shapes that are not declared."""
        return [self[one.field_name] for one in self.inputs.fields if not one.is_range_end]

    @property
    def input_rows(self) -> list[tuple[InputDescription, list[forms.BoundField]]]:
        """Every input, with the fields for the range of its values."""
        return [
            (one, [self[name] for name in one.range_field_names])
            for one in self.inputs.descriptions
        ]

    def clean(self):
        """Ask for both ends of a range, or for neither, and in their order."""
        cleaned = super().clean()
        for one in self.inputs.descriptions:
            ends = [cleaned.get(name) for name in one.range_field_names]
            if ends.count(None) == 1:
                missing = one.range_field_names[ends.index(None)]
                self.add_error(missing, "Give both ends of the range, or neither.")
            elif None not in ends and ends and ends[0] > ends[1]:
                self.add_error(
                    one.range_field_names[1], f"The highest value must be at least {ends[0]:g}."
                )
        return cleaned

    def settings(self) -> RunSettings | SweepSettings:
        """Return what was chosen; what was left at its default is left out."""
        cleaned = self.cleaned_data
        batch_sizes, thread_counts = cleaned["batch_size"], cleaned["intra_op_threads"]
        # Of several batch sizes none stands in the inputs: each run of the sweep sets its own.
        batch_size = batch_sizes[0] if len(batch_sizes) == 1 else 1
        inputs = self.inputs.choices(cleaned | {"batch_size": batch_size})
        shared = {"effort": cleaned["effort"], "inputs": inputs}
        if len(batch_sizes) > 1 or len(thread_counts) > 1:
            return SweepSettings(batch_sizes, thread_counts, **shared)
        return RunSettings(batch_sizes[0], thread_counts[0], **shared)

    def submit(self, owner) -> Run | Sweep:
        """Queue what was asked for: a run, or a sweep where several settings were.

        Raises ValidationError as ``submit_run`` and ``submit_sweep`` do.
        """
        settings = self.settings()
        step = submit_sweep if isinstance(settings, SweepSettings) else submit_run
        return step(
            owner=owner,
            version=self.cleaned_data["version"],
            profile=self.cleaned_data["profile"],
            settings=settings,
        )

    def place_of(self, problem_field: str) -> str | None:
        """Return the form's own name of a setting such as ``inputs.dims.sequence``."""
        if problem_field == "batch_sizes":
            return "batch_size"
        return self.inputs.field_name_by_setting.get(problem_field) or super().place_of(
            problem_field
        )
