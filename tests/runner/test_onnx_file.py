import contextlib
import time

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from runner.errors import Rejected
from runner.onnx_file import inspect_bytes, inspect_file
from runner.onnx_files import OnnxFiles
from runner.sample_models import lenet5
from runner.wire import MAX_FIELD_COUNT
from tests.runner.builders import endless_loop, light_model, model, relu, save, value, weight


def inspect(made):
    return inspect_bytes(made if isinstance(made, bytes) else made.SerializeToString())


def rejection(made):
    with pytest.raises(Rejected) as refused:
        inspect(made)
    assert refused.value.message.endswith(".")
    return refused.value.code


def test_a_file_says_what_goes_in_and_comes_out():
    seen = inspect_file(OnnxFiles(light_model("squeezenet")))

    (image,) = seen.inputs
    assert (image.name, image.dtype, image.shape) == ("data_0", "float32", (1, 3, 224, 224))
    assert seen.opset == 9
    assert seen.operators["Conv"] == 26
    assert seen.node_count == 105


def test_free_dimensions_keep_their_names():
    seen = inspect(relu(("batch", None, 3)))

    assert seen.inputs[0].shape == ("batch", None, 3)


def test_types_are_named_as_people_name_them():
    inputs = [
        value("text", ["n"], TensorProto.STRING),
        value("half", ["n"], TensorProto.FLOAT16),
        helper.make_tensor_sequence_value_info("history", TensorProto.INT64, None),
    ]
    nodes = [helper.make_node("Identity", ["text"], ["y"])]

    seen = inspect(model(nodes, inputs, [value("y", ["n"], TensorProto.STRING)]))

    assert [item.dtype for item in seen.inputs] == ["string", "float16", "sequence(int64)"]
    assert seen.inputs[2].shape is None


def test_weights_that_are_also_inputs_are_not_asked_for():
    node = helper.make_node("Add", ["x", "w"], ["y"])
    made = model(
        [node], [value("x", [4]), value("w", [4])], [value("y", [4])], [weight("w", [4])],
        ir_version=3,
    )  # fmt: skip

    assert [item.name for item in inspect(made).inputs] == ["x"]


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.onnx").touch()

    with pytest.raises(Rejected) as refused:
        inspect_file(OnnxFiles(tmp_path / "empty.onnx"))

    assert refused.value.code == "empty_file"


@pytest.mark.parametrize(
    "content, kind",
    [
        (b"hello, this is a text\n", "text file"),
        (b"\n\n\n", "text file"),
        (b"<html><body>404</body></html>", "text file"),
        ("Größe: 3\n".encode() * 400, "text file"),
        (b"PK\x03\x04" + bytes(range(256)), "ZIP"),
        (b"\x89HDF\r\n\x1a\n" + bytes(64), "HDF5"),
        (b"\x80\x04\x95\x00\x00", "pickle"),
        (b"\x1c\x00\x00\x00TFL3" + bytes(32), "TensorFlow Lite"),
        (b"\xff" * 4_096, "other kind"),
        (bytes(4_096), "other kind"),
    ],
)
def test_what_is_no_onnx_file_is_named_and_refused(content, kind):
    with pytest.raises(Rejected, match=kind) as refused:
        inspect(content)

    assert refused.value.code == "not_onnx"


