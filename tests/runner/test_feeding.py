import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from runner.errors import InputProblem, MeasurementFailed
from runner.feeding import FROM_FILE, feed, inputs_of
from runner.job import InputChoices, Job
from runner.launch import run
from runner.onnx_files import OnnxFiles
from runner.results import MeasurementResult
from runner.session import load
from tests.runner.builders import integers, model, relu, save, value, weight

INT64, STRING = TensorProto.INT64, TensorProto.STRING
ML = "ai.onnx.ml"


def fed(made, folder, real=None, batch_size=1, **choices):
    """What a model is fed, by input."""
    path = save(made, folder)
    job = Job("measure", str(path), batch_size=batch_size, inputs=InputChoices(**choices))
    session = load(OnnxFiles(path), intra_op_threads=1)
    found = feed(session, inputs_of(session, job), job, real)
    return {one.name: one for one in found.planned}


def node(operator, *names, output="y", domain="", **more):
    return helper.make_node(operator, list(names), [output], domain=domain, **more)


def takes_only(count):
    """A model that fails on all but ``count`` samples of sound."""
    nodes = [
        node("Unsqueeze", "sound", "one", output="u"),
        node("Conv", "u", "w", output="c"),
        node("Shape", "c", output="s"),
        node("ReduceProd", "s", output="p", keepdims=0),
        node("Range", "zero", "p", "unit", output="r"),
        # Only the values tell, which no arithmetic of shapes sees.
        node("Reshape", "r", "wanted"),
    ]
    weights = [
        *(integers("one", [1]), weight("w", (1, 1, 1)), integers("wanted", [count])),
        *(numpy_helper.from_array(np.array(number), name) for name, number in (("zero", 0),)),
        numpy_helper.from_array(np.array(1), "unit"),
    ]
    return model(nodes, [value("sound", ["n", "length"])], [value("y", [count], INT64)], weights)


def test_another_usual_size_is_tried_where_the_first_fails(tmp_path):
    sound = fed(takes_only(512), tmp_path)["sound"]

    assert sound.shape == (1, 512)
    assert sound.why[1] == "guessed: audio: 512, found to fit"


def test_what_was_tried_and_which_input_to_set_is_said(tmp_path):
    with pytest.raises(MeasurementFailed) as failed:
        fed(takes_only(7_919), tmp_path)

    assert "Other guesses failed too: sound [1, 8000]; sound [1, 32000]" in failed.value.message
    assert "The first to set is “sound”" in failed.value.message
    assert "Traceback" not in failed.value.message


def test_a_chosen_size_is_never_changed(tmp_path):
    with pytest.raises(MeasurementFailed) as failed:
        fed(takes_only(512), tmp_path, dims={"length": 600})

    assert "sound [1, 600]" in failed.value.message
    assert "Other guesses" not in failed.value.message
    assert fed(takes_only(512), tmp_path, dims={"length": 512})["sound"].why[1] == "chosen"


def switch(*numbers):
    """A model that works only where its mode is the last of ``numbers``."""
    nodes = [
        node("Equal", "mode", f"k{place}", output=f"e{place}") for place in range(len(numbers))
    ]
    nodes += [
        node("Cast", f"e{len(numbers) - 1}", output="is_last", to=INT64),
        node("Reshape", "is_last", "one", output="row"),
        # 4 where it is, which fits, and -4 where it is not.
        node("Mul", "row", "eight", output="scaled"),
        node("Sub", "scaled", "four", output="shape"),
        node("Reshape", "x", "shape"),
    ]
    weights = [
        numpy_helper.from_array(np.array(number), f"k{place}")
        for place, number in enumerate(numbers)
    ]
    weights += [integers("one", [1]), integers("four", [4]), integers("eight", [8])]
    return model(nodes, [value("x", [4]), value("mode", [], INT64)], [value("y", None)], weights)


def test_every_legal_value_of_a_lone_number_is_tried(tmp_path):
    assert fed(switch(3, 5), tmp_path)["mode"].low == 5


