"""Small ONNX files for the tests: each says one thing, the rest is as plain as can be."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
LIGHT_FOLDER = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"


def light_model(name):
    """One of the models that the onnx package ships, with weights filled in by the graph."""
    return LIGHT_FOLDER / f"light_{name}.onnx"


def value(name, shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def weight(name, shape, dtype=np.float32):
    return numpy_helper.from_array(np.ones(shape, dtype), name)


def integers(name, numbers):
    return numpy_helper.from_array(np.array(numbers, np.int64), name)


def model(nodes, inputs, outputs, initializers=(), *, opset=OPSET, ir_version=IR_VERSION, **more):
    graph = helper.make_graph(list(nodes), "graph", inputs, outputs, list(initializers))
    domains = {node.domain for node in nodes} - {"", "ai.onnx"}
    imports = [helper.make_opsetid("", opset)]
    imports += [helper.make_opsetid(domain, 1) for domain in sorted(domains)]
    made = helper.make_model(graph, opset_imports=imports, producer_name="tests", **more)
    made.ir_version = ir_version
    return made


def relu(shape=("n", 4), **more):
    """x -> Relu -> y: the smallest model that does something."""
    node = helper.make_node("Relu", ["x"], ["y"])
    return model([node], [value("x", list(shape))], [value("y", list(shape))], **more)


def endless_loop():
    """A Loop without a trip count whose condition stays true."""
    condition = value("go_on", [], TensorProto.BOOL)
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["still"]),
            helper.make_node("Sin", ["before"], ["after"]),
        ],
        "body",
        [value("trip", [], TensorProto.INT64), condition, value("before", [1])],
        [value("still", [], TensorProto.BOOL), value("after", [1])],
    )
    start = numpy_helper.from_array(np.array(True), "start")
    loop = helper.make_node("Loop", ["", "start", "x"], ["y"], body=body)
    return model([loop], [value("x", [1])], [value("y", [1])], [start])


def save(made, folder, name="model.onnx"):
    path = folder / name
    path.write_bytes(made if isinstance(made, bytes) else made.SerializeToString())
    return path
