"""What a classifier answers: which output holds the class, how it is read, and when it is right."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from runner.errors import InputProblem, MeasurementFailed
from runner.evaluated import MAX_OUTPUT_NAME_LENGTH, Reading
from runner.item_sets import LABELS_FIELD
from runner.real_inputs import LABELS

Array = NDArray[Any]
Kind = Literal["scores", "score", "labels"]
MAX_LISTED = 8
HALF = 0.5
# Stands where scores were no numbers; no label is below 0.
_NO_CLASS = -1
_ASK = "Say which one is the answer, by its name, and measure the accuracy again."


@dataclass(frozen=True, slots=True)
class AnswerOutput:
    """The output that holds the answer: a number per class, one number, or the class itself."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Tally:
    """How many answers are right, how many were no number, and how they were read."""

    correct_count: int
    not_a_number_count: int
    reading: Reading
    class_count: int | None
    notes: tuple[str, ...] = ()


def answer_output(
    names: Sequence[str], answers: Sequence[object], *, item_count: int, wanted: str | None
) -> AnswerOutput:
    """Return which of the outputs is the answer to ``item_count`` items.

    ``answers`` are what the outputs called ``names`` gave. A lone output with the class itself,
    as scikit-learn's converters write it, goes before numbers per class. Raises InputProblem for
    a ``wanted`` output that is not there, MeasurementFailed where none will do or several would.
    """
    kinds = {name: kind_of(answer, item_count) for name, answer in zip(names, answers, strict=True)}
    listed = _listed(names, answers)
    if wanted is not None:
        return _wanted_output(wanted, kinds, listed)
    labels = [name for name, kind in kinds.items() if kind == "labels"]
    numbers = [
        AnswerOutput(name, kind) for name, kind in kinds.items() if kind and kind != "labels"
    ]
    if len(labels) == 1 and len(numbers) <= 1:
        return AnswerOutput(labels[0], "labels")
    if not labels and len(numbers) == 1:
        return numbers[0]
    if labels or numbers:
        raise MeasurementFailed(
            "ambiguous_output",
            f"Several outputs of this model could be the class of an item: {listed}. {_ASK}",
        )
    raise MeasurementFailed(
        "no_class_output",
        "No output of this model is a number per class for each item, or the class itself: "
        f"{listed}. Accuracy can be measured of classifiers only.",
    )


def _wanted_output(wanted: str, kinds: dict[str, Kind | None], listed: str) -> AnswerOutput:
    if wanted not in kinds:
        raise InputProblem(
            "answer_output",
            f"The model has no output called “{wanted[:100]}”. It has: {listed}.",
        )
    kind = kinds[wanted]
    if kind is None:
        raise MeasurementFailed(
            "no_class_output",
            f"The output “{wanted[:100]}” is neither a number per class for each item nor the "
            f"class itself. The outputs are: {listed}. Choose another one.",
        )
    return AnswerOutput(wanted, kind)


def kind_of(answer: object, item_count: int) -> Kind | None:
    """Return how an output could be the class of each of ``item_count`` items, if at all.

    Sizes of 1 do not count: some networks end in [items, classes, 1, 1].

    >>> import numpy
    >>> kind_of(numpy.zeros((4, 10, 1, 1), "float32"), 4), kind_of(numpy.zeros((4, 3, 3)), 4)
    ('scores', None)
    """
    if not isinstance(answer, np.ndarray) or not answer.size or answer.shape[:1] != (item_count,):
        return None
    widths = [size for size in answer.shape[1:] if size != 1]
    if answer.dtype.kind == "f" and len(widths) < 2:
        return "scores" if widths else "score"
    is_class = answer.dtype.kind in "iub" or _is_text(answer)
    return "labels" if is_class and not widths else None


def checked_labels(labels: Array) -> Array:
    """Return labels of shape (n,) or (n, 1) as (n,): whole numbers (int64), or texts.

    Raises InputProblem where they are neither.
    """
    flat = labels.reshape(-1)
    if flat.dtype.kind == "U":
        return flat.astype(object)
    if flat.dtype.kind == "f":
        wrong = np.flatnonzero(~np.isfinite(flat) | (flat != np.round(flat)))
        if wrong.size:
            raise _bad_labels(
                f"The label of item {wrong[0] + 1:,} is {flat[wrong[0]]}, which is no class. "
                "Labels are whole numbers, or texts."
            )
    if flat.size and (int(flat.max()) >= 2**63 or int(flat.min()) < -(2**63)):
        raise _bad_labels("A label is too large a number to be a class.")
    return flat.astype(np.int64)