@pytest.mark.parametrize("kept_ratio", [0.01, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused_as_such(kept_ratio):
    whole = lenet5()

    assert rejection(whole[: int(len(whole) * kept_ratio)]) == "truncated"


def test_every_way_of_cutting_or_spoiling_a_file_ends_in_a_sentence():
    whole = relu().SerializeToString()
    spoilt = [whole[:length] for length in range(1, len(whole))]
    spoilt += [
        whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :]
        for at in range(len(whole))
        for bit in (1, 8, 64, 128)
    ]

    for content in spoilt:
        # Anything but a refusal is a fault, and fails this test by itself.
        with contextlib.suppress(Rejected):
            inspect(content)


def test_what_the_runtime_reads_and_we_would_not_is_refused():
    # A graph's tag with a bit beyond the 32 that the runtime looks at, and in it one more output.
    more = helper.make_graph([helper.make_node("Neg", ["x"], ["z"])], "", [], [value("z", [1])])
    hidden = more.SerializeToString()
    tag = b"\xba\x80\x80\x80\x10"
    content = relu((1,)).SerializeToString() + tag + bytes([len(hidden)]) + hidden

    read = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

    assert [one.name for one in read.get_outputs()] == ["y", "z"]
    assert rejection(content) == "damaged"


def test_versions_beyond_the_runtime_are_refused():
    assert rejection(relu(opset=999)) == "opset_too_new"
    assert rejection(relu(ir_version=99)) == "ir_too_new"
    with pytest.raises(Rejected, match="up to 15"):
        inspect_bytes(relu(opset=16).SerializeToString(), max_opset=15)


def test_a_model_without_a_graph_nodes_outputs_or_opset_is_refused():
    empty = relu()
    empty.ClearField("graph")
    assert rejection(empty) == "no_graph"
    assert rejection(model([], [value("x", [1])], [value("x", [1])])) == "no_nodes"
    assert rejection(model([helper.make_node("Relu", ["x"], ["y"])], [], [])) == "no_outputs"
    versionless = relu()
    del versionless.opset_import[:]
    assert rejection(versionless) == "no_opset"


def test_impossible_sizes_and_versions_are_refused():
    node = helper.make_node("Add", ["x", "w"], ["y"])
    for dims in ([-1], [2**40, 2**40]):
        made = model([node], [value("x", [4])], [value("y", [4])], [weight("w", [4])])
        made.graph.initializer[0].dims[:] = dims
        assert rejection(made) == "damaged"
    assert rejection(relu(opset=-3)) == "damaged"
    assert rejection(relu(ir_version=-3)) == "damaged"


def test_weights_in_another_file_are_refused():
    stored = weight("w", [4])
    stored.ClearField("raw_data")
    stored.data_location = TensorProto.EXTERNAL
    stored.external_data.add(key="location", value="../../etc/passwd")
    node = helper.make_node("Add", ["x", "w"], ["y"])

    made = model([node], [value("x", [4])], [value("y", [4])], [stored])

    assert rejection(made) == "external_data"


def test_an_operator_that_the_runtime_does_not_bring_is_refused():
    node = helper.make_node("Launch", ["x"], ["y"], domain="org.rockets")

    assert rejection(model([node], [value("x", [1])], [value("y", [1])])) == "unknown_domain"


def test_a_model_compiled_for_other_hardware_is_refused():
    node = helper.make_node("EPContext", ["x"], ["y"], domain="com.microsoft")

    assert rejection(model([node], [value("x", [1])], [value("y", [1])])) == "compiled_model"


@pytest.mark.parametrize("name", ["a\nb", "a\x00", "\u202egnp.exe", "x" * 2_000])
def test_names_that_could_deceive_are_refused(name):
    node = helper.make_node("Relu", [name], ["y"])

    assert rejection(model([node], [value(name, [1])], [value("y", [1])])) == "unreadable_names"


def test_names_that_are_no_text_are_refused():
    spoilt = relu().SerializeToString().replace(b"\x0a\x01x", b"\x0a\x01\xff")

    assert rejection(spoilt) == "unreadable_names"


def test_megabytes_of_empty_nodes_are_refused_at_once():
    # graph (field 7) of 8 MiB, all of it empty nodes (field 1, length 0).
    body = b"\x0a\x00" * (4 * 2**20)
    started_s = time.monotonic()

    code = rejection(b"\x08\x08" + b"\x3a" + b"\x80\x80\x80\x04" + body)

    assert code == "too_many_nodes"
    assert time.monotonic() - started_s < 5


def test_graphs_nested_without_end_are_refused():
    graph = relu().graph
    for _ in range(20):
        node = helper.make_node("If", ["c"], ["y"], then_branch=graph, else_branch=relu().graph)
        graph = helper.make_graph([node], "outer", [], [value("y", [1])])
    made = relu()
    made.graph.CopyFrom(graph)

    assert rejection(made) == "nested_too_deep"


def test_two_models_in_one_file_are_refused():
    assert rejection(relu().SerializeToString() * 2) == "two_graphs"


def test_functions_that_unfold_without_end_are_refused():
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]

    def function(name, calls, times):
        nodes = [helper.make_node(calls, ["a"], ["b"], domain="own") for _ in range(times)]
        return helper.make_function("own", name, ["a"], ["b"], nodes, imports)

    node = helper.make_node("f0", ["x"], ["y"], domain="own")
    io = [value("x", [1])], [value("y", [1])]
    bomb = [function(f"f{n}", f"f{n + 1}", 10) for n in range(12)]
    bomb.append(
        helper.make_function(
            "own", "f12", ["a"], ["b"], [helper.make_node("Relu", ["a"], ["b"])], imports
        )
    )

    assert rejection(model([node], *io, functions=bomb)) == "too_many_nodes"
    circle = [function("f0", "f1", 1), function("f1", "f0", 1)]
    assert rejection(model([node], *io, functions=circle)) == "recursive_function"


