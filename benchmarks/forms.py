"""What people type about models, versions and runs, turned into typed values."""

import os
import re
from pathlib import PurePath

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction

from accounts import audit
from benchmarks import input_choices
from benchmarks.file_fields import FilesField, ManyFilesInput
from benchmarks.input_fields import input_fields
from benchmarks.input_forms import InputQuestions
from benchmarks.input_sets import batch_size_in
from benchmarks.models import InputSet, ModelVersion, OnnxModel, Run, Sweep
from benchmarks.parcels import model_file_name
from benchmarks.submission import RunSettings, submit_run
from benchmarks.sweeps import SweepSettings, submit_sweep
from benchmarks.uploads import VersionDetails
from hardware.models import HardwareProfile
from runner.evaluated import MAX_OUTPUT_NAME_LENGTH

SECONDS_PER_HOUR = 3600
# People type percent and hours; ratios and seconds are stored.
TYPED_AS = {"accuracy_ratio": "accuracy_percent", "training_time_s": "training_time_h"}


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


class VersionDetailsForm(StepForm):
    """What a version's owner knows about it and no file tells."""

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

    def place_of(self, problem_field: str) -> str | None:
        """Return the field in which a stored detail is typed."""
        return super().place_of(TYPED_AS.get(problem_field, problem_field))


class VersionForm(VersionDetailsForm):
    """The files of a version, and what its owner knows about it."""

    file = FilesField(
        label="ONNX file",
        max_length=255,
        error_messages={
            "required": "Choose the .onnx file of your model.",
            "empty": "The file is empty (0 bytes). Export the model again and upload that file.",
        },
    )
    field_order = ("file",)


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
            file_name = model_file_name([one.name for one in cleaned["file"]])
            cleaned["name"] = PurePath(file_name).stem[:120]
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

    def save(self):
        """Store the changes; a change of who may see the model goes into the audit log."""
        audit.note_visibility(self.instance, actor=self.instance.owner)
        # The rest of the row may have changed since it was read: what is saved for its runs.
        self.instance.save(update_fields=[*self._meta.fields, "updated_at"])
        return self.instance


class ProfileChoiceField(forms.ModelChoiceField):
    """Profiles, each with the figures that tell them apart, and whose it is if not the reader's."""

    reader = None

    def label_from_instance(self, profile: HardwareProfile) -> str:
        whose = "" if profile.owner == self.reader else f", shared by {profile.owner}"
        return f"{profile.name} ({profile.total_power_w:g} W, {profile.zone.name}{whose})"


class VersionChoiceField(forms.ModelChoiceField):
    """Versions of one model by their short names."""

    def label_from_instance(self, version: ModelVersion) -> str:
        return version.title


class RealInputsForm(StepForm):
    """Files of real inputs. Several at once arrive as one field, which the view reads."""

    file = forms.FileField(
        label="An .npz file, or .npy files",
        required=False,
        help_text="An .npz with an array for each input, by the input's name; or several .npy "
        "files, each called as its input. They are checked by name, type and shape.",
        widget=ManyFilesInput(attrs={"accept": ".npz,.npy"}),
    )


class SavedInputsForm(InputQuestions, StepForm):
    """What runs of a model are fed when nothing else is said."""

    def __init__(self, *args, version: ModelVersion, **kwargs):
        super().__init__(*args, **kwargs)
        self.ask_about(input_fields(version.inputs))
        saved = input_choices.saved_for(version)
        self.dropped = saved.message_by_dropped
        self.initial = self.inputs.initial(saved.choices)

    def choices(self) -> dict:
        """Return what was chosen; what was left at its guess is left out."""
        return self.inputs.choices(self.cleaned_data)


class NumbersField(forms.CharField):
    """One whole number, or several with commas or blanks between them."""

    def prepare_value(self, value):
        """Return ``value`` as it would be typed."""
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value

    def clean(self, value):
        """Return the numbers as a list, each once, in rising order."""
        words = self._words(super().clean(value))
        if not all(word.isdecimal() and len(word) < 10 for word in words):
            raise ValidationError(
                "Write a whole number, or several with commas between them, as in 1, 2, 4, 8."
            )
        return sorted({int(word) for word in words})

    def has_changed(self, initial, data):
        """Whether something else was typed than what stood there."""
        return set(self._words(initial)) != set(self._words(data))

    def _words(self, value) -> list[str]:
        typed = "" if value is None else str(self.prepare_value(value))
        return re.split(r"[\s,;]+", typed.strip(" ,;"))


def _output_choices(version: ModelVersion) -> list[tuple[str, str]]:
    names = [one["name"] for one in version.outputs]
    return [
        ("", "Found out, where only one can be it"),
        *((name, name) for name in names if len(name) <= MAX_OUTPUT_NAME_LENGTH),
    ]