class Answers:
    """The answers of one output, batch by batch; of scores only the class is kept."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._parts: list[Array] = []
        self._widths: set[int] = set()

    def add(self, answer: Array) -> None:
        """Take the answer to a batch, of shape (items, ...)."""
        flat = answer.reshape(len(answer), -1)
        self._widths.add(flat.shape[1])
        if self._kind != "scores":
            self._parts.append(flat[:, 0])
            return
        # The first of equally high ones, as is usual.
        chosen = flat.argmax(axis=1)
        chosen[np.isnan(flat).any(axis=1)] = _NO_CLASS
        self._parts.append(chosen)

    def tally(self, labels: Array) -> Tally:
        """Return how many answers are what ``labels``, one per item, say.

        Raises InputProblem for labels that cannot be classes of this model, MeasurementFailed
        where it answers some items with more numbers than others.
        """
        if len(self._widths) > 1:
            raise MeasurementFailed(
                "no_class_output",
                "The model answers some items with more classes than others, so its answers cannot "
                "be compared with labels.",
            )
        answers = np.concatenate(self._parts)
        if self._kind == "labels":
            return _by_label(answers, labels)
        if self._kind == "score":
            return _by_score(answers, labels)
        return _by_class(answers, labels, class_count=self._widths.pop())


def _by_class(chosen: Array, labels: Array, *, class_count: int) -> Tally:
    _check_classes(labels, class_count)
    return Tally(
        correct_count=int((chosen == labels).sum()),
        not_a_number_count=int((chosen == _NO_CLASS).sum()),
        reading="scores",
        class_count=class_count,
    )


def _by_score(scores: Array, labels: Array) -> Tally:
    _check_classes(labels, 2, answer="one number per item, which can only tell two classes")
    is_nan = np.isnan(scores)
    known = scores[~is_nan]
    # One number is a probability, or what a sigmoid would make one of; nothing else tells which.
    is_probability = bool(((known >= 0) & (known <= 1)).all())
    chosen = scores > (HALF if is_probability else 0)
    note = (
        "All answers lie between 0 and 1, so they were taken for probabilities: more than 0.5 is "
        "class 1."
        if is_probability
        else "Answers go below 0 or above 1, so they were taken for scores without a sigmoid: more "
        "than 0 is class 1."
    )
    return Tally(
        correct_count=int(((chosen == (labels == 1)) & ~is_nan).sum()),
        not_a_number_count=int(is_nan.sum()),
        reading="probability" if is_probability else "unbounded",
        class_count=2,
        notes=(note,),
    )


def _by_label(answers: Array, labels: Array) -> Tally:
    gives_texts, has_texts = _is_text(answers), labels.dtype.kind == "O"
    if gives_texts != has_texts:
        words = {True: "texts", False: "numbers"}
        raise _bad_labels(
            f"The model answers with {words[gives_texts]}, and the labels are {words[has_texts]}. "
            "Save the labels as the model writes them."
        )
    is_right = answers == labels
    notes: tuple[str, ...] = ()
    if not is_right.any() and not set(answers.tolist()) & set(labels.tolist()):
        notes = ("No label is ever an answer of the model: are both written in the same way?",)
    return Tally(int(is_right.sum()), 0, "labels", None, notes)


def _check_classes(labels: Array, class_count: int, answer: str = "") -> None:
    answer = answer or f"numbers for {class_count:,} classes"
    span = f"0 to {class_count - 1:,}"
    if labels.dtype.kind == "O":
        raise _bad_labels(
            f"The labels are texts, and the model answers with {answer}. Save the labels as the "
            f"numbers of their classes, {span}."
        )
    wrong = np.flatnonzero((labels < 0) | (labels >= class_count))
    if wrong.size:
        raise _bad_labels(
            f"The label of item {wrong[0] + 1:,} is {labels[wrong[0]]}, and the model answers with "
            f"{answer}: labels go from {span}."
        )


def _is_text(answers: Array) -> bool:
    if answers.dtype.kind == "U":
        return True
    return answers.dtype.kind == "O" and all(isinstance(one, str) for one in answers.flat)


def _bad_labels(message: str) -> InputProblem:
    return InputProblem(LABELS_FIELD, f"{message} (array “{LABELS}”)", code="bad_labels")


def _listed(names: Sequence[str], answers: Sequence[object]) -> str:
    spoken = [
        f"“{name[:MAX_OUTPUT_NAME_LENGTH]}” {_spoken(answer)}"
        for name, answer in zip(names, answers, strict=True)
    ]
    more = f", and {len(spoken) - MAX_LISTED} more" if len(spoken) > MAX_LISTED else ""
    return ", ".join(spoken[:MAX_LISTED]) + more


def _spoken(answer: object) -> str:
    if not isinstance(answer, np.ndarray):
        return "(no tensor)"
    dtype = "string" if answer.dtype.kind in "OU" else str(answer.dtype)
    return f"{dtype} [{', '.join(str(size) for size in answer.shape)}]"
