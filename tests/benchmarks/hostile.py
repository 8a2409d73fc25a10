"""Models that mean no good."""

import onnx
from onnx import TensorProto, helper


def endless_loop() -> bytes:
    """A model whose Loop has no trip count and a condition that stays true."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["still_going_on"]),
            helper.make_node("Add", ["carried", "carried"], ["grown"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("carried", TensorProto.FLOAT, [1]),
        ],
        [
            helper.make_tensor_value_info("still_going_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("grown", TensorProto.FLOAT, [1]),
        ],
    )
    graph = helper.make_graph(
        [helper.make_node("Loop", ["", "always", "input"], ["output"], body=body)],
        "endless",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1])],
        initializer=[helper.make_tensor("always", TensorProto.BOOL, [], [True])],
    )
    model = helper.make_model(
        graph, producer_name="carbonsite", opset_imports=[helper.make_opsetid("", 17)]
    )
    model.ir_version = 8
    return onnx.ModelProto.SerializeToString(model)


def fails_while_running() -> bytes:
    """A model that loads and then looks up row 1,000 of ten."""
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["input"], ["whole"], to=TensorProto.INT64),
            helper.make_node("Add", ["whole", "far"], ["place"]),
            helper.make_node("Gather", ["table", "place"], ["output"]),
        ],
        "out_of_bounds",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1])],
        initializer=[
            helper.make_tensor("far", TensorProto.INT64, [1], [1000]),
            helper.make_tensor("table", TensorProto.FLOAT, [10], [0.0] * 10),
        ],
    )
    model = helper.make_model(
        graph, producer_name="carbonsite", opset_imports=[helper.make_opsetid("", 17)]
    )
    model.ir_version = 8
    return onnx.ModelProto.SerializeToString(model)
