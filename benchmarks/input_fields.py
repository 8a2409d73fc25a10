"""Which of a version's inputs leave something to choose, and the form fields with which one does.

The fields become the ``inputs`` of a run's settings: ``{"dims", "shapes", "ranges"}``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django import forms
from django.core.exceptions import ValidationError

from benchmarks.models import Run
from runner.errors import RunnerError
from runner.job import InputChoices
from runner.shapes import PlannedInput, TensorDescription, plan_inputs, tensors_from_plain

DEFAULT_SIZE = 1
MAX_SIZE = 1_000_000
SHAPE_SEPARATORS = re.compile(r"[\s,x×]+")


class ShapeField(forms.CharField):
    """A whole shape such as ``1, 3, 640, 640``."""

    def clean(self, value):
        """Return the sizes, or None where nothing was typed."""
        words = [word for word in SHAPE_SEPARATORS.split(super().clean(value).strip("[] ")) if word]
        if not all(word.isdecimal() and len(word) < 10 and int(word) > 0 for word in words):
            raise ValidationError("Write the sizes with commas between them, as in 1, 3, 640, 640.")
        return [int(word) for word in words] or None


@dataclass(frozen=True, slots=True)
class InputField:
    """One form field about one input; ``axis`` is None where it is not about one dimension."""

    field_name: str
    kind: str
    label: str
    setting: str
    input_name: str = ""
    axis: int | None = None
    help_text: str = ""

    @property
    def is_range_end(self) -> bool:
        return self.kind in {"low", "high"}

    def as_form_field(self) -> forms.Field:
        """Return the field that asks for this value."""
        if self.is_range_end:
            placeholder = "0" if self.kind == "low" else "1"
            return forms.FloatField(
                label=self.label,
                required=False,
                widget=forms.NumberInput(attrs={"placeholder": placeholder}),
            )
        if self.kind == "whole_shape":
            return ShapeField(
                label=self.label,
                required=True,
                max_length=200,
                help_text="The model does not declare it. Sizes with commas, as in 1, 3, 640, 640.",
            )
        return forms.IntegerField(
            label=self.label,
            help_text=self.help_text,
            min_value=1,
            max_value=MAX_SIZE,
            initial=DEFAULT_SIZE,
            required=False,
        )

    def value_in(self, choices: Mapping) -> object:
        """Return what ``choices`` say about this field, None where they say nothing."""
        if self.kind == "dim":
            return choices.get("dims", {}).get(self.label)
        if self.is_range_end:
            ends = choices.get("ranges", {}).get(self.input_name)
            return ends and ends[0 if self.kind == "low" else 1]
        shape = choices.get("shapes", {}).get(self.input_name)
        if shape is None or self.axis is None:
            return shape and ", ".join(str(size) for size in shape)
        return shape[self.axis] if self.axis < len(shape) else None


@dataclass(frozen=True, slots=True)
class InputDescription:
    """An input as the page shows it, and the names of the fields for its range."""

    name: str
    dtype: str
    shape_text: str
    range_field_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InputFields:
    """The inputs of one version and every field about them."""

    tensors: tuple[TensorDescription, ...]
    fields: tuple[InputField, ...]
    # (input, axis) of the dimensions that the batch size sets.
    batch_places: frozenset[tuple[str, int]]

    @property
    def descriptions(self) -> list[InputDescription]:
        return [
            InputDescription(
                name=tensor.name,
                dtype=tensor.dtype,
                shape_text=shape_text(tensor.shape),
                range_field_names=tuple(
                    one.field_name
                    for one in self.fields
                    if one.is_range_end and one.input_name == tensor.name
                ),
            )
            for tensor in self.tensors
        ]

    @property
    def field_name_by_setting(self) -> dict[str, str]:
        """Form fields by the setting they make, such as ``inputs.dims.sequence``."""
        return {one.setting: one.field_name for one in reversed(self.fields)}

    def choices(self, cleaned: Mapping) -> dict:
        """Return the ``inputs`` of the settings; what was left at its default is left out."""
        parts = {
            "dims": self._dims(cleaned),
            "shapes": self._shapes(cleaned),
            "ranges": self._ranges(cleaned),
        }
        return {name: chosen for name, chosen in parts.items() if chosen}

    @property
    def has_scalars(self) -> bool:
        """Whether an input is a lone number: mostly a setting, which 0 or 1 rarely fits."""
        return any(tensor.shape == () and tensor.dtype != "string" for tensor in self.tensors)

    def initial(self, choices: Mapping) -> dict[str, object]:
        """Return the fields' values that make ``choices``, the ``inputs`` of a run's settings."""
        found = {one.field_name: one.value_in(choices) for one in self.fields}
        return {name: value for name, value in found.items() if value is not None}

    def _dims(self, cleaned: Mapping) -> dict[str, int]:
        return {
            one.label: cleaned[one.field_name]
            for one in self.fields
            if one.kind == "dim" and cleaned.get(one.field_name) not in (None, DEFAULT_SIZE)
        }

    def _shapes(self, cleaned: Mapping) -> dict[str, list[int]]:
        whole = {
            one.input_name: cleaned[one.field_name]
            for one in self.fields
            if one.kind == "whole_shape" and cleaned.get(one.field_name)
        }
        for tensor in self.tensors:
            own = {
                one.axis: cleaned.get(one.field_name) or DEFAULT_SIZE
                for one in self.fields
                if one.kind == "size" and one.input_name == tensor.name
            }
            # A shape is stated whole or not at all.
            if any(size != DEFAULT_SIZE for size in own.values()):
                whole[tensor.name] = [
                    own.get(axis) or self._size_of(tensor, axis, cleaned)
                    for axis in range(len(tensor.shape or ()))
                ]
        return whole

    def _size_of(self, tensor: TensorDescription, axis: int, cleaned: Mapping) -> int:
        size = (tensor.shape or ())[axis]
        if isinstance(size, int):
            return size
        if (tensor.name, axis) in self.batch_places:
            return cleaned["batch_size"]
        return self._dims(cleaned).get(size or "", DEFAULT_SIZE)

    def _ranges(self, cleaned: Mapping) -> dict[str, list[int | float]]:
        ranges = {}
        for one in self.descriptions:
            ends = [cleaned.get(name) for name in one.range_field_names]
            if ends and None not in ends:
                ranges[one.name] = [_plain_number(end) for end in ends]
        return ranges


def input_fields(stored_inputs: list[dict]) -> InputFields:
    """Return what may be chosen about the inputs that a version declares."""
    tensors = tensors_from_plain(stored_inputs)
    why_by_place = _why_by_place(tensors)
    return InputFields(
        tensors=tensors,
        fields=(*_size_fields(tensors, why_by_place), *_range_fields(tensors)),
        batch_places=frozenset(place for place, why in why_by_place.items() if why == "batch size"),
    )


def inputs_fed(run: Run) -> tuple[PlannedInput, ...]:
    """Return what the model of ``run`` is fed, result or none; empty where that cannot be said."""
    try:
        choices = InputChoices.from_plain(run.input_choices)
        return plan_inputs(
            tensors_from_plain(run.version.inputs), choices, batch_size=run.batch_size
        )
    except RunnerError:
        return ()


def shape_text(shape: Sequence[int | str | None] | None) -> str:
    """Return a shape as one reads it, with a question mark for a nameless dimension.

    >>> shape_text(["batch", 1, None])
    'batch × 1 × ?'
    """
    if shape is None:
        return "not declared"
    return " × ".join("?" if size is None else str(size) for size in shape) or "a single value"


def _why_by_place(tensors: Sequence[TensorDescription]) -> dict[tuple[str, int], str]:
    """Return, by input and axis, why a dimension has its size when nothing is chosen."""
    declared = [tensor for tensor in tensors if tensor.shape is not None]
    try:
        planned = plan_inputs(declared, InputChoices())
    except RunnerError:
        # An input of a kind that nothing can be made up for: the run form says so on submit.
        return {}
    return {(one.name, axis): why for one in planned for axis, why in enumerate(one.why)}


def _size_fields(tensors: Sequence[TensorDescription], why_by_place: Mapping):
    symbols: list[str] = []
    for index, tensor in enumerate(tensors):
        if tensor.shape is None:
            yield InputField(
                field_name=f"shape_{index}",
                kind="whole_shape",
                label=f"Shape of {tensor.name}",
                setting=f"inputs.shapes.{tensor.name}",
                input_name=tensor.name,
            )
        for axis, size in enumerate(tensor.shape or ()):
            if why_by_place.get((tensor.name, axis)) != "default 1" or size in symbols:
                continue
            if isinstance(size, str):
                symbols.append(size)
            yield _size_field(tensors, index, axis)


def _size_field(tensors: Sequence[TensorDescription], index: int, axis: int) -> InputField:
    tensor = tensors[index]
    symbol = (tensor.shape or ())[axis]
    if isinstance(symbol, str):
        return InputField(
            field_name=f"dim_{index}_{axis}",
            kind="dim",
            label=symbol,
            setting=f"inputs.dims.{symbol}",
            help_text=_places_sentence(tensors, symbol),
        )
    return InputField(
        field_name=f"size_{index}_{axis}",
        kind="size",
        label=f"{tensor.name}, dimension {axis + 1}",
        help_text=f"Marked here: {_marked_shape(tensor, axis)}.",
        setting=f"inputs.shapes.{tensor.name}",
        input_name=tensor.name,
        axis=axis,
    )


def _places_sentence(tensors: Sequence[TensorDescription], symbol: str) -> str:
    """Return where a named dimension stands, such as "Dimension 3 of x."."""
    places = [
        f"dimension {axis + 1} of {tensor.name}"
        for tensor in tensors
        for axis, size in enumerate(tensor.shape or ())
        if size == symbol
    ]
    listed = ", ".join(places[:4]) + (" and elsewhere" if len(places) > 4 else "")
    return f"{listed[:1].upper()}{listed[1:]}."


def _marked_shape(tensor: TensorDescription, axis: int) -> str:
    return shape_text(
        [size if place != axis else "[?]" for place, size in enumerate(tensor.shape or ())]
    )


def _range_fields(tensors: Sequence[TensorDescription]):
    for index, tensor in enumerate(tensors):
        if tensor.dtype == "string":
            continue
        for end, word in (("low", "Lowest"), ("high", "Highest")):
            yield InputField(
                field_name=f"{end}_{index}",
                kind=end,
                label=f"{word} value of {tensor.name}",
                setting=f"inputs.ranges.{tensor.name}",
                input_name=tensor.name,
            )


def _plain_number(value: float) -> int | float:
    """Return a whole number as an int: an integer input takes no 16000.0."""
    return int(value) if float(value).is_integer() else value
