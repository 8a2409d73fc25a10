import numpy as np
import pytest
from onnx import TensorProto, helper

from runner.onnx_file import inspect_bytes, inspect_file
from runner.onnx_files import OnnxFiles
from runner.sample_models import lenet5, mlp
from tests.runner.builders import integers, light_model, model, value, weight


def inspect(nodes, inputs, outputs, initializers=()):
    return inspect_bytes(model(nodes, inputs, outputs, initializers).SerializeToString())


def test_the_articles_models_are_counted_to_the_unit():
    lenet, multilayer = inspect_bytes(lenet5()), inspect_bytes(mlp())

    assert (lenet.parameter_count, lenet.mac_count, lenet.flop_count) == (44_426, 281_640, 563_280)
    assert (multilayer.parameter_count, multilayer.mac_count) == (575_102, 574_120)
    assert multilayer.flop_count == 1_148_240


@pytest.mark.parametrize(
    "name, parameter_count, million_macs",
    [
        # Parameters as torchvision states them; multiply-accumulates as in DESIGN.md and issue 3.
        ("resnet50", 25_557_032, 4_089),
        ("squeezenet", 1_235_496, 349),
        ("vgg19", 143_667_240, 19_632),
        ("densenet121", None, 2_834),
    ],
)
def test_published_networks_have_their_published_size(name, parameter_count, million_macs):
    seen = inspect_file(OnnxFiles(light_model(name)))

    assert parameter_count in (None, seen.parameter_count)
    assert round(seen.mac_count / 1e6) == million_macs


def test_constants_that_steer_are_no_weights():
    nodes = [
        helper.make_node("Reshape", ["x", "shape"], ["flat"]),
        helper.make_node("Constant", [], ["half"], value=weight("half", [])),
        helper.make_node("Mul", ["flat", "half"], ["halved"]),
        helper.make_node("Add", ["halved", "bias"], ["y"]),
    ]
    initializers = [integers("shape", [-1, 6]), weight("bias", [6]), weight("unused", [100])]

    seen = inspect(nodes, [value("x", ["n", 2, 3])], [value("y", ["n", 6])], initializers)

    assert seen.parameter_count == 6


def test_a_recurrent_networks_first_state_is_no_weight():
    node = helper.make_node("GRU", ["x", "w", "r", "", "", "h0"], ["y"], hidden_size=2)
    initializers = [weight("w", [1, 6, 3]), weight("r", [1, 6, 2]), weight("h0", [1, 1, 2])]

    seen = inspect([node], [value("x", [5, 1, 3])], [value("y", [5, 1, 1, 2])], initializers)

    assert seen.parameter_count == 18 + 12
    assert (seen.mac_count, seen.uncounted_operators) == (None, ("GRU",))


def test_a_transposed_convolution_is_counted_from_its_input():
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2])

    seen = inspect(
        [node], [value("x", ["n", 3, 4, 4])], [value("y", None)], [weight("w", [3, 5, 2, 2])]
    )

    assert seen.mac_count == 3 * 4 * 4 * 5 * 2 * 2


def test_a_quantised_product_is_counted_like_any_other():
    node = helper.make_node("MatMulInteger", ["x", "w"], ["y"])

    seen = inspect(
        [node],
        [value("x", ["n", 8], TensorProto.UINT8)],
        [value("y", None, TensorProto.INT32)],
        [weight("w", [8, 4], np.int8)],
    )

    assert (seen.mac_count, seen.parameter_count) == (32, 32)


def test_a_condition_around_heavy_work_is_named_and_not_counted():
    branches = [
        helper.make_graph([helper.make_node(op, ["x", "w"], ["b"])], op, [], [value("b", None)])
        for op in ("MatMul", "Add")
    ]
    node = helper.make_node("If", ["c"], ["y"], then_branch=branches[0], else_branch=branches[1])
    inputs = [value("x", [4, 4]), value("c", [], TensorProto.BOOL)]

    seen = inspect([node], inputs, [value("y", [4, 4])], [weight("w", [4, 4])])

    assert (seen.mac_count, seen.uncounted_operators) == (None, ("If",))
    assert seen.operators == {"If": 1, "MatMul": 1, "Add": 1}


def test_a_product_of_unknown_sizes_is_named_and_not_counted():
    node = helper.make_node("MatMul", ["x", "z"], ["y"])

    seen = inspect([node], [value("x", None), value("z", None)], [value("y", None)])

    assert (seen.mac_count, seen.uncounted_operators) == (None, ("MatMul",))


def test_a_model_without_products_takes_none():
    seen = inspect([helper.make_node("Relu", ["x"], ["y"])], [value("x", [4])], [value("y", [4])])

    assert (seen.mac_count, seen.flop_count) == (0, 0)
