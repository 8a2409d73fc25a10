"""Which of a version's inputs leave something to choose, and the form fields with which one does.

The fields become the ``inputs`` of a run's settings: ``{"dims", "shapes", "ranges"}``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django import forms
from django.core.exceptions import ValidationError

from benchmarks.input_choices import BATCH_SIZE_WHY, default_plan, with_arrays
from benchmarks.input_sets import fed_arrays
from benchmarks.models import Run
from runner.errors import RunnerError
from runner.job import InputChoices
from runner.shapes import PlannedInput, TensorDescription, plan_inputs, tensors_from_plain

MAX_SIZE = 1_000_000
SHAPE_SEPARATORS = re.compile(r"[\s,x×]+")
GUESSED = "guessed: "
# The runner's words for arrays that were fed as they were.
FROM_FILE = "from your file"
NOT_FREE = {"declared", BATCH_SIZE_WHY}


class ShapeField(forms.CharField):
    """A whole shape such as ``1, 3, 640, 640``."""

    def clean(self, value):
        """Return the sizes, or None where nothing was typed."""
        words = [word for word in SHAPE_SEPARATORS.split(super().clean(value).strip("[] ")) if word]
        if not all(word.isdecimal() and len(word) < 10 for word in words):
            raise ValidationError("Write the sizes with commas between them, as in 1, 3, 640, 640.")
        return [int(word) for word in words] or None


@dataclass(frozen=True, slots=True)
class InputField:
    """One form field about one input; ``axis`` is None where it is not about one dimension.

    ``default`` is what the input is fed with when the field is left alone; a list of sizes for a
    whole shape, None where nothing stands in.
    """

    field_name: str
    kind: str
    label: str
    setting: str
    input_name: str = ""
    axis: int | None = None
    help_text: str = ""
    default: object = None

    @property
    def is_range_end(self) -> bool:
        return self.kind in {"low", "high"}

    def as_form_field(self) -> forms.Field:
        """Return the field that asks for this value, with what stands in for it."""
        if self.is_range_end:
            return forms.FloatField(label=self.label, required=False, initial=self.default)
        if self.kind == "whole_shape":
            return ShapeField(
                label=self.label,
                required=self.default is None,
                max_length=200,
                help_text=self.help_text,
                initial=_sizes_text(self.default),
            )
        return forms.IntegerField(
            label=self.label,
            help_text=self.help_text,
            # Where a guess is nothing, the past of a model that continues texts, none is needed.
            min_value=0 if self.default == 0 else 1,
            max_value=MAX_SIZE,
            initial=self.default,
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
            return _sizes_text(shape)
        return shape[self.axis] if self.axis < len(shape) else None

    def chosen_in(self, cleaned: Mapping) -> object:
        """Return what was typed, None where that is nothing new."""
        value = cleaned.get(self.field_name)
        return None if value == self.default else value


@dataclass(frozen=True, slots=True)
class InputFields:
    """The inputs of one version, how each is fed when nothing is chosen, and every field."""

    tensors: tuple[TensorDescription, ...]
    planned: Mapping[str, PlannedInput]
    fields: tuple[InputField, ...]

    @property
    def field_name_by_setting(self) -> dict[str, str]:
        """Form fields by the setting they make, such as ``inputs.dims.sequence``."""
        by_setting = {one.setting: one.field_name for one in reversed(self.fields)}
        for axis_name, field_name in self._field_names_of_named_sizes():
            by_setting.setdefault(axis_name, field_name)
        return by_setting

    @property
    def has_batch(self) -> bool:
        """Whether the batch size sets any dimension."""
        return any(BATCH_SIZE_WHY in one.why for one in self.planned.values())

    def about(self, input_name: str) -> list[InputField]:
        """Return the fields that stand with an input, sizes first."""
        return [one for one in self.fields if one.input_name == input_name]

    def choices(self, cleaned: Mapping) -> dict:
        """Return the ``inputs`` of the settings; what was left at its default is left out."""
        parts = {
            "dims": self._dims(cleaned),
            "shapes": self._shapes(cleaned),
            "ranges": self._ranges(cleaned),
        }
        return {name: chosen for name, chosen in parts.items() if chosen}

    def initial(self, choices: Mapping) -> dict[str, object]:
        """Return the fields' values that make ``choices``, the ``inputs`` of a run's settings."""
        found = {one.field_name: one.value_in(choices) for one in self.fields}
        return {name: value for name, value in found.items() if value is not None}

    def field_name_meant_by(self, sentence: str) -> str | None:
        """Return the first field about the input that ``sentence`` names, the last if several."""
        places = {
            one.field_name: sentence.rfind(f"“{one.input_name}”") for one in reversed(self.fields)
        }
        nearest = max(places, key=lambda name: places[name], default=None)
        if nearest is None or places[nearest] < 0:
            return None
        return next(name for name in reversed(places) if places[name] == places[nearest])

    def _field_names_of_named_sizes(self) -> Iterator[tuple[str, str]]:
        """Yield where a problem with an input's whole shape belongs when its sizes have names."""
        field_name_by_symbol = {one.label: one.field_name for one in self.fields if _is_dim(one)}
        for tensor in self.tensors:
            for size in tensor.shape or ():
                if size in field_name_by_symbol:
                    yield f"inputs.shapes.{tensor.name}", field_name_by_symbol[size]

    def _dims(self, cleaned: Mapping) -> dict[str, int]:
        chosen = {one.label: one.chosen_in(cleaned) for one in self.fields if _is_dim(one)}
        return {name: size for name, size in chosen.items() if size is not None}

    def _shapes(self, cleaned: Mapping) -> dict[str, list[int]]:
        shapes = {
            one.input_name: one.chosen_in(cleaned)
            for one in self.fields
            if one.kind == "whole_shape" and one.chosen_in(cleaned)
        }
        for tensor in self.tensors:
            own = {one.axis: one for one in self.about(tensor.name) if one.kind == "size"}
            # A shape is stated whole or not at all.
            if any(one.chosen_in(cleaned) is not None for one in own.values()):
                shapes[tensor.name] = [
                    self._size_of(tensor, axis, own.get(axis), cleaned)
                    for axis in range(len(tensor.shape or ()))
                ]
        return shapes

    def _size_of(
        self, tensor: TensorDescription, axis: int, own: InputField | None, cleaned: Mapping
    ) -> int:
        planned, symbol = self.planned[tensor.name], (tensor.shape or ())[axis]
        if own is not None:
            typed = cleaned.get(own.field_name)
            return own.default if typed is None else typed
        if planned.why[axis] == BATCH_SIZE_WHY:
            return cleaned.get("batch_size") or 1
        return self._dims(cleaned).get(symbol, planned.shape[axis])

    def _ranges(self, cleaned: Mapping) -> dict[str, list[int | float]]:
        ranges = {}
        for tensor in self.tensors:
            ends = [one for one in self.about(tensor.name) if one.is_range_end]
            typed = [cleaned.get(one.field_name) for one in ends]
            if ends and None not in typed and typed != [one.default for one in ends]:
                ranges[tensor.name] = [plain_number(end) for end in typed]
        return ranges


