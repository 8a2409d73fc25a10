"""Accuracy by real models in the caged child: exact where the answers are known beforehand."""

import numpy as np
import onnxruntime
import pytest
from onnx import helper

from runner import job as jobs
from runner.evaluated import EvaluationResult
from runner.job import Job, Limits
from runner.launch import run
from runner.results import Failure, MeasurementResult
from runner.sample_models import lenet5
from tests.external import data_paths, laid_out, saved_apart
from tests.runner.builders import (
    endless_loop,
    integers,
    light_model,
    model,
    save,
    value,
    weight,
)
from tests.runner.classifiers import INT64, echo, one_hot, one_number, shifting, stump

CLASSES = np.arange(100) % 3


@pytest.fixture
def evaluated(tmp_path):
    def evaluate(made, labels, *, kind="evaluate", suffix="", **settings):
        path = made if hasattr(made, "exists") else save(made, tmp_path)
        names = [name for name in settings if isinstance(settings[name], np.ndarray)]
        arrays = {name: settings.pop(name) for name in names}
        np.savez(tmp_path / "values.npz", labels=labels, **arrays)
        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        values = {"values_path": str(tmp_path / "values.npz"), "values_are_items": True}
        return run(Job(kind, str(path), **values, **settings), folder)

    return evaluate


def assert_right(seen, correct, items):
    assert isinstance(seen, EvaluationResult), seen
    assert (seen.correct_count, seen.item_count) == (correct, items)


def refusal(seen, code):
    assert isinstance(seen, Failure), seen
    assert seen.code == code
    return seen.message


def test_every_item_is_counted_once_with_a_smaller_last_batch(evaluated):
    labels = CLASSES.copy()
    labels[[0, 31, 32, 99]] = (labels[[0, 31, 32, 99]] + 1) % 3

    seen = evaluated(echo(), labels, x=one_hot(CLASSES))

    assert_right(seen, 96, 100)
    assert (seen.batch_size, seen.padded_count, seen.class_count) == (32, 0, 3)
    assert (seen.output, seen.reading) == ("scores", "scores")


# 16 kB of weights are handed over as they lie, 36 bytes are put into the model's own.
@pytest.mark.parametrize("classes", [3, 64])
def test_weights_in_a_second_file_decide_the_answers(classes, evaluated, tmp_path):
    items = np.arange(100) % classes
    seen = {}
    for by in (1, 2):
        contents = saved_apart(shifting(classes, by=by))
        files = laid_out(contents, tmp_path / f"by {by}")
        assert len(contents) == 2
        seen[by] = evaluated(
            files.onnx,
            (items + 1) % classes,
            data_paths=data_paths(files),
            x=one_hot(items, count=classes),
        )

    assert_right(seen[1], 100, 100)
    assert_right(seen[2], 0, 100)


@pytest.mark.parametrize("batch, padded", [(1, 0), (4, 0), (7, 5), (64, 28), (128, 28)])
def test_a_fixed_batch_is_kept_and_copies_that_fill_it_do_not_count(batch, padded, evaluated):
    labels = np.where(np.arange(100) == 99, (CLASSES + 1) % 3, CLASSES)

    seen = evaluated(echo(batch), labels, x=one_hot(CLASSES))

    assert_right(seen, 99, 100)
    assert (seen.batch_size, seen.padded_count) == (batch, padded)


def test_a_model_that_only_says_that_its_batch_is_free_gets_one_item_at_a_time(evaluated):
    nodes = [
        helper.make_node("Reshape", ["x", "one"], ["y"]),
        helper.make_node("Identity", ["y"], ["scores"]),
    ]
    made = model(
        nodes, [value("x", ["n", 3])], [value("scores", ["n", 3])], [integers("one", [1, 3])]
    )

    seen = evaluated(made, CLASSES, x=one_hot(CLASSES))

    assert_right(seen, 100, 100)
    assert seen.batch_size == 1


def test_sizes_of_one_behind_the_classes_do_not_matter(evaluated):
    seen = evaluated(echo(tail=(1, 1)), CLASSES[:, None], x=one_hot(CLASSES, tail=(1, 1)))

    assert_right(seen, 100, 100)


def test_labels_may_be_whole_floats_and_of_any_width(evaluated):
    for dtype in (np.float32, np.uint8, np.int16, np.uint64):
        assert_right(evaluated(echo(), CLASSES.astype(dtype), x=one_hot(CLASSES)), 100, 100)


def test_of_equal_scores_the_first_class_counts(evaluated):
    seen = evaluated(echo(), np.array([0, 1]), x=np.zeros((2, 3), np.float32))

    assert_right(seen, 1, 2)


def test_an_answer_that_is_no_number_is_wrong_and_is_counted(evaluated):
    items = one_hot(CLASSES)
    items[5, 0] = np.nan
    items[6] = np.nan
    items[7] = [np.inf, 0, -np.inf]

    seen = evaluated(echo(), CLASSES, x=items)

    # Item 7 is of class 1, and answered with 0.
    assert_right(seen, 97, 100)
    assert seen.not_a_number_count == 2


