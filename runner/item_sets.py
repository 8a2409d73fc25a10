"""Evaluation sets: which arrays hold one item per label, and how items make up a batch.

Told from the headers alone, so that the web process checks a set by the same rules by which
the child runs it, without numpy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.descriptions import TensorDescription
from runner.errors import InputProblem
from runner.job import Job
from runner.npz_archive import FIELD
from runner.real_inputs import (
    LABELS,
    check_values,
    describe_values,
    read_values,
    real_values,
    without_labels,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

LABELS_FIELD = f"{FIELD}.{LABELS}"


@dataclass(frozen=True, slots=True)
class ItemSet:
    """An evaluation set that a model can be run over.

    ``by_item`` names the arrays with an item per label, one after the other; the other
    ``arrays`` are fed whole with each batch. ``fixed_batch`` is how many items the model takes
    at once, None where it leaves that free.
    """

    item_count: int
    arrays: tuple[TensorDescription, ...]
    by_item: frozenset[str]
    fixed_batch: int | None

    @classmethod
    def of(
        cls, descriptions: Sequence[TensorDescription], found: Sequence[TensorDescription]
    ) -> "ItemSet":
        """Return what the arrays in ``found`` are to a model with the inputs ``descriptions``.

        Raises InputProblem, its field naming the array, where they are no evaluation set of it.
        """
        arrays = without_labels(descriptions, found)
        item_count = _label_count(found if len(arrays) < len(found) else ())
        declared_by_name = {one.name: one for one in descriptions}
        if unknown := [one for one in arrays if one.name not in declared_by_name]:
            check_values(descriptions, unknown)
        _check_all_there(declared_by_name, arrays)
        by_item = frozenset(
            one.name
            for one in arrays
            if _is_by_item(one, declared_by_name.get(one.name), item_count)
        )
        if not by_item:
            raise InputProblem(
                LABELS_FIELD,
                f"There are {item_count:,} labels, and no array of the file holds as many items. "
                "Stack the items of an input along its first dimension.",
            )
        found_set = cls(item_count, arrays, by_item, _fixed_batch(declared_by_name, by_item))
        try:
            check_values(descriptions, found_set.batch_of(1))
        except InputProblem:
            # The same words with the sizes that stand in the file.
            check_values(descriptions, found_set.batch_of(item_count))
            raise
        return found_set

    def batch_of(self, size: int) -> tuple[TensorDescription, ...]:
        """Return the arrays as they are fed with ``size`` items, or with as many as are fixed."""
        count = self.fixed_batch or size
        return tuple(
            replace(one, shape=(count, *(one.shape or ())[1:])) if one.name in self.by_item else one
            for one in self.arrays
        )

    def first_batch(self, size: int) -> tuple[TensorDescription, ...]:
        """Return the arrays of the first ``size`` items.

        Raises InputProblem when there are not as many.
        """
        if self.fixed_batch is None and size > self.item_count:
            raise InputProblem(
                "batch_size",
                f"The evaluation set holds {self.item_count:,} items, so no batch of {size:,} can "
                f"be timed on it. Choose a batch size of at most {self.item_count:,}.",
            )
        return self.batch_of(size)


def values_to_feed(
    job: Job, declared: Sequence[TensorDescription]
) -> "dict[str, NDArray[Any]] | None":
    """Return the arrays that a call of ``job`` is fed; None where it brings none.

    Of an evaluation set these are the first items, as many as go into one batch. Raises
    InputProblem, its field naming the array, for what the model cannot be fed with.
    """
    if job.values_path is None or not job.values_are_items:
        return real_values(job, declared)
    path = Path(job.values_path)
    items = ItemSet.of(declared, describe_values(path))
    count_by_name = {
        one.name: count
        for one in items.first_batch(job.batch_size)
        if one.name in items.by_item and isinstance(count := (one.shape or (0,))[0], int)
    }
    values = read_values(path, items.arrays, declared, first_counts=count_by_name)
    return {
        name: filled_up(array, count_by_name[name]) if name in count_by_name else array
        for name, array in values.items()
    }


def filled_up(items: "NDArray[Any]", count: int) -> "NDArray[Any]":
    """Return ``items``, of shape (n, ...) with n of 1 to ``count``, as exactly ``count``.

    The last one is repeated: a real item, so that a model that looks at the whole batch meets
    nothing new.
    """
    import numpy as np

    missing = count - len(items)
    if missing <= 0:
        return items
    return np.concatenate([items, np.repeat(items[-1:], missing, axis=0)])


def _label_count(found: Sequence[TensorDescription]) -> int:
    labels = next((one for one in found if one.name == LABELS), None)
    if labels is None:
        raise InputProblem(
            LABELS_FIELD,
            f"An evaluation set needs an array called “{LABELS}” beside the inputs, with the right "
            "class of each item. Save it with the others: numpy.savez(file, ..., labels=labels).",
        )
    sizes = [int(size) for size in labels.shape or () if isinstance(size, int)]
    if not sizes or len(sizes) > 2 or (len(sizes) == 2 and sizes[1] != 1):
        spoken = ", ".join(str(size) for size in sizes)
        raise InputProblem(
            LABELS_FIELD,
            f"“{LABELS}” has the shape [{spoken}]; it must be a list with one class per item. "
            "Of one-hot labels save labels.argmax(axis=1).",
        )
    if not sizes[0]:
        raise InputProblem(LABELS_FIELD, f"“{LABELS}” is empty. Give it one class per item.")
    return sizes[0]


def _check_all_there(
    declared_by_name: dict[str, TensorDescription], arrays: Sequence[TensorDescription]
) -> None:
    missing = declared_by_name.keys() - {one.name for one in arrays}
    if missing:
        name = next(name for name in declared_by_name if name in missing)
        raise InputProblem(
            f"{FIELD}.{name}",
            f"The evaluation set leaves out the input “{name[:100]}”. An accuracy on made-up "
            "values would say nothing: give it an array too.",
        )


def _is_by_item(
    array: TensorDescription, declared: TensorDescription | None, item_count: int
) -> bool:
    """Whether ``array`` has an item per label; raises InputProblem where it should and has not."""
    if declared is None or not array.shape:
        return False
    count = array.shape[0]
    if count == item_count:
        return True
    hinted = declared.hint.sizes if declared.hint else ()
    is_guessed = bool(hinted) and hinted[0] is not None
    # An input that is no batch (a state, a table, a rate) is fed whole, with each batch.
    if not declared.shape or is_guessed or count in (1, declared.shape[0]):
        return False
    raise InputProblem(
        f"{FIELD}.{array.name}",
        f"“{array.name[:100]}” holds {count:,} items, and “{LABELS}” {item_count:,}. Give each "
        "item one label.",
    )


def _fixed_batch(
    declared_by_name: dict[str, TensorDescription], by_item: frozenset[str]
) -> int | None:
    firsts = {
        name: one.shape[0]
        for name, one in declared_by_name.items()
        if name in by_item and one.shape and isinstance(one.shape[0], int)
    }
    if len(set(firsts.values())) > 1:
        spoken = " and ".join(f"{size} of “{name[:60]}”" for name, size in firsts.items())
        raise InputProblem(
            FIELD,
            f"The model takes {spoken} at once, so items cannot be told apart in it. Accuracy can "
            "be measured where all inputs take as many items.",
        )
    return next((int(size) for size in firsts.values() if isinstance(size, int)), None)