def input_fields(stored_inputs: list[dict]) -> InputFields:
    """Return what may be chosen about the inputs that a version declares."""
    tensors = tensors_from_plain(stored_inputs)
    planned = default_plan(tensors)
    fields = (*_size_fields(tensors, planned), *_range_fields(tensors, planned))
    return InputFields(tensors, planned, fields)


def inputs_fed(run: Run) -> tuple[PlannedInput, ...]:
    """Return what the model of ``run`` is fed, result or none; empty where that cannot be said."""
    if run.values_name and run.input_set is None:
        return ()
    try:
        arrays = fed_arrays(run.version, run.input_set) if run.input_set else ()
        planned = plan_inputs(
            tensors_from_plain(run.version.inputs),
            with_arrays(InputChoices.from_plain(run.input_choices), arrays),
            batch_size=run.batch_size,
        )
    except (RunnerError, ValidationError):
        return ()
    from_file = {one.name for one in arrays}
    return tuple(_as_in_file(one) if one.name in from_file else one for one in planned)


def _as_in_file(one: PlannedInput) -> PlannedInput:
    return replace(one, why=(FROM_FILE,) * len(one.shape), low=None, high=None, range_why=FROM_FILE)


def shape_text(shape: Sequence[int | str | None] | None) -> str:
    """Return a shape as one reads it, with a question mark for a nameless dimension.

    >>> shape_text(["batch", 1, None])
    'batch × 1 × ?'
    """
    if shape is None:
        return "not declared"
    return " × ".join("?" if size is None else str(size) for size in shape) or "a single value"