@pytest.mark.parametrize("with_maps", [True, False])
def test_a_tree_that_answers_with_a_text_is_held_to_texts(with_maps, evaluated):
    items = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)

    seen = evaluated(stump(with_maps=with_maps), np.array(["cat", "dog", "cat", "cat"]), x=items)

    assert_right(seen, 3, 4)
    assert (seen.output, seen.reading, seen.class_count) == ("label", "labels", None)


def test_a_tree_that_answers_with_a_number_is_held_to_numbers(evaluated):
    items = np.array([[0, 0], [1, 0]], np.float32)

    assert_right(evaluated(stump(texts=None), np.array([[0], [0]]), x=items), 1, 2)


def test_another_output_can_be_asked_for(evaluated):
    items = np.array([[0, 0], [1, 0]], np.float32)

    seen = evaluated(stump(with_maps=False), np.array([0, 1]), x=items, answer_output="raw")

    assert_right(seen, 2, 2)
    assert seen.output == "raw"


def test_one_number_is_a_probability_where_all_lie_between_0_and_1(evaluated):
    items = np.array([[0.4], [0.5], [0.6], [1.0]], np.float32)

    seen = evaluated(one_number(), np.array([0, 0, 1, 0]), x=items)

    assert_right(seen, 3, 4)
    assert seen.reading == "probability"
    assert "more than 0.5 is class 1" in seen.notes[0]


def test_one_number_without_a_sigmoid_is_split_at_0(evaluated):
    items = np.array([[-3.0], [0.1], [7.0], [np.nan]], np.float32)

    seen = evaluated(one_number(), np.array([0, 1, 1, 1]), x=items)

    assert_right(seen, 3, 4)
    assert (seen.reading, seen.not_a_number_count) == ("unbounded", 1)
    assert "more than 0 is class 1" in seen.notes[0]


def test_squeezenet_takes_one_picture_at_a_time(evaluated):
    path = light_model("squeezenet")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (taken,) = session.get_inputs()
    pictures = np.random.default_rng(1).random((5, 3, 224, 224), dtype=np.float32)
    answers = [session.run(None, {taken.name: one[None]})[0].ravel() for one in pictures]
    labels = np.array([one.argmax() for one in answers])
    labels[3] = (labels[3] + 1) % 1000

    seen = evaluated(path, labels, **{taken.name: pictures})

    assert_right(seen, 4, 5)
    assert (seen.batch_size, seen.class_count) == (1, 1000)


def test_an_input_that_is_no_item_is_fed_whole_with_each_batch(evaluated):
    node = helper.make_node("Mul", ["x", "factor"], ["scores"])
    made = model([node], [value("x", ["n", 3]), value("factor", [])], [value("scores", ["n", 3])])

    seen = evaluated(made, CLASSES, x=-one_hot(CLASSES), factor=np.array(-1, np.float32))

    assert_right(seen, 100, 100)


@pytest.mark.parametrize(
    "labels, words",
    [
        (np.array([0, 3]), "The label of item 2 is 3"),
        (np.array([-1, 0]), "The label of item 1 is -1"),
        (np.array([0, np.nan]), "The label of item 2 is nan"),
        (np.array([0, 0.5]), "The label of item 2 is 0.5"),
        (np.array([np.inf, 0]), "The label of item 1 is inf"),
        (np.array([2**64 - 1, 0], np.uint64), "too large a number"),
        (np.array(["cat", "dog"]), "The labels are texts"),
    ],
)
def test_labels_that_are_no_classes_end_in_a_sentence(labels, words, evaluated):
    seen = evaluated(echo(), labels, x=one_hot([0, 1]))

    assert words in refusal(seen, "bad_labels")


def test_texts_are_asked_for_where_the_model_answers_with_texts(evaluated):
    seen = evaluated(stump(), np.array([0, 1]), x=np.zeros((2, 2), np.float32))

    assert "answers with texts, and the labels are numbers" in refusal(seen, "bad_labels")


def test_labels_that_are_never_an_answer_are_pointed_out(evaluated):
    seen = evaluated(stump(), np.array(["Cat", "Dog"]), x=np.zeros((2, 2), np.float32))

    assert_right(seen, 0, 2)
    assert "written in the same way" in seen.notes[0]


@pytest.mark.parametrize(
    "labels, words",
    [
        (np.array([0, 1, 2]), "holds 2 items, and “labels” 3"),
        (np.eye(3)[[0, 1]], "labels.argmax(axis=1)"),
        (np.array(1), "a list with one class per item"),
        (np.zeros(0, np.int64), "is empty"),
    ],
)
def test_a_set_whose_labels_do_not_match_is_refused(labels, words, evaluated):
    assert words in refusal(evaluated(echo(), labels, x=one_hot([0, 1])), "bad_input")


