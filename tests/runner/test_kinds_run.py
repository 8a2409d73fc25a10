"""Kinds of models that few checks meet, each measured by a child with nothing chosen."""

import pytest
from onnx import TensorProto, helper

from runner.job import Job
from runner.launch import run
from runner.results import MeasurementResult
from tests.runner.builders import integers, model, save, value, weight

INT64, STRING = TensorProto.INT64, TensorProto.STRING
ML = "ai.onnx.ml"


def node(operator, *names, output="y", domain="", **more):
    outputs = [output] if isinstance(output, str) else output
    return helper.make_node(operator, list(names), outputs, domain=domain, **more)


def trees(operator, **more):
    """Two leaves behind one question about the seventh feature."""
    return node(
        operator,
        "x",
        domain=ML,
        nodes_featureids=[6, 0, 0],
        nodes_falsenodeids=[2, 0, 0],
        nodes_truenodeids=[1, 0, 0],
        nodes_hitrates=[1.0] * 3,
        nodes_missing_value_tracks_true=[0] * 3,
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_nodeids=[0, 1, 2],
        nodes_treeids=[0, 0, 0],
        nodes_values=[0.5, 0.0, 0.0],
        **more,
    )


def tree_regressor():
    targets = {"target_ids": [0, 0], "target_nodeids": [1, 2], "target_treeids": [0, 0]}
    return [trees("TreeEnsembleRegressor", n_targets=1, target_weights=[1.0, 2.0], **targets)], [
        value("x", [None, None])
    ]


def tree_classifier():
    classes = {"class_ids": [0, 1], "class_nodeids": [1, 2], "class_treeids": [0, 0]}
    voting = trees(
        "TreeEnsembleClassifier",
        output=["label", "scores"],
        classlabels_strings=["cat", "dog"],
        class_weights=[1.0, 1.0],
        **classes,
    )
    spoken = node("ZipMap", "scores", domain=ML, classlabels_strings=["cat", "dog"])
    return [voting, spoken], [value("x", [None, None])]


def columns_of_texts():
    nodes = [
        node("OneHotEncoder", "colour", output="c", domain=ML, cats_strings=["red"], zeros=0),
        node("Reshape", "c", "flat", output="f"),
        node("Concat", "f", "age", output="row", axis=1),
        node("LinearRegressor", "row", domain=ML, coefficients=[1.0, 2.0]),
    ]
    inputs = [value("colour", [None, 1], STRING), value("age", [None, 1])]
    return nodes, inputs, [integers("flat", [-1, 1])]


def loop():
    keep = [node("Identity", "c", output="go"), node("Add", "v", "v", output="twice")]
    body = helper.make_graph(
        keep,
        "body",
        [value("i", [], INT64), value("c", [], TensorProto.BOOL), value("v", [2])],
        [value("go", [], TensorProto.BOOL), value("twice", [2])],
    )
    return [node("Loop", "m", "", "x", body=body)], [value("m", [], INT64), value("x", [2])]


def language_model():
    """Attends from its tokens to a past and to them."""
    nodes = [
        node("Gather", "table", "input_ids", output="e"),
        node("Reshape", "e", "heads", output="h"),
        node("Transpose", "h", output="k", perm=[0, 2, 1, 3]),
        node("Concat", "past_key_values.0.key", "k", output="present", axis=2),
        node("Transpose", "present", output="t", perm=[0, 1, 3, 2]),
        node("MatMul", "k", "t", output="s"),
        node("Cast", "attention_mask", output="m", to=TensorProto.FLOAT),
        node("Unsqueeze", "m", "middle", output="mask"),
        node("Add", "s", "mask"),
    ]
    inputs = [
        value("input_ids", ["batch", "sequence_length"], INT64),
        value("attention_mask", ["batch", "past_sequence_length + sequence_length"], INT64),
        value("past_key_values.0.key", ["batch", 4, "past_sequence_length", 8]),
    ]
    weights = [weight("table", (50, 32)), integers("heads", [0, -1, 4, 8])]
    return nodes, inputs, [*weights, integers("middle", [1, 2])]


def other_types():
    nodes = [
        node("Relu", "half", output="a"),
        node("Not", "flag", output="b"),
        node("Exp", "double"),
    ]
    inputs = [
        value("half", ["n", 3], TensorProto.FLOAT16),
        value("flag", ["n"], TensorProto.BOOL),
        value("double", ["n"], TensorProto.DOUBLE),
    ]
    return nodes, inputs


def recurrent():
    lstm = node("LSTM", "x", "W", "R", "", "lengths", "h", "c", hidden_size=5)
    inputs = [
        *(value("x", ["time", "batch", None]), value("lengths", ["batch"], TensorProto.INT32)),
        *(value("h", [None, "batch", None]), value("c", [None, None, None])),
    ]
    return [lstm], inputs, [weight("W", (1, 20, 7)), weight("R", (1, 20, 5))]


def embedding_and_classes():
    nodes = [
        node("Gather", "table", "tokens", output="e"),
        node("OneHot", "classes", "depth", "pair"),
    ]
    inputs = [value("tokens", ["n", "s"], INT64), value("classes", ["n"], INT64)]
    return nodes, inputs, [weight("table", (30, 4)), integers("depth", [7]), weight("pair", (2,))]


@pytest.mark.parametrize(
    "made",
    [
        *(tree_regressor, tree_classifier, columns_of_texts, loop, language_model),
        *(other_types, recurrent, embedding_and_classes),
    ],
)
def test_a_model_of_this_kind_is_measured(made, tmp_path):
    nodes, inputs, *weights = made()
    outputs = [helper.make_empty_tensor_value_info("y")]
    path = save(model(nodes, inputs, outputs, *weights), tmp_path)
    work_dir = tmp_path / "work"
    work_dir.mkdir()

    found = run(Job("measure", str(path), measuring_s=0.05), work_dir)

    assert isinstance(found, MeasurementResult), found