def spoken_why(why: str, guess: object) -> str:
    """Return why a dimension has its size when it is left alone, as a sentence.

    >>> spoken_why("guessed: image height, 224 is usual", 224)
    'The guess is 224: image height, 224 is usual.'
    """
    if why.startswith(GUESSED):
        return f"The guess is {guess}: {why.removeprefix(GUESSED)}."
    if why == "default 1":
        return "Nothing shows what it should be: 1 is only where it starts."
    return f"{why[:1].upper()}{why[1:]}."


def plain_number(value: float) -> int | float:
    """Return a whole number as an int: an integer input takes no 16000.0."""
    return int(value) if float(value).is_integer() else value


def _is_dim(one: InputField) -> bool:
    return one.kind == "dim"


def _sizes_text(sizes: Sequence[int] | None) -> str | None:
    return None if sizes is None else ", ".join(str(size) for size in sizes)


def _size_fields(
    tensors: Sequence[TensorDescription], planned: Mapping[str, PlannedInput]
) -> Iterator[InputField]:
    symbols: set[str] = set()
    for index, tensor in enumerate(tensors):
        plan = planned.get(tensor.name)
        if tensor.shape is None:
            yield _whole_shape_field(tensor, index, plan)
        for axis, size in enumerate(tensor.shape or ()):
            if plan is None or plan.why[axis] in NOT_FREE or size in symbols:
                continue
            if isinstance(size, str):
                symbols.add(size)
            yield _size_field(tensors, index, axis, plan)


def _whole_shape_field(
    tensor: TensorDescription, index: int, plan: PlannedInput | None
) -> InputField:
    sizes = _sizes_text(plan.shape) if plan is not None else None
    why = f" {spoken_why(plan.why[0], sizes)}" if plan is not None and plan.why else ""
    return InputField(
        field_name=f"shape_{index}",
        kind="whole_shape",
        label=f"Shape of {tensor.name}",
        setting=f"inputs.shapes.{tensor.name}",
        input_name=tensor.name,
        help_text=f"The model does not declare it.{why} Sizes with commas, as in 1, 3, 640, 640.",
        default=list(plan.shape) if plan is not None and plan.shape else None,
    )


def _size_field(
    tensors: Sequence[TensorDescription], index: int, axis: int, plan: PlannedInput
) -> InputField:
    tensor = tensors[index]
    symbol, why = (tensor.shape or ())[axis], spoken_why(plan.why[axis], plan.shape[axis])
    if isinstance(symbol, str):
        return InputField(
            field_name=f"dim_{index}_{axis}",
            kind="dim",
            label=symbol,
            setting=f"inputs.dims.{symbol}",
            input_name=tensor.name,
            help_text=f"{_places_sentence(tensors, symbol)} {why}",
            default=plan.shape[axis],
        )
    return InputField(
        field_name=f"size_{index}_{axis}",
        kind="size",
        label=f"{tensor.name}, dimension {axis + 1}",
        help_text=f"Marked here: {_marked_shape(tensor, axis)}. {why}",
        setting=f"inputs.shapes.{tensor.name}",
        input_name=tensor.name,
        axis=axis,
        default=plan.shape[axis],
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


def _range_fields(
    tensors: Sequence[TensorDescription], planned: Mapping[str, PlannedInput]
) -> Iterator[InputField]:
    for index, tensor in enumerate(tensors):
        plan = planned.get(tensor.name)
        # Texts have no range; an input without a shape has one all the same.
        if "string" in tensor.dtype or plan is not None and plan.low is None:
            continue
        for end, word in (("low", "Lowest"), ("high", "Highest")):
            default = getattr(plan, end) if plan is not None else int(end == "high")
            yield InputField(
                field_name=f"{end}_{index}",
                kind=end,
                label=f"{word} value of {tensor.name}",
                setting=f"inputs.ranges.{tensor.name}",
                input_name=tensor.name,
                default=plain_number(default),
            )
