"""Small classifiers whose answers are known beforehand, and items for them."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tests.runner.builders import model, value

INT64, STRING, FLOAT = TensorProto.INT64, TensorProto.STRING, TensorProto.FLOAT
ML = "ai.onnx.ml"


def echo(batch="n", classes=3, *, tail=()):
    """x -> scores, as they come: an item's class is where its highest number stands."""
    shape = [batch, classes, *tail]
    node = helper.make_node("Identity", ["x"], ["scores"])
    return model([node], [value("x", shape)], [value("scores", shape)])


def shifting(classes=3, *, by=1):
    """x -> scores, by a weight that makes an item of class c one of class c + ``by``."""
    node = helper.make_node("MatMul", ["x", "w"], ["scores"])
    weight = numpy_helper.from_array(np.roll(np.eye(classes, dtype=np.float32), by, axis=1), "w")
    shape = ["n", classes]
    return model([node], [value("x", shape)], [value("scores", shape)], [weight])


def one_number(batch="n", operator="Identity"):
    """x -> p, one number per item."""
    node = helper.make_node(operator, ["x"], ["p"])
    return model([node], [value("x", [batch, 1])], [value("p", [batch, 1])])


def stump(texts=("cat", "dog"), *, with_maps=True):
    """A tree with one question, as scikit-learn's converter writes it: a label, probabilities."""
    classes = {"classlabels_strings": list(texts)} if texts else {"classlabels_int64s": [0, 1]}
    tree = helper.make_node(
        "TreeEnsembleClassifier",
        ["x"],
        ["label", "raw"],
        domain=ML,
        nodes_treeids=[0, 0, 0],
        nodes_nodeids=[0, 1, 2],
        nodes_featureids=[0, 0, 0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_values=[0.5, 0.0, 0.0],
        nodes_truenodeids=[1, 0, 0],
        nodes_falsenodeids=[2, 0, 0],
        nodes_missing_value_tracks_true=[0, 0, 0],
        nodes_hitrates=[1.0, 1.0, 1.0],
        class_treeids=[0, 0, 0, 0],
        class_nodeids=[1, 1, 2, 2],
        class_ids=[0, 1, 0, 1],
        class_weights=[1.0, 0.0, 0.0, 1.0],
        post_transform="NONE",
        **classes,
    )
    outputs = [value("label", ["n"], STRING if texts else INT64)]
    if not with_maps:
        return model([tree], [value("x", ["n", 2])], [*outputs, value("raw", ["n", 2])])
    maps = helper.make_node("ZipMap", ["raw"], ["probabilities"], domain=ML, **classes)
    key = STRING if texts else INT64
    pairs = helper.make_map_type_proto(key, helper.make_tensor_type_proto(FLOAT, []))
    outputs.append(helper.make_value_info("probabilities", helper.make_sequence_type_proto(pairs)))
    return model([tree, maps], [value("x", ["n", 2])], outputs)


def one_hot(classes, *, count=3, tail=()):
    """Items whose highest number stands at these classes."""
    items = np.zeros((len(classes), count), np.float32)
    items[np.arange(len(classes)), classes] = 1
    return items.reshape(*items.shape, *tail)