class RunForm(InputQuestions, StepForm):
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
    values = forms.ModelChoiceField(
        label="Values",
        queryset=InputSet.objects.none(),
        required=False,
        empty_label="Made up, the same ones each time",
        error_messages={"invalid_choice": "These inputs have been deleted. Choose others."},
    )
    file = RealInputsForm.base_fields["file"]
    measures_accuracy = forms.BooleanField(
        label="Measure the accuracy too",
        required=False,
        help_text="For an evaluation set: inputs with an array “labels” beside them. All of its "
        "items are run once; the time is taken on its first batch.",
    )
    answer_output = forms.ChoiceField(label="Output with the answer", required=False)
    save_inputs = forms.BooleanField(
        label="Save these sizes and ranges with the model: later runs begin with them",
        required=False,
    )

    def __init__(
        self,
        *args,
        user,
        version: ModelVersion,
        like: Run | None = None,
        is_like_asked_for: bool = False,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.fields["version"].queryset = version.onnx_model.versions.filter(
            status=ModelVersion.Status.READY
        )
        self.fields["version"].initial = version
        profiles = HardwareProfile.objects.visible_to(user).with_factors()
        self.fields["profile"].reader = user
        self.fields["profile"].queryset = profiles.mine_first(user)
        self.fields[
            "intra_op_threads"
        ].help_text = (
            f"The measuring machine has {os.cpu_count() or 1} cores. Several make a sweep here too."
        )
        self.fields["values"].queryset = version.onnx_model.input_sets.all()
        self.fields["answer_output"].choices = _output_choices(version)
        self.ask_about(input_fields(version.inputs))
        self.follows = self._follow(version, like, is_asked_for=is_like_asked_for)
        if like is not None and like.status == Run.Status.FAILED:
            self.focus_on(self.inputs.field_name_meant_by(like.failure_message))

    def _follow(self, version: ModelVersion, like: Run | None, *, is_asked_for: bool) -> str:
        """Begin with the run asked for, else with what is saved, else with the last good run.

        Return which of them the inputs are from: run, saved, or nothing.
        """
        saved = input_choices.saved_for(version)
        self.dropped = saved.message_by_dropped
        has_saved = bool(version.onnx_model.saved_inputs) and not is_asked_for
        inputs = saved.choices if has_saved else like.input_choices if like is not None else {}
        begin = self.inputs.initial(inputs)
        if like is not None:
            begin |= {
                "profile": like.profile_id,
                "batch_size": like.batch_size,
                "intra_op_threads": like.intra_op_threads,
                "effort": like.effort,
                "values": like.input_set_id,
                "measures_accuracy": like.measures_accuracy and like.input_set_id is not None,
                "answer_output": like.answer_output,
            }
        self.initial = begin | self.initial
        return "saved" if has_saved else "run" if like is not None else ""

    def clean(self):
        """Find no fault with sizes and ranges where real inputs take their place."""
        cleaned = super().clean()
        if cleaned.get("values") is not None:
            self.forget_inputs()
        return cleaned

    def settings(self) -> RunSettings | SweepSettings:
        """Return what was chosen; what was left at its default is left out."""
        cleaned = self.cleaned_data
        batch_sizes, thread_counts = self._batch_sizes(), cleaned["intra_op_threads"]
        # Of several batch sizes none stands in the inputs: each run of the sweep sets its own.
        stated = {"batch_size": batch_sizes[0] if len(batch_sizes) == 1 else 1}
        shared = {
            "effort": cleaned["effort"],
            "inputs": self.inputs.choices(cleaned | stated),
            "values": cleaned["values"],
        }
        if cleaned["measures_accuracy"]:
            self._check_single(batch_sizes, thread_counts)
            shared |= {"measures_accuracy": True, "answer_output": cleaned["answer_output"]}
        if len(batch_sizes) > 1 or len(thread_counts) > 1:
            return SweepSettings(batch_sizes, thread_counts, **shared)
        return RunSettings(batch_sizes[0], thread_counts[0], **shared)

    def submit(self, owner) -> Run | Sweep:
        """Queue what was asked for: a run, or a sweep where several settings were.

        Raises ValidationError as ``submit_run`` and ``submit_sweep`` do.
        """
        version, settings = self.cleaned_data["version"], self.settings()
        step = submit_sweep if isinstance(settings, SweepSettings) else submit_run
        with transaction.atomic():
            queued = step(
                owner=owner,
                version=version,
                profile=self.cleaned_data["profile"],
                settings=settings,
            )
            if self.cleaned_data["save_inputs"] and settings.values is None:
                batch_sizes = self.cleaned_data["batch_size"]
                batch_size = batch_sizes[0] if len(batch_sizes) == 1 else 1
                input_choices.save(version.onnx_model, settings.inputs, batch_size=batch_size)
        return queued

    def place_of(self, problem_field: str) -> str | None:
        """Return the form's own name of a setting such as ``inputs.dims.sequence``."""
        return super().place_of("batch_size" if problem_field == "batch_sizes" else problem_field)

    @property
    def whole_sets(self) -> list[str]:
        """The ids of the real inputs that leave nothing to be made up."""
        names = {one.name for one in self.inputs.tensors}
        return [
            str(one.pk)
            for one in self.fields["values"].queryset
            if names <= {array["name"] for array in one.tensors}
        ]

    @property
    def evaluation_sets(self) -> list[str]:
        """The ids of the real inputs with labels beside them."""
        return [str(one.pk) for one in self.fields["values"].queryset if one.has_labels]

    def _check_single(self, *asked: list[int]) -> None:
        if any(len(one) > 1 for one in asked):
            raise ValidationError(
                {
                    "measures_accuracy": "Accuracy does not depend on batch size and threads, so a "
                    "sweep does not measure it. Choose one of each, or leave the accuracy out."
                }
            )

    def _batch_sizes(self) -> list[int]:
        """Return the batch sizes: that of the real inputs, unless something else was asked for."""
        typed, values = self.cleaned_data["batch_size"], self.cleaned_data["values"]
        if self.cleaned_data["measures_accuracy"]:
            return typed
        # Several are a wish, whoever put them there: what does not fit is refused, not left out.
        if values is None or len(typed) > 1 or "batch_size" in self.changed_data:
            return typed
        found = batch_size_in(self.cleaned_data["version"], values)
        return typed if found is None else [found]