def test_a_set_that_leaves_an_input_out_is_refused(evaluated):
    node = helper.make_node("Add", ["x", "mask"], ["scores"])
    made = model(
        [node], [value("x", ["n", 3]), value("mask", ["n", 3])], [value("scores", ["n", 3])]
    )

    assert "leaves out the input “mask”" in refusal(
        evaluated(made, CLASSES, x=one_hot(CLASSES)), "bad_input"
    )


def test_what_is_no_classifier_says_so(evaluated):
    node = helper.make_node("Identity", ["x"], ["picture"])
    made = model([node], [value("x", ["n", 3, 4, 4])], [value("picture", ["n", 3, 4, 4])])

    seen = evaluated(made, np.array([0, 1]), x=np.zeros((2, 3, 4, 4), np.float32))

    assert "“picture” float32" in refusal(seen, "no_class_output")


def test_two_outputs_that_could_be_the_answer_have_to_be_told_apart(evaluated):
    nodes = [
        helper.make_node("Identity", ["x"], ["first"]),
        helper.make_node("Neg", ["x"], ["second"]),
    ]
    made = model(
        nodes, [value("x", ["n", 3])], [value("first", ["n", 3]), value("second", ["n", 3])]
    )
    items = one_hot(CLASSES)

    asked = refusal(evaluated(made, CLASSES, x=items), "ambiguous_output")
    told = evaluated(made, CLASSES, x=items, answer_output="first")
    wrong = evaluated(made, CLASSES, x=items, answer_output="third")

    assert "“first” float32 [32, 3]" in asked
    assert_right(told, 100, 100)
    assert "no output called “third”" in refusal(wrong, "bad_input")


def test_an_endless_model_is_stopped_in_time(evaluated):
    made = endless_loop()
    limits = Limits(wall_s=2.0, cpu_s=30.0)

    seen = evaluated(made, np.array([0]), x=np.zeros(1, np.float32), limits=limits)

    assert seen.code in ("out_of_time", "out_of_memory")


def test_a_pass_that_takes_too_long_says_what_to_do(evaluated, monkeypatch):
    monkeypatch.setattr(jobs, "EVALUATING_WALL_S", 0.01)

    seen = evaluated(echo(), CLASSES, x=one_hot(CLASSES))

    assert "Use fewer items" in refusal(seen, "out_of_time")


def test_a_batch_too_large_for_the_memory_is_tried_in_smaller_ones(evaluated):
    """Each item grows to 80 MB on its way: 32 at once do not fit, one does."""
    nodes = [
        helper.make_node("MatMul", ["x", "wide"], ["grown"]),
        helper.make_node("MatMul", ["grown", "narrow"], ["scores"]),
    ]
    made = model(
        nodes,
        [value("x", ["n", 3, 1])],
        [value("scores", ["n", 3, 1])],
        [weight("wide", [1, 6_000_000]), weight("narrow", [6_000_000, 1])],
    )

    seen = evaluated(made, np.zeros(40, np.int64), x=one_hot(np.zeros(40, int), tail=(1,)))

    assert_right(seen, 40, 40)
    assert seen.batch_size == 1


def test_nothing_is_left_behind(evaluated, tmp_path):
    evaluated(echo(), CLASSES, x=one_hot(CLASSES))

    assert {path.name for path in (tmp_path / "work").rglob("*") if path.is_file()} == {"job.json"}


def test_the_time_is_taken_on_the_first_items_of_the_set(evaluated):
    pictures = np.random.default_rng(2).random((9, 1, 28, 28), dtype=np.float32)

    seen = evaluated(
        lenet5(), np.zeros(9, int), kind="measure", image=pictures, batch_size=4, measuring_s=0.2
    )

    assert isinstance(seen, MeasurementResult), seen
    (fed,) = seen.inputs
    assert fed.shape == (4, 1, 28, 28)
    assert (fed.low, fed.high) == (pictures[:4].min(), pictures[:4].max())


def test_the_time_of_a_fixed_batch_is_taken_on_whole_batches(evaluated):
    seen = evaluated(
        echo(8), np.array([0, 1, 2]), kind="measure", x=one_hot([0, 1, 2]), measuring_s=0.2
    )

    assert isinstance(seen, MeasurementResult), seen
    assert seen.inputs[0].shape == (8, 3)


def test_a_batch_larger_than_the_set_is_refused(evaluated):
    seen = evaluated(
        echo(), np.array([0, 1]), kind="measure", x=one_hot([0, 1]), batch_size=3, measuring_s=0.2
    )

    assert "at most 2" in refusal(seen, "bad_input")


def test_a_label_output_of_whole_numbers_beside_scores_goes_first(evaluated):
    nodes = [
        helper.make_node("Identity", ["x"], ["scores"]),
        helper.make_node("ArgMax", ["x"], ["chosen"], axis=1, keepdims=0),
    ]
    made = model(
        nodes, [value("x", ["n", 3])], [value("scores", ["n", 3]), value("chosen", ["n"], INT64)]
    )

    assert evaluated(made, CLASSES, x=one_hot(CLASSES)).output == "chosen"
