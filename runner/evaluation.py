"""Top-1 accuracy: a whole evaluation set run through a model, and its answers held to labels.

A pass of its own after a measurement, so that nothing of it can touch the latency.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from runner import cores
from runner.answers import AnswerOutput, Answers, answer_output, checked_labels
from runner.errors import InputProblem, MeasurementFailed, RunnerError
from runner.evaluated import MAX_OUTPUT_NAME_LENGTH, EvaluationResult
from runner.feeding import inputs_of
from runner.item_sets import ItemSet, filled_up
from runner.job import Job
from runner.npz_archive import FIELD
from runner.real_inputs import LABELS, describe_values, read_values
from runner.rehearsal import rehearse
from runner.reporting import Reporter
from runner.session import call_or_fail, load
from runner.shapes import PlannedInput

# Where the model leaves the batch free: enough that calls cost little, and small enough that
# what lies between its layers fits beside the model.
USUAL_BATCH_SIZE = 32
MAX_BATCH_BYTES = 16 * 2**20

_ADVICE = "Check that the arrays are what the model is used with."
_ON_CPU = "The accuracy was measured on the processor; the time is the GPU's."


@dataclass(frozen=True, slots=True)
class _Set:
    """A set whose arrays are read, and the session that is run over it."""

    session: onnxruntime.InferenceSession
    items: ItemSet
    arrays: dict[str, NDArray[Any]]

    def answers(self, start: int, size: int, outputs: list[str]) -> list[object]:
        """Return what ``outputs`` say to ``size`` items from ``start`` on, the last one repeated.

        Raises MeasurementFailed when the model fails, MemoryError when it does not fit.
        """
        fed = {
            name: filled_up(array[start : start + size], size)
            if name in self.items.by_item
            else array
            for name, array in self.arrays.items()
        }
        found = call_or_fail(
            lambda: self.session.run(outputs, fed),
            [
                PlannedInput(name, str(one.dtype), one.shape, (), None, None)
                for name, one in fed.items()
            ],
            advice=_ADVICE,
        )
        return list(found)


def evaluate(job: Job, reporter: Reporter, *, close_cage: Callable[[], object]) -> EvaluationResult:
    """Run the evaluation set of ``job`` through its model.

    ``close_cage`` is called before anything of the model is read. Raises InputProblem where the
    set or its labels do not fit the model, MeasurementFailed when the model fails or has no
    output that is a class, MemoryError when it does not fit.
    """
    reporter.enter("evaluating")
    rehearse()
    cores.pin(job.intra_op_threads)
    close_cage()
    started_s = time.monotonic()
    read, labels = _read(job)
    size, output, first = _begin(read, job)
    answers = Answers(output.kind)
    for answer in _answers(read, output, size, first):
        answers.add(answer)
    found = answers.tally(labels)
    return EvaluationResult(
        item_count=len(labels),
        correct_count=found.correct_count,
        not_a_number_count=found.not_a_number_count,
        output=_readable(output.name),
        reading=found.reading,
        class_count=found.class_count,
        batch_size=size,
        padded_count=-len(labels) % size if read.items.fixed_batch else 0,
        evaluating_wall_s=time.monotonic() - started_s,
        notes=(*found.notes, *((_ON_CPU,) if job.wants_gpu else ())),
    )


def _read(job: Job) -> tuple[_Set, NDArray[Any]]:
    if job.values_path is None:
        raise InputProblem(FIELD, "There is no evaluation set. Name an .npz with labels.")
    session = load(job.onnx_files, intra_op_threads=job.intra_op_threads)
    declared = inputs_of(session, job)
    path = Path(job.values_path)
    described = describe_values(path)
    items = ItemSet.of(declared, described)
    arrays = read_values(path, described, declared)
    labels = checked_labels(arrays.pop(LABELS))
    return _Set(session, items, arrays), labels


def _begin(read: _Set, job: Job) -> tuple[int, AnswerOutput, NDArray[Any]]:
    """Return the batch size that the model takes, its answering output, and its first answers.

    A model may declare its batch free and take one item at a time all the same.
    """
    names = [one.name for one in read.session.get_outputs()]
    first: RunnerError | MemoryError | None = None
    for size in _sizes(read, job):
        try:
            answers = read.answers(0, size, names)
            output = answer_output(names, answers, item_count=size, wanted=job.answer_output)
        except (MeasurementFailed, MemoryError) as error:
            first = first or error
            continue
        answer = answers[names.index(output.name)]
        return size, output, np.asarray(answer)
    assert first is not None  # noqa: S101  there is at least one size
    raise first


def _sizes(read: _Set, job: Job) -> list[int]:
    """The batch sizes to try, the best first."""
    if read.items.fixed_batch is not None:
        return [read.items.fixed_batch]
    count = read.items.item_count
    item_bytes = sum(read.arrays[name].nbytes for name in read.items.by_item) / count
    roomy = int(MAX_BATCH_BYTES // max(item_bytes, 1))
    wanted = max(job.batch_size, min(USUAL_BATCH_SIZE, roomy), 1)
    return list(dict.fromkeys(min(size, count) for size in (wanted, job.batch_size, 1)))


def _answers(
    read: _Set, output: AnswerOutput, size: int, first: NDArray[Any]
) -> Iterator[NDArray[Any]]:
    """Yield the answers batch by batch; the first is known already."""
    count = read.items.item_count
    for start in range(0, count, size):
        real = min(size, count - start)
        # A batch that is fixed is filled up; one that is free may be smaller at the end.
        asked = size if read.items.fixed_batch is not None else real
        found = first if start == 0 else np.asarray(read.answers(start, asked, [output.name])[0])
        if len(found) != asked or not found.size:
            raise MeasurementFailed(
                "no_class_output",
                f"The output “{output.name}” answers {asked:,} items with {len(found):,}. Accuracy "
                "needs one answer per item.",
            )
        yield found[:real]


def _readable(name: str) -> str:
    """A stranger's name for an output as one that the site accepts."""
    clean = "".join(one if one.isprintable() else " " for one in name)
    return clean[:MAX_OUTPUT_NAME_LENGTH]