def test_memory_does_not_grow_with_the_weights(tmp_path):
    path = tmp_path / "large.onnx"
    tail = b"\x4a" + b"\x80\x80\x80\x80\x04"  # raw_data of 1 GiB
    tensor = b"\x08\x80\x80\x80\x80\x01\x10\x01\x42\x01w" + tail
    size = len(tensor) + 2**30
    node = helper.make_node("Add", ["x", "w"], ["y"])
    small = model([node], [value("x", [1])], [value("y", [2**28])])
    graph = small.graph.SerializeToString()
    rest = small.SerializeToString()
    assert graph in rest
    with path.open("wb") as file:
        file.write(b"\x08\x08\x42\x02\x10\x11\x3a" + _varint(len(graph) + 6 + size))
        file.write(graph + b"\x2a" + _varint(size) + tensor)
        file.truncate(file.tell() + 2**30)
    before = _resident_bytes()
    started_s = time.monotonic()

    seen = inspect_file(OnnxFiles(path))

    assert seen.parameter_count == 2**28
    assert time.monotonic() - started_s < 2
    assert _resident_bytes() - before < 50 * 2**20


def _varint(number):
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def _resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4_096


def test_an_endless_loop_is_read_without_running_it(tmp_path):
    seen = inspect_file(OnnxFiles(save(endless_loop(), tmp_path)))

    assert seen.operators == {"Identity": 1, "Loop": 1, "Sin": 1}


def test_large_unpacked_attributes_are_passed_over():
    thresholds = [float(n) for n in range(300_000)]
    node = helper.make_node(
        "TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", nodes_values=thresholds
    )

    seen = inspect(model([node], [value("x", ["n", 4])], [value("y", ["n", 1])]))

    assert seen.operators == {"ai.onnx.ml.TreeEnsembleRegressor": 1}
    assert seen.mac_count is None


def test_a_large_weight_keeps_its_shape_and_a_small_constant_its_value():
    shape = numpy_helper.from_array(np.array([-1, 2_000], np.int64), "shape")
    nodes = [
        helper.make_node("Reshape", ["x", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["y"]),
    ]

    seen = inspect(
        model(
            nodes,
            [value("x", ["n", 20, 100])],
            [value("y", ["n", 50])],
            [shape, weight("w", [2_000, 50])],
        )
    )

    assert seen.parameter_count == seen.mac_count == 100_000


@pytest.mark.parametrize("operator", ["Constant", "ConstantOfShape", "Relu", "Conv", "Gemm"])
def test_a_node_without_inputs_and_outputs_is_read_all_the_same(operator):
    made = relu()
    made.graph.node.append(helper.make_node(operator, [], []))

    assert inspect(made).operators[operator] >= 1


def test_a_forest_of_millions_of_nodes_is_read():
    """Each node's kind is a text and a field of its own: more than are read one by one."""
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        nodes_modes=["BRANCH_LEQ"] * (MAX_FIELD_COUNT + 1),
        nodes_treeids=[300, 2**40] * 100_000,
    )

    seen = inspect(model([node], [value("x", ["n", 4])], [value("y", ["n", 1])]))

    assert seen.operators == {"ai.onnx.ml.TreeEnsembleRegressor": 1}


def test_a_text_that_runs_on_beyond_its_attribute_is_damage():
    node = helper.make_node("TreeEnsemble", ["x"], ["y"], domain="ai.onnx.ml", modes=["a"] * 5_000)
    contents = model([node], [value("x", ["n"])], [value("y", ["n"])]).SerializeToString()
    spoilt = contents.replace(b"J\x01a" * 5_000, b"J\x01a" * 4_999 + b"J\x7fa")

    with pytest.raises(Rejected) as refused:
        inspect(spoilt)

    assert spoilt != contents
    assert refused.value.code in {"damaged", "truncated"}