def test_a_chosen_range_is_never_changed(tmp_path):
    with pytest.raises(MeasurementFailed):
        fed(switch(3, 5), tmp_path, ranges={"mode": (3, 3)})


def walks_a_table(row_count):
    """A loop that takes one row of a table in each round, and ends where there is none."""
    nodes = [
        node("Identity", "go_in", output="go_out"),
        node("Gather", "table", "round", output="row"),
    ]
    inner = [value("round", [], INT64), value("go_in", [], TensorProto.BOOL)]
    outer = [value("go_out", [], TensorProto.BOOL), value("row", [4])]
    body = helper.make_graph(nodes, "body", inner, outer, [weight("table", (row_count, 4))])
    loop = node("Loop", "round_count", "", output="y", body=body)
    return model([loop], [value("round_count", [], INT64)], [value("y", [None, 4])])


def test_a_loop_that_has_not_enough_for_ten_rounds_is_asked_for_one(tmp_path):
    assert fed(walks_a_table(20), tmp_path)["round_count"].low == 10

    rounds = fed(walks_a_table(5), tmp_path)["round_count"]

    assert (rounds.low, rounds.high) == (1, 1)
    assert rounds.range_why == "a number of rounds: 10; 1 was found to fit"


def test_a_row_of_sizes_gives_way_to_what_other_uses_show(tmp_path):
    # A shape may leave one size free, written -1; a size that is filled may not.
    nodes = [
        node("ConstantOfShape", "sizes", output="zeros"),
        node("Reshape", "zeros", "sizes", output="same"),
        node("Reshape", "same", "eight"),
    ]
    inputs = [value("sizes", [3], INT64)]
    made = model(nodes, inputs, [value("y", [8])], [integers("eight", [8])])

    sizes = fed(made, tmp_path)["sizes"]

    assert (sizes.low, sizes.high, sizes.row) == (2, 2, ())
    assert sizes.range_why.endswith("; 2 was found to fit")


def test_a_picture_and_its_blocks_fit_the_columns(tmp_path):
    inputs = [
        value("columns", [1, 9, 4]),
        value("image_shape", [2], INT64),
        value("block_shape", [2], INT64),
    ]
    operands = [one.name for one in inputs]
    made = model(
        [node("Col2Im", *operands, strides=[2, 2])],
        inputs,
        [value("y", None)],
        opset=18,
    )

    found = fed(made, tmp_path)

    assert (found["image_shape"].row, found["block_shape"].row) == ((5, 5), (3, 3))


def test_what_the_runtime_lacks_is_said_and_no_size_is_asked_for(tmp_path):
    shapes = {"x": ["n", 1, 3, 3], "w": [2, 1, 2, 2], "x_zero": [], "w_zeros": [2]}
    inputs = [value(name, shape, TensorProto.UINT8) for name, shape in shapes.items()]
    made = model([node("ConvInteger", *shapes)], inputs, [value("y", None, TensorProto.INT32)])

    with pytest.raises(MeasurementFailed) as failed:
        fed(made, tmp_path)

    assert failed.value.code == "not_implemented"
    assert "Non per-tensor quantization is not supported" in failed.value.message
    assert "Other sizes or values will hardly help" in failed.value.message
    assert "The first to set" not in failed.value.message


def test_where_all_sizes_are_declared_only_values_are_asked_for(tmp_path):
    # A table of no rows has none that could be picked.
    made = model(
        [node("Gather", "table", "place")],
        [value("place", [1], INT64)],
        [value("y", None)],
        [weight("table", (0, 4))],
    )

    with pytest.raises(MeasurementFailed) as failed:
        fed(made, tmp_path)

    assert failed.value.code == "model_failed"
    assert "The model itself sets the size of every input" in failed.value.message
    assert "The first to set is “place”: give it values" in failed.value.message


