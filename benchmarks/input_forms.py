"""How a form asks about a model's inputs: a card for each, one for many that are alike."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django import forms

from benchmarks.input_choices import BATCH_SIZE_WHY, why_nothing_fits
from benchmarks.input_fields import InputFields, plain_number, shape_text
from runner.shapes import PlannedInput, TensorDescription

# So many inputs that differ in a number only, as past_key_values.0.key, make one card.
ALIKE_COUNT = 4


@dataclass(frozen=True, slots=True)
class InputPart:
    """What is asked of one input behind a fold: the range of its values, and more in a group."""

    name: str
    fields: list[forms.BoundField]
    summary: str


@dataclass(frozen=True, slots=True)
class InputCard:
    """An input, or several alike: what is open about their sizes, and their values."""

    name: str
    count: int
    dtype: str
    shape_text: str
    notes: list[str]
    size_fields: list[forms.BoundField]
    parts: list[InputPart]
    is_open: bool

    @property
    def summary(self) -> str:
        """What stands on the fold."""
        if self.count == 1:
            return self.parts[0].summary
        return f"Values of each of the {self.count}"


class InputQuestions:
    """The part of a form that asks about the inputs of one version."""

    inputs: InputFields

    def ask_about(self, inputs: InputFields) -> None:
        """Add the fields."""
        self.inputs = inputs
        for one in inputs.fields:
            self.fields[one.field_name] = one.as_form_field()

    def focus_on(self, field_name: str | None) -> None:
        """Have the browser begin at one field."""
        if field_name in self.fields:
            self.fields[field_name].widget.attrs["autofocus"] = True

    @property
    def has_batch(self) -> bool:
        """Whether the batch size sets any dimension."""
        return self.inputs.has_batch

    @property
    def cannot_be_made_up(self) -> str:
        """Why values cannot be made up for some input; empty where they can for all."""
        return why_nothing_fits(self.inputs.tensors)

    @property
    def input_cards(self) -> list[InputCard]:
        """Every input once, those alike together, in their order."""
        shown: set[str] = set()
        return [self._card(group, shown) for group in _alike(self.inputs.tensors)]

    def clean(self):
        """Ask for both ends of a range, or for neither, and in their order."""
        cleaned = super().clean()
        for tensor in self.inputs.tensors:
            ends = [one.field_name for one in self.inputs.about(tensor.name) if one.is_range_end]
            if ends and not any(name in self.errors for name in ends):
                self._check_ends(ends, cleaned)
        return cleaned

    def place_of(self, problem_field: str) -> str | None:
        """Return the form's own name of a setting such as ``inputs.dims.sequence``."""
        known = self.inputs.field_name_by_setting.get(problem_field)
        return known or super().place_of(problem_field)

    def forget_inputs(self) -> None:
        """Take no notice of what was typed about inputs: something else is fed."""
        for one in self.inputs.fields:
            self.errors.pop(one.field_name, None)

    def _check_ends(self, names: list[str], cleaned: Mapping) -> None:
        low, high = (cleaned.get(name) for name in names)
        if (low is None) != (high is None):
            missing = names[0] if low is None else names[1]
            self.add_error(missing, "Give both ends of the range, or neither.")
        elif low is not None and low > high:
            self.add_error(names[1], f"The highest value must be at least {low:g}.")

    def _card(self, group: list[TensorDescription], shown: set[str]) -> InputCard:
        first = group[0]
        sizes = [one for one in self.inputs.about(first.name) if not one.is_range_end]
        # In a group only what all share is asked for in the open.
        is_single = len(group) == 1
        in_the_open = [one for one in sizes if is_single or one.kind == "dim"]
        notes = list(self._notes(first, shown))
        shown.update(one.label for one in in_the_open if one.kind == "dim")
        parts = [self._part(tensor, {one.field_name for one in in_the_open}) for tensor in group]
        return InputCard(
            name=first.name if is_single else f"{first.name} … {group[-1].name}",
            count=len(group),
            dtype=first.dtype,
            shape_text=shape_text(first.shape),
            notes=notes,
            size_fields=[self[one.field_name] for one in in_the_open],
            parts=parts,
            is_open=self._is_worth_opening(parts) or is_single and _is_setting(first),
        )

    def _part(self, tensor: TensorDescription, elsewhere: set[str]) -> InputPart:
        names = [one.field_name for one in self.inputs.about(tensor.name)]
        return InputPart(
            name=tensor.name,
            fields=[self[name] for name in names if name not in elsewhere],
            summary=_values_sentence(self.inputs.planned.get(tensor.name)),
        )

    def _is_worth_opening(self, parts: list[InputPart]) -> bool:
        """Whether a field behind the fold is wrong, or set to something of one's own."""
        return any(
            field.errors or str(field.value()) not in {"None", "", str(field.field.initial)}
            for part in parts
            for field in part.fields
        )

    def _notes(self, tensor: TensorDescription, shown: set[str]) -> Iterator[str]:
        """Yield where the sizes come from that are free and not asked for here."""
        plan = self.inputs.planned.get(tensor.name)
        for axis, size in enumerate(tensor.shape or ()):
            is_batch = plan is not None and plan.why[axis] == BATCH_SIZE_WHY
            # One that is called batch needs no words.
            if is_batch and not isinstance(size, str):
                yield f"Dimension {axis + 1} follows the batch size."
            elif size in shown:
                yield f"{size} is set above."


def _alike(tensors: tuple[TensorDescription, ...]) -> list[list[TensorDescription]]:
    """Return the inputs in groups whose members differ in the numbers of their names only."""
    by_pattern: dict[tuple, list[TensorDescription]] = {}
    for tensor in tensors:
        pattern = (re.sub(r"\d+", "#", tensor.name), tensor.dtype, tensor.shape)
        by_pattern.setdefault(pattern, []).append(tensor)
    groups: list[list[TensorDescription]] = []
    for members in by_pattern.values():
        is_group = len(members) >= ALIKE_COUNT
        groups += [members] if is_group else [[one] for one in members]
    order = {tensor.name: place for place, tensor in enumerate(tensors)}
    return sorted(groups, key=lambda group: order[group[0].name])


def _is_setting(tensor: TensorDescription) -> bool:
    """Whether the input is a lone number: mostly a setting, which a guess rarely fits."""
    return tensor.shape == () and "string" not in tensor.dtype


def _values_sentence(plan: PlannedInput | None) -> str:
    if plan is None:
        return "Values"
    if plan.low is None or plan.high is None:
        return "Values: texts"
    if plan.low == plan.high:
        values = f"Value: {plain_number(plan.low):g}"
    else:
        values = f"Values from {plain_number(plan.low):g} to {plain_number(plan.high):g}"
    return f"{values} ({plan.range_why})" if plan.range_why else values
