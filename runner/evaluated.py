"""What a pass through an evaluation set says, and how little of it is believed."""

from dataclasses import dataclass
from typing import Literal

from runner.errors import Nonsense

MAX_OUTPUT_NAME_LENGTH = 200

# How the answer was read: the highest of the numbers per class, the class itself, one number
# that is a probability (more than 0.5 is class 1) or not bounded (more than 0 is).
Reading = Literal["scores", "labels", "probability", "unbounded"]


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """How many items of a set the model answers as their labels say.

    ``not_a_number_count`` items had an answer that was none; they count as wrong.
    ``class_count`` is None where the model answers with the class itself. Items went in
    ``batch_size`` at a time; ``padded_count`` were fed once more to fill the last batch, and
    left out. ``notes`` are sentences.
    """

    item_count: int
    correct_count: int
    not_a_number_count: int
    output: str
    reading: Reading
    class_count: int | None
    batch_size: int
    padded_count: int
    evaluating_wall_s: float
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        counts = (self.correct_count, self.not_a_number_count, self.padded_count)
        if min(counts) < 0 or self.item_count < 1 or self.batch_size < 1:
            raise Nonsense("item_count", "must not be negative")
        if self.correct_count + self.not_a_number_count > self.item_count:
            raise Nonsense("correct_count", "is more than there are")
        if self.padded_count >= self.batch_size or (self.class_count or 1) < 1:
            raise Nonsense("padded_count", "does not hold together")
        if len(self.output) > MAX_OUTPUT_NAME_LENGTH or self.evaluating_wall_s < 0:
            raise Nonsense("output", "does not hold together")