def test_sequences_optionals_and_maps_are_fed(tmp_path):
    tensor = helper.make_tensor_type_proto(TensorProto.FLOAT, ["n", 3])
    sequence = helper.make_value_info("x", helper.make_sequence_type_proto(tensor))
    optional = helper.make_value_info("x", helper.make_optional_type_proto(tensor))
    number = helper.make_tensor_type_proto(TensorProto.FLOAT, [])
    by_text = helper.make_value_info("x", helper.make_map_type_proto(STRING, number))
    by_place = helper.make_value_info("x", helper.make_map_type_proto(INT64, number))
    words = {"domain": ML, "string_vocabulary": ["a", "b"]}
    spread = {"domain": ML, "cast_to": "TO_FLOAT", "map_form": "DENSE"}
    cases = [
        (node("ConcatFromSequence", "x", axis=0), sequence),
        (node("OptionalGetElement", "x"), optional),
        (node("DictVectorizer", "x", **words), by_text),
        (node("CastMap", "x", **spread), by_place),
    ]

    for operator, declared in cases:
        made = model([operator], [declared], [value("y", None)], opset=18)
        assert fed(made, tmp_path)["x"].low == 0, operator.op_type


def test_real_values_are_fed_and_said_to_be(tmp_path):
    real = {"x": np.array([[1, -2, 3, 7]], np.float32)}

    x = fed(relu(), tmp_path, real)["x"]

    assert (x.shape, x.why, x.low, x.high) == ((1, 4), (FROM_FILE, FROM_FILE), -2, 7)
    assert x.range_why == FROM_FILE


def test_what_the_file_leaves_out_is_made_up_to_fit(tmp_path):
    made = model(
        [node("Add", "a", "b")],
        [value("a", ["n", "sequence"]), value("b", ["n", "sequence"])],
        [value("y", None)],
    )

    found = fed(made, tmp_path, {"a": np.zeros((1, 5), np.float32)})

    assert (found["a"].why[1], found["b"].why[1]) == (FROM_FILE, "chosen")
    assert found["b"].shape == (1, 5)


def test_a_model_that_declares_everything_needs_no_second_look(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "runner.onnx_file.hinted_inputs", lambda path: pytest.fail("the file was read again")
    )

    assert fed(relu((1, 4)), tmp_path)["x"].shape == (1, 4)


def measured(path, work_dir, **more):
    found = run(Job("measure", str(path), measuring_s=0.05, **more), work_dir)
    assert isinstance(found, MeasurementResult), found
    return {one.name: one for one in found.inputs}


@pytest.fixture
def work_dir(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def test_a_run_tells_what_it_guessed_and_why(tmp_path, work_dir):
    path = save(takes_only(16_000), tmp_path)

    assert measured(path, work_dir)["sound"].why[1].startswith("guessed: audio samples: 16,000")


def test_a_run_is_fed_from_the_users_file(tmp_path, work_dir):
    np.savez(tmp_path / "real.npz", x=np.full((2, 4), 0.5, np.float32))

    x = measured(
        save(relu(), tmp_path), work_dir, batch_size=2, values_path=str(tmp_path / "real.npz")
    )["x"]

    assert (x.shape, x.low, x.high, x.why[0]) == ((2, 4), 0.5, 0.5, FROM_FILE)


def test_a_run_refuses_a_file_that_does_not_fit(tmp_path, work_dir):
    np.savez(tmp_path / "real.npz", z=np.zeros(3))

    failure = run(
        Job("measure", str(save(relu(), tmp_path)), values_path=str(tmp_path / "real.npz")),
        work_dir,
    )

    assert failure.code == "bad_input"
    assert "“z”" in failure.message


def test_choices_that_do_not_fit_are_refused_at_once(tmp_path):
    with pytest.raises(InputProblem):
        fed(relu(), tmp_path, dims={"depth": 3})


def test_the_same_job_is_fed_the_same_anywhere(tmp_path):
    assert fed(takes_only(512), tmp_path) == fed(takes_only(512), tmp_path)
