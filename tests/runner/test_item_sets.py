"""Which arrays of a file hold items, told from headers, and the first of them read alone."""

import subprocess
import sys

import numpy as np
import pytest

from runner.descriptions import InputHint, TensorDescription
from runner.errors import InputProblem
from runner.item_sets import ItemSet, values_to_feed
from runner.job import Job
from runner.real_inputs import describe_values

IMAGE = TensorDescription("image", "float32", ("batch", 2))
FIXED = TensorDescription("image", "float32", (4, 2))
STATE = TensorDescription("state", "float32", (2, "batch", 3))
RATE = TensorDescription("rate", "int64", ())


def saved(folder, **arrays):
    path = folder / "set.npz"
    np.savez(path, **arrays)
    return path


def set_of(descriptions, folder, **arrays):
    return ItemSet.of(descriptions, describe_values(saved(folder, **arrays)))


def problem_with(descriptions, folder, **arrays):
    with pytest.raises(InputProblem) as refused:
        set_of(descriptions, folder, **arrays)
    return refused.value


def images(count):
    return np.arange(count * 2, dtype=np.float32).reshape(count, 2)


def fed(folder, declared, batch_size, **arrays):
    path = saved(folder, **arrays)
    job = Job(
        "measure", "m.onnx", values_path=str(path), values_are_items=True, batch_size=batch_size
    )
    return values_to_feed(job, declared)


def test_items_states_and_lone_numbers_are_told_apart(tmp_path):
    found = set_of(
        [IMAGE, STATE, RATE],
        tmp_path,
        image=images(5),
        state=np.zeros((2, 1, 3), np.float32),
        rate=np.array(16_000),
        labels=np.zeros(5, int),
    )

    assert (found.item_count, found.fixed_batch) == (5, None)
    assert found.by_item == {"image"}
    assert {one.name: one.shape for one in found.batch_of(3)} == {
        "image": (3, 2),
        "state": (2, 1, 3),
        "rate": (),
    }


def test_a_fixed_batch_is_found_and_kept(tmp_path):
    found = set_of([FIXED], tmp_path, image=images(9), labels=np.zeros(9, int))

    assert found.fixed_batch == 4
    assert found.first_batch(1)[0].shape == (4, 2)


def test_inputs_that_are_fixed_at_different_batches_are_refused(tmp_path):
    other = TensorDescription("other", "float32", (3, 2))

    problem = problem_with(
        [FIXED, other], tmp_path, image=images(9), other=images(9), labels=np.zeros(9, int)
    )

    assert "4 of “image” and 3 of “other”" in problem.message


def test_a_signal_whose_first_dimension_is_no_batch_is_fed_whole(tmp_path):
    hint = InputHint(sizes=(16_000,), size_whys=("audio",), kinds=("audio",))
    sound = TensorDescription("sound", "float32", ("samples",), hint)

    problem = problem_with([sound], tmp_path, sound=np.zeros(800, np.float32), labels=[1, 0])

    assert "no array of the file holds as many items" in problem.message


@pytest.mark.parametrize(
    "arrays, field",
    [
        ({"image": images(3)}, "inputs.values.labels"),
        ({"image": images(3), "labels": [0, 1]}, "inputs.values.image"),
        ({"picture": images(2), "labels": [0, 1]}, "inputs.values.picture"),
        ({"labels": [0, 1]}, "inputs.values.image"),
        ({"image": np.zeros((2, 3), np.float32), "labels": [0, 1]}, "inputs.values.image"),
        ({"image": np.zeros((2, 2)), "labels": [0, 1]}, "inputs.values.image"),
        ({"image": images(2), "labels": np.zeros((2, 2, 1))}, "inputs.values.labels"),
    ],
)
def test_what_is_no_evaluation_set_names_the_array(arrays, field, tmp_path):
    assert problem_with([IMAGE], tmp_path, **arrays).field == field


def test_a_size_that_does_not_fit_is_told_as_it_stands_in_the_file(tmp_path):
    wrong = np.zeros((50, 3), np.float32)

    problem = problem_with([IMAGE], tmp_path, image=wrong, labels=np.zeros(50))

    assert "is [50, 3] in the file" in problem.message


def test_a_model_with_an_input_called_labels_has_no_evaluation_sets(tmp_path):
    labels = TensorDescription("labels", "int64", ("batch",))

    problem = problem_with([IMAGE, labels], tmp_path, image=images(2), labels=np.array([0, 1]))

    assert problem.field == "inputs.values.labels"


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f4", ">f4"])
def test_only_the_first_items_are_read_however_they_lie(order, dtype, tmp_path):
    stack = np.asarray(images(7), dtype=dtype, order=order)

    values = fed(tmp_path, [IMAGE], 3, image=stack, labels=np.zeros(7, int))

    assert values["image"].tolist() == images(7)[:3].tolist()
    assert values["image"].dtype == np.dtype("float32")
    assert values["image"].flags.c_contiguous
    assert "labels" not in values


def test_texts_are_items_too(tmp_path):
    texts = TensorDescription("texts", "string", (None, 1))

    values = fed(
        tmp_path, [texts], 2, texts=np.array([["a"], ["bc"], ["d"]]), labels=np.array([0, 1, 0])
    )

    assert values["texts"].tolist() == [["a"], ["bc"]]


def test_too_few_items_for_a_fixed_batch_are_filled_up_with_the_last(tmp_path):
    values = fed(tmp_path, [FIXED], 1, image=images(3), labels=np.zeros(3, int))

    assert values["image"].tolist() == [[0, 1], [2, 3], [4, 5], [4, 5]]


def test_the_web_process_needs_no_numpy_to_check_a_set(tmp_path):
    path = saved(tmp_path, image=images(5), labels=np.zeros(5, int))
    script = (
        "import sys; from pathlib import Path; from runner.item_sets import ItemSet; "
        "from runner.descriptions import TensorDescription as T; "
        "from runner.real_inputs import describe_values; "
        f"arrays = describe_values(Path({str(path)!r})); "
        "found = ItemSet.of([T('image', 'float32', (None, 2))], arrays); "
        "assert found.item_count == 5; assert 'numpy' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", script], check=True)
