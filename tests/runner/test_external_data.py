"""Weights in files beside the model: read, checked and measured as if they were in its own."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from runner.composition import Composition
from runner.errors import Nonsense, Rejected
from runner.job import Job
from runner.launch import run
from runner.onnx_file import hinted_inputs, inspect_bytes, inspect_file
from runner.onnx_files import OnnxFiles
from runner.results import Failure, InspectionResult, MeasurementResult
from runner.sample_models import lenet5, mlp
from runner.session import load
from tests.external import (
    MODEL,
    WAYS,
    adding,
    apart,
    data_paths,
    laid_out,
    parsed,
    saved_apart,
    with_numbers,
)
from tests.runner.builders import integers, model, save, value

FOUR = np.arange(4, dtype=np.float32)


@pytest.fixture(scope="module")
def squeezenet():
    return with_numbers("squeezenet")


def refusal(made, **data):
    with pytest.raises(Rejected) as refused:
        inspect_bytes(made.SerializeToString(), data)
    assert refused.value.message.endswith(".")
    return refused.value


def outputs_of(session, feeds):
    return session.run(None, feeds)


def an_image(shape):
    return np.random.default_rng(1).random(shape, dtype=np.float32)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("build", [lenet5, mlp, lambda: with_numbers("squeezenet")])
def test_the_same_is_read_of_a_model_wherever_its_weights_lie(build, way, tmp_path):
    made = parsed(build())

    files = laid_out(saved_apart(made, **WAYS[way]), tmp_path)

    assert files.data
    assert inspect_file(files) == inspect_bytes(made.SerializeToString())


@pytest.mark.parametrize("way", WAYS)
def test_a_real_network_gives_the_same_numbers_wherever_its_weights_lie(way, squeezenet, tmp_path):
    files = laid_out(saved_apart(squeezenet, **WAYS[way]), tmp_path)
    inline = OnnxFiles(save(squeezenet, tmp_path, "inline.onnx"))
    feeds = {load(inline, intra_op_threads=1).get_inputs()[0].name: an_image((1, 3, 224, 224))}

    (apart_scores,) = outputs_of(load(files, intra_op_threads=1), feeds)
    (inline_scores,) = outputs_of(load(inline, intra_op_threads=1), feeds)

    assert np.array_equal(apart_scores, inline_scores)
    assert np.ptp(inline_scores) > 0


def test_onnxruntimes_own_reading_of_the_files_gives_the_same_numbers(squeezenet, tmp_path):
    contents = saved_apart(squeezenet, location="weights.bin")
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    opened = onnxruntime.InferenceSession(tmp_path / MODEL, providers=["CPUExecutionProvider"])
    feeds = {opened.get_inputs()[0].name: an_image((1, 3, 224, 224))}

    (from_files,) = outputs_of(opened, feeds)
    handed_over = load(laid_out(contents, tmp_path / "ours"), intra_op_threads=1)

    assert np.allclose(from_files, outputs_of(handed_over, feeds)[0], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("way", WAYS)
def test_it_is_measured_in_the_whole_cage(way, tmp_path):
    files = laid_out(saved_apart(lenet5(), **WAYS[way]), tmp_path)
    (tmp_path / "work").mkdir()
    job = Job("measure", str(files.onnx), data_paths=data_paths(files), measuring_s=0.2)

    result = run(replace(job, requires_sandbox=True), tmp_path / "work")

    assert isinstance(result, MeasurementResult), result
    assert result.sandbox.is_enough


def test_its_second_pass_finds_what_it_is_made_of(tmp_path):
    files = laid_out(saved_apart(lenet5()), tmp_path)
    (tmp_path / "work").mkdir()

    seen = run(Job("profile", str(files.onnx), data_paths=data_paths(files)), tmp_path / "work")

    assert isinstance(seen, Composition), seen
    assert (seen.parameter_count, seen.weight_bytes) == (44_426, 4 * 44_426)
    assert seen.mac_count == 281_640


def test_it_is_inspected_in_a_child(tmp_path):
    files = laid_out(saved_apart(lenet5()), tmp_path)
    (tmp_path / "work").mkdir()

    seen = run(Job("inspect", str(files.onnx), data_paths=data_paths(files)), tmp_path / "work")

    assert isinstance(seen, InspectionResult), seen
    assert (seen.parameter_count, seen.mac_count) == (44_426, 281_640)


def test_more_files_than_a_child_may_open_are_read(tmp_path):
    names = [f"w{number}" for number in range(150)]
    numbers = np.ones(2000, np.float32)
    weights = [apart(name, [2000], location=name, length=8000) for name in names]
    nodes = [helper.make_node("Sum", ["x", *names], ["y"])]
    made = model(nodes, [value("x", [2000])], [value("y", [2000])], weights)
    contents = {MODEL: made.SerializeToString(), **dict.fromkeys(names, numbers.tobytes())}
    files = laid_out(contents, tmp_path)
    (tmp_path / "work").mkdir()

    job = Job("measure", str(files.onnx), data_paths=data_paths(files), measuring_s=0.2)

    assert isinstance(run(job, tmp_path / "work"), MeasurementResult)


def test_hints_are_read_beside_a_session_on_so_many_files(tmp_path):
    others = [f"w{number}" for number in range(150)]
    weights = [apart(name, [2000], location=name, length=8000) for name in others]
    weights.append(apart("w", [2000, 1], location="w", length=8000))
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("Sum", ["m", *others], ["y"]),
    ]
    made = model(nodes, [value("x", ["n", "k"])], [value("y", None)], weights)
    numbers = np.ones(2000, np.float32).tobytes()
    contents = {MODEL: made.SerializeToString(), **dict.fromkeys(["w", *others], numbers)}
    files = laid_out(contents, tmp_path)
    (tmp_path / "work").mkdir()
    job = Job("measure", str(files.onnx), data_paths=data_paths(files), measuring_s=0.2)

    result = run(job, tmp_path / "work")

    assert isinstance(result, MeasurementResult), result
    assert result.inputs[0].shape == (1, 2000)


def test_a_file_that_is_gone_ends_the_measurement_in_words(tmp_path):
    files = laid_out(saved_apart(lenet5()), tmp_path)
    files.data["weights.bin"].unlink()
    (tmp_path / "work").mkdir()

    ended = run(Job("measure", str(files.onnx), data_paths=data_paths(files)), tmp_path / "work")

    assert isinstance(ended, Failure)
    assert ended.code == "missing_file"


def test_memory_is_allowed_for_the_data_as_for_the_model():
    job = Job("measure", "model.onnx", values_path="v.npz", data_paths={"w": "data-1.bin"})

    assert job.files == ("model.onnx", "v.npz", "data-1.bin")


def test_a_job_finds_its_data_files_beside_itself():
    job = Job("measure", MODEL, data_paths={"sub/w.bin": "data-1.bin"})

    assert job.beside(Path("/bundle")).data_paths == {"sub/w.bin": "/bundle/data-1.bin"}
    assert Job.from_json(job.to_json()) == job


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../w", "a/../b", "*/_ORT_MEM_ADDR_/*", "a\nb"]
)
def test_a_job_with_a_data_file_elsewhere_is_refused(name):
    with pytest.raises(Nonsense) as refused:
        Job("measure", MODEL, data_paths={name: "data-1.bin"})

    assert refused.value.field == "data_paths"


DTYPES = {
    TensorProto.FLOAT: np.float32,
    TensorProto.DOUBLE: np.float64,
    TensorProto.FLOAT16: np.float16,
    TensorProto.INT8: np.int8,
    TensorProto.INT16: np.int16,
    TensorProto.INT32: np.int32,
    TensorProto.INT64: np.int64,
    TensorProto.UINT8: np.uint8,
    TensorProto.UINT16: np.uint16,
    TensorProto.UINT32: np.uint32,
    TensorProto.UINT64: np.uint64,
    TensorProto.BOOL: np.bool_,
}


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda one: TensorProto.DataType.Name(one))
@pytest.mark.parametrize("offset", [0, 3])
def test_numbers_of_every_type_arrive_whole(dtype, offset, tmp_path):
    numbers = (np.arange(3000) % 100).astype(DTYPES[dtype])
    weight = apart("w", [3000], dtype, location="w", offset=offset, length=numbers.nbytes)
    nodes = [helper.make_node("Identity", ["w"], ["y"])]
    made = model(nodes, [], [value("y", [3000], dtype)], [weight])
    contents = {MODEL: made.SerializeToString(), "w": b"\xff" * offset + numbers.tobytes()}

    session = load(laid_out(contents, tmp_path), intra_op_threads=1)

    assert np.array_equal(outputs_of(session, {})[0], numbers)


def bits_of(array, dtype):
    """Numbers, rounded to a type that numpy lacks, as the bytes of a file."""
    return numpy_helper.from_array(array.astype(helper.tensor_dtype_to_np_dtype(dtype))).raw_data


@pytest.mark.parametrize(
    "dtype",
    [
        *(TensorProto.BFLOAT16, TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT8E5M2),
        *(TensorProto.INT4, TensorProto.UINT4),
    ],
    ids=lambda one: TensorProto.DataType.Name(one),
)
def test_numbers_of_types_that_numpy_lacks_arrive_whole(dtype, tmp_path):
    numbers = np.tile(np.array([0, 1, 2, 4], np.float32), 3000)
    content = bits_of(numbers, dtype)
    weight = apart("w", [12_000], dtype, location="w", length=len(content))
    if dtype in (TensorProto.INT4, TensorProto.UINT4):
        scale = numpy_helper.from_array(np.array(1, np.float32), "s")
        nodes, weights = [helper.make_node("DequantizeLinear", ["w", "s"], ["y"])], [weight, scale]
    else:
        nodes = [helper.make_node("Cast", ["w"], ["y"], to=TensorProto.FLOAT)]
        weights = [weight]
    made = model(nodes, [], [value("y", [12_000])], weights, opset=21, ir_version=10)
    contents = {MODEL: made.SerializeToString(), "w": content}

    session = load(laid_out(contents, tmp_path), intra_op_threads=1)

    assert np.array_equal(outputs_of(session, {})[0], numbers)


def test_shapes_that_lie_elsewhere_are_known_when_the_model_is_read(tmp_path):
    stored = integers("shape", [2, 2])
    wanted = apart("shape", [2], TensorProto.INT64, location="w", length=16)
    node = helper.make_node("Reshape", ["x", "shape"], ["y"])
    made = model([node], [value("x", [4])], [value("y", None)], [wanted])
    files = laid_out({MODEL: made.SerializeToString(), "w": stored.raw_data}, tmp_path)

    session = load(files, intra_op_threads=1)

    assert outputs_of(session, {"x": FOUR})[0].shape == (2, 2)
    assert session.get_outputs()[0].shape == [2, 2]


def a_condition(weight):
    """A branch that holds a weight of its own, 3,000 numbers long."""
    inner = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["z"])], "inner", [], [value("z", [3000])], [weight]
    )
    node = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    return model([node], [value("c", [], TensorProto.BOOL)], [value("y", [3000])])


def a_constant(weight):
    node = helper.make_node("Constant", [], ["w"], value=weight)
    add = helper.make_node("Identity", ["w"], ["y"])
    return model([node, add], [], [value("y", [3000])])


def a_function(weight):
    imports = [helper.make_opsetid("", 17)]
    body = [helper.make_node("Constant", [], ["b"], value=weight)]
    own = helper.make_function("own", "f", [], ["b"], body, imports)
    return model(
        [helper.make_node("f", [], ["y"], domain="own")],
        [],
        [value("y", [3000])],
        functions=[own],
    )


@pytest.mark.parametrize("build", [a_condition, a_constant, a_function])
def test_weights_of_inner_graphs_attributes_and_functions_may_lie_elsewhere(build, tmp_path):
    numbers = np.arange(3000, dtype=np.float32)
    made = build(apart("w", [3000], location="w", length=12_000))
    files = laid_out({MODEL: made.SerializeToString(), "w": numbers.tobytes()}, tmp_path)

    seen = inspect_file(files)
    session = load(files, intra_op_threads=1)

    feeds = {one.name: np.array(True) for one in session.get_inputs()}
    assert np.array_equal(outputs_of(session, feeds)[0], numbers)
    assert seen.node_count >= 1


def test_hints_are_taken_from_the_graph_wherever_the_weights_lie(tmp_path):
    files = laid_out(saved_apart(lenet5()), tmp_path)
    inline = OnnxFiles(save(lenet5(), tmp_path, "inline.onnx"))

    assert hinted_inputs(files) == hinted_inputs(inline)


def test_a_browser_leaves_folders_out_and_the_file_is_found_all_the_same():
    made = adding(apart("w", [4], location="./data/w.bin", length=16))

    seen = inspect_bytes(made.SerializeToString(), {"w.bin": FOUR.tobytes()})

    assert seen.parameter_count == 4


def test_a_file_that_did_not_come_is_named():
    refused = refusal(adding(apart("w", [4], location="weights.bin")))

    assert refused.code == "external_data"
    assert "“weights.bin”, which was not uploaded with it" in refused.message
    assert ".zip" in refused.message


def test_of_two_files_of_one_name_in_folders_none_is_guessed():
    made = adding(apart("w", [4], location="c/w.bin"))

    assert refusal(made, **{"a/w.bin": bytes(16), "b/w.bin": bytes(16)}).code == "external_data"


def test_one_file_is_not_taken_for_two_of_one_name_in_folders():
    weights = [apart(name, [4], location=f"{name}/w.bin", length=16) for name in ("a", "b")]
    made = model([helper.make_node("Add", ["a", "b"], ["y"])], [], [value("y", [4])], weights)

    refused = refusal(made, **{"w.bin": bytes(16)})

    assert refused.code == "external_data"
    assert "in “a/w.bin” and in “b/w.bin”, and of these only “w.bin” was" in refused.message


def test_one_place_written_in_two_ways_is_one_place():
    weights = [
        apart("a", [4], location="./w.bin", length=16),
        apart("b", [4], location="w.bin", length=16),
    ]
    made = model([helper.make_node("Add", ["a", "b"], ["y"])], [], [value("y", [4])], weights)

    assert inspect_bytes(made.SerializeToString(), {"w.bin": bytes(16)}).parameter_count == 8


@pytest.mark.parametrize(
    "location",
    [
        *("/etc/passwd", "../w", "a/../../w", "..", "", "C:w", "a\\w", "*/_ORT_MEM_ADDR_/*"),
        *("w\x1b[2J", "\u202ew", "w" * 300),
    ],
)
def test_a_place_outside_is_refused_even_when_a_file_of_that_name_came(location):
    refused = refusal(adding(apart("w", [4], location=location)), **{location: bytes(16)})

    assert refused.code == "external_data"
    assert refused.message.isprintable()


@pytest.mark.parametrize(
    "entries, sentence",
    [
        ({"length": 12}, "takes 16 bytes by its type and shape, and the model states 12"),
        ({"length": 20}, "and the model states 20"),
        ({"offset": 8, "length": 16}, "ends at byte 24 of “w”, which has 16"),
        ({"offset": 16}, "ends at byte 32"),
        ({"offset": 2**62, "length": 16}, "ends at byte"),
        ({"offset": -4}, "are no numbers"),
        ({"offset": "0x4"}, "are no numbers"),
        ({"offset": "٣"}, "are no numbers"),
        ({"offset": "9" * 5000}, "are no numbers"),
        ({"length": ""}, "are no numbers"),
    ],
)
def test_a_place_that_the_file_does_not_have_is_refused(entries, sentence):
    refused = refusal(adding(apart("w", [4], location="w", **entries)), w=bytes(16))

    assert refused.code == "external_data_misfit"
    assert sentence in refused.message


def test_a_tensor_in_two_places_at_once_is_refused():
    weight = apart("w", [4], location="w")
    weight.external_data.add(key="location", value="v")

    assert refusal(adding(weight), w=bytes(16), v=bytes(16)).code == "external_data_misfit"


def test_texts_cannot_lie_elsewhere():
    weight = apart("w", [4], TensorProto.STRING, location="w")

    assert "is of a type, such as text" in refusal(adding(weight), w=bytes(16)).message


def test_a_file_that_the_model_does_not_use_is_named():
    made = adding(apart("w", [4], location="w"))

    refused = refusal(made, w=bytes(16), **{"README.md": b"hello"})

    assert refused.code == "unused_data"
    assert "does not use “README.md”" in refused.message


def test_data_for_a_model_that_keeps_its_weights_itself_is_named():
    assert refusal(parsed(lenet5()), w=b"x").code == "unused_data"


def test_two_tensors_may_share_bytes_as_tied_weights_do(tmp_path):
    weights = [apart(name, [4], location="w", length=16) for name in ("v", "w")]
    nodes = [helper.make_node("Add", ["v", "w"], ["y"])]
    made = model(nodes, [], [value("y", [4])], weights)
    files = laid_out({MODEL: made.SerializeToString(), "w": FOUR.tobytes()}, tmp_path)

    assert outputs_of(load(files, intra_op_threads=1), {})[0].tolist() == [0, 2, 4, 6]


def test_weights_handed_over_are_let_go_once_they_are_packed(tmp_path):
    numbers = np.ones((2048, 2048), np.float32)
    weight = apart("w", [2048, 2048], location="w", length=numbers.nbytes)
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    made = model([node], [value("x", [1, 2048])], [value("y", [1, 2048])], [weight])
    inline = onnx.ModelProto()
    inline.CopyFrom(made)
    inline.graph.initializer[0].CopyFrom(numpy_helper.from_array(numbers, "w"))
    files = laid_out({MODEL: made.SerializeToString(), "w": numbers.tobytes()}, tmp_path)
    (tmp_path / "work").mkdir()
    job = Job("measure", str(files.onnx), data_paths=data_paths(files), measuring_s=0.2)

    handed_over = run(job, tmp_path / "work")
    path = save(inline, tmp_path, "inline.onnx")
    own = run(replace(job, onnx_path=str(path), data_paths={}), tmp_path / "work")

    for result in (handed_over, own):
        assert isinstance(result, MeasurementResult), result
    # Two copies of 16 MiB at most either way: what is packed, and what it was packed from.
    assert handed_over.session_memory_bytes < own.session_memory_bytes + 8 * 2**20


def test_nothing_of_the_files_is_opened_by_name(tmp_path, monkeypatch):
    """In its folder lie files of the names that the graph knows: others than were given."""
    contents = saved_apart(
        adding(numpy_helper.from_array(FOUR, "w")), location="w", size_threshold=0
    )
    files = laid_out(contents, tmp_path / "ours")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "w").write_bytes(bytes(16))
    monkeypatch.chdir(elsewhere)

    session = load(files, intra_op_threads=1)

    assert outputs_of(session, {"x": FOUR})[0].tolist() == [0, 2, 4, 6]
    assert sorted(os.listdir(elsewhere)) == ["w"]
