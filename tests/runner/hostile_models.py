"""Models that mean harm, or look as if: each is a graph that onnxruntime would run."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tests.runner.builders import integers, model, value

BOOL, INT64, FLOAT, STRING = (
    TensorProto.BOOL,
    TensorProto.INT64,
    TensorProto.FLOAT,
    TensorProto.STRING,
)
MANY = 2**40


def _loop(node, carried, *, trips=None):
    """Apply ``node``, from ``before`` to ``after``, to a carried value: endlessly, or so often."""
    name, shape, dtype, start = carried
    body = helper.make_graph(
        [helper.make_node("Identity", ["go_on"], ["still"]), node],
        "body",
        [value("trip", [], INT64), value("go_on", [], BOOL), value("before", shape, dtype)],
        [value("still", [], BOOL), value("after", shape, dtype)],
    )
    given = [numpy_helper.from_array(np.array(True), "true"), start]
    count = ""
    if trips is not None:
        given.append(integers("trips", trips))
        count = "trips"
    loop = helper.make_node("Loop", [count, "true", name], ["y"], body=body)
    return model([loop], [value("x", [1])], [value("y", None, dtype)], given)


def growing_loop():
    """A tensor that is twice as long after each turn."""
    twice = helper.make_node("Concat", ["before", "before"], ["after"], axis=0)
    start = numpy_helper.from_array(np.ones(1024, np.float32), "start")
    return _loop(twice, ("start", [None], FLOAT, start))


def collecting_loop():
    """A scan output that gets longer with each of endless turns."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["still"]),
            helper.make_node("ConstantOfShape", ["size"], ["found"]),
        ],
        "body",
        [value("trip", [], INT64), value("go_on", [], BOOL)],
        [value("still", [], BOOL), value("found", [None])],
    )
    given = [numpy_helper.from_array(np.array(True), "true"), integers("size", [1_000_000])]
    loop = helper.make_node("Loop", ["", "true"], ["y"], body=body)
    return model([loop], [value("x", [1])], [value("y", None)], given)


def doubling_strings():
    """A string that is twice as long after each turn."""
    twice = helper.make_node("StringConcat", ["before", "before"], ["after"])
    start = numpy_helper.from_array(np.array(["carbon" * 100], object), "start")
    made = _loop(twice, ("start", [1], STRING, start))
    made.opset_import[0].version = 20
    made.ir_version = 9
    return made


def trap_while_loading():
    """A constant of whole numbers that the loader works out: the division that overflows.

    On x86 the processor answers it with SIGFPE, as it does 1 / 0, which onnxruntime checks.
    """
    nodes = [
        helper.make_node("Div", ["lowest", "minus_one"], ["broken"]),
        helper.make_node("Cast", ["broken"], ["as_float"], to=FLOAT),
        helper.make_node("Add", ["x", "as_float"], ["y"]),
    ]
    given = [integers("lowest", [-(2**63)]), integers("minus_one", [-1])]
    return model(nodes, [value("x", [1])], [value("y", [1])], given)


def huge_product_while_loading(size=7_000):
    """Constants whose product the loader works out: minutes of one core."""
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["a"], value=_ones()),
        helper.make_node("MatMul", ["a", "a"], ["b"]),
        helper.make_node("MatMul", ["b", "b"], ["c"]),
        helper.make_node("MatMul", ["c", "c"], ["d"]),
        helper.make_node("ReduceSum", ["d"], ["e"], keepdims=0),
        helper.make_node("Add", ["x", "e"], ["y"]),
    ]
    given = [integers("shape", [size, size])]
    return model(nodes, [value("x", [1])], [value("y", [1])], given)


def _ones():
    return numpy_helper.from_array(np.ones(1, np.float32), "value")


def huge_constant(count=MANY):
    """One tensor of four terabytes."""
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["a"], value=_ones()),
        helper.make_node("ReduceSum", ["a"], ["e"], keepdims=0),
        helper.make_node("Add", ["x", "e"], ["y"]),
    ]
    return model(nodes, [value("x", [1])], [value("y", [1])], [integers("shape", [count])])


def index_out_of_bounds():
    """A row of a table that has no such row."""
    table = numpy_helper.from_array(np.ones((4, 2), np.float32), "table")
    nodes = [
        helper.make_node("Cast", ["x"], ["whole"], to=INT64),
        helper.make_node("Add", ["whole", "far"], ["row"]),
        helper.make_node("Gather", ["table", "row"], ["y"]),
    ]
    return model(nodes, [value("x", [1])], [value("y", [1, 2])], [table, integers("far", [2**40])])


def not_a_number_weights():
    """Weights that are all NaN: nonsense, and no harm."""
    weights = numpy_helper.from_array(np.full((8, 8), np.nan, np.float32), "w")
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    return model([node], [value("x", [1, 8])], [value("y", [1, 8])], [weights])


def nested_ifs(depth):
    """An If within an If, ``depth`` of them."""
    inner = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y0"])], "leaf", [], [value("y0", [1])]
    )
    for level in range(1, depth + 1):
        node = helper.make_node(
            "If", ["yes"], [f"y{level}"], then_branch=inner, else_branch=_leaf(level)
        )
        inner = helper.make_graph([node], f"level{level}", [], [value(f"y{level}", [1])])
    given = [numpy_helper.from_array(np.array(True), "yes")]
    return model(list(inner.node), [value("x", [1])], [value(f"y{depth}", [1])], given)


def _leaf(level):
    node = helper.make_node("Identity", ["x"], [f"e{level}"])
    return helper.make_graph([node], f"else{level}", [], [value(f"e{level}", [1])])


def function_bomb(depth=12, width=8):
    """Functions that call the one below ``width`` times: 8 to the 12th nodes when expanded."""
    functions = [_function("f0", [helper.make_node("Relu", ["a"], ["b"])])]
    for level in range(1, depth + 1):
        names = ["a", *(f"t{index}" for index in range(width - 1)), "b"]
        calls = [
            helper.make_node(f"f{level - 1}", [one], [next_one], domain="bomb")
            for one, next_one in zip(names, names[1:], strict=False)
        ]
        functions.append(_function(f"f{level}", calls))
    node = helper.make_node(f"f{depth}", ["x"], ["y"], domain="bomb")
    return model([node], [value("x", [1])], [value("y", [1])], functions=functions)


def _function(name, nodes):
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("bomb", 1)]
    return helper.make_function("bomb", name, ["a"], ["b"], nodes, imports)
