import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from runner.descriptions import TensorDescription
from runner.job import InputChoices
from runner.onnx_file import inspect_bytes
from runner.shapes import plan_inputs
from tests.runner.builders import integers, model, value, weight

INT64, STRING, BOOL = TensorProto.INT64, TensorProto.STRING, TensorProto.BOOL
ML = "ai.onnx.ml"


def node(operator, *names, output="y", domain="", **more):
    return helper.make_node(operator, list(names), [output], domain=domain, **more)


def hinted(nodes, inputs, weights=(), **more):
    """The inputs of a model of these nodes, as an inspection describes them, by name."""
    made = model(nodes, inputs, [value("y", None)], weights, **more)
    return {one.name: one for one in inspect_bytes(made.SerializeToString()).inputs}


def planned(nodes, inputs, weights=(), batch_size=1, more=None, **choices):
    found = hinted(nodes, inputs, weights, **(more or {})).values()
    made = plan_inputs(list(found), InputChoices(**choices), batch_size=batch_size)
    return {one.name: one for one in made}


def sizes(*arguments, **more):
    return {name: one.shape for name, one in planned(*arguments, **more).items()}


def bounds(*arguments, **more):
    return {name: (one.low, one.high) for name, one in planned(*arguments, **more).items()}


CONVOLUTION = node("Conv", "x", "w"), [weight("w", (2, 3, 3, 3))]


def test_a_picture_is_224_high_and_wide_and_says_so():
    conv, weights = CONVOLUTION

    x = planned([conv], [value("x", ["n", 3, "height", "width"])], weights)["x"]

    assert x.shape == (1, 3, 224, 224)
    assert x.why[2] == "guessed: image height, 224 is usual"


def test_a_picture_may_keep_its_channels_last():
    nodes = [
        node("Transpose", "x", output="t", perm=[0, 3, 1, 2]),
        node("Conv", "t", "w"),
    ]

    assert sizes(nodes, [value("x", ["n", None, None, 3])], [weight("w", (2, 3, 3, 3))]) == {
        "x": (1, 224, 224, 3)
    }


def test_the_other_side_of_a_line_of_text_is_long():
    conv, weights = CONVOLUTION

    assert sizes([conv], [value("x", ["n", 3, 48, "w"])], weights)["x"] == (1, 3, 48, 320)


def test_a_picture_has_the_size_that_the_dense_layer_behind_it_wants():
    nodes = [node("Flatten", "x", output="f"), node("Gemm", "f", "w")]

    x = planned(nodes, [value("x", ["n", 1, "h", "w"])], [weight("w", (784, 10))])["x"]

    assert x.shape == (1, 1, 28, 28)
    assert x.why[3] == "guessed: image width: 28, found to fit"


def test_sound_is_a_second_long():
    nodes = [node("Unsqueeze", "x", "one", output="u"), node("Conv", "u", "w")]
    weights = [integers("one", [1]), weight("w", (4, 1, 32))]

    x = planned(nodes, [value("x", ["n", "length"])], weights)["x"]

    assert x.shape == (1, 16_000)
    assert x.why[1] == "guessed: audio samples: 16,000 = 1 s at 16 kHz"


@pytest.mark.parametrize(
    "operator, weights",
    [
        (node("MatMul", "x", "w"), [weight("w", (400, 3))]),
        (node("Gemm", "x", "w", transB=1), [weight("w", (3, 400))]),
        (node("Scaler", "x", domain=ML, offset=[0.0] * 400, scale=[1.0] * 400), []),
        (node("LinearRegressor", "x", domain=ML, coefficients=[1.0] * 400), []),
        (node("Add", "x", "w"), [weight("w", (400,))]),
    ],
)
def test_a_table_has_as_many_columns_as_its_first_operator_takes(operator, weights):
    assert sizes([operator], [value("x", ["n", None])], weights)["x"] == (1, 400)


def test_a_table_has_the_columns_that_trees_look_at():
    leaf = {"nodes_hitrates": [1.0] * 3, "nodes_missing_value_tracks_true": [0] * 3}
    trees = node(
        "TreeEnsembleRegressor",
        "x",
        domain=ML,
        n_targets=1,
        nodes_featureids=[6, 0, 0],
        nodes_falsenodeids=[2, 0, 0],
        nodes_truenodeids=[1, 0, 0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_nodeids=[0, 1, 2],
        nodes_treeids=[0, 0, 0],
        nodes_values=[0.5, 0.0, 0.0],
        target_ids=[0, 0],
        target_nodeids=[1, 2],
        target_treeids=[0, 0],
        target_weights=[1.0, 2.0],
        **leaf,
    )

    assert sizes([trees], [value("x", [None, None])])["x"] == (1, 7)


def test_the_features_of_a_large_tree_ensemble_are_read_too():
    count = 5_000
    trees = node(
        "TreeEnsembleRegressor",
        "x",
        domain=ML,
        nodes_featureids=[0] * (count - 1) + [90],
        nodes_values=[0.5] * count,
    )

    assert sizes([trees], [value("x", [None, None])])["x"] == (1, 91)


def test_tokens_stay_within_the_embedding():
    tokens = planned(
        [node("Gather", "w", "ids")],
        [value("ids", ["n", "sequence"], INT64)],
        [weight("w", (30_522, 8))],
    )["ids"]

    assert (tokens.shape, tokens.low, tokens.high) == ((1, 128), 0, 30_521)
    assert tokens.range_why == "token ids: the embedding has 30,522 rows"


def test_tokens_are_followed_through_casts_slices_and_functions():
    body = [node("Gather", "table", "places", output="out")]
    own = helper.make_function(
        "own", "Embed", ["table", "places"], ["out"], body, [helper.make_opsetid("", 17)]
    )
    nodes = [
        node("Cast", "ids", output="c", to=INT64),
        node("Slice", "c", "zero", "one", output="s"),
        node("Embed", "w", "s", domain="own"),
    ]
    weights = [weight("w", (30, 4)), integers("zero", [0]), integers("one", [1])]

    found = bounds(
        nodes, [value("ids", ["n", "s"], TensorProto.INT32)], weights, more={"functions": [own]}
    )

    assert found["ids"] == (0, 29)


def test_tokens_are_followed_into_a_condition():
    def branch(name, table):
        body = [node("Gather", table, "ids", output=name)]
        return helper.make_graph(body, name, [], [value(name, None)])

    nodes = [node("If", "flag", then_branch=branch("a", "w"), else_branch=branch("b", "v"))]
    inputs = [value("flag", [], BOOL), value("ids", ["n"], INT64)]

    assert bounds(nodes, inputs, [weight("w", (30, 4)), weight("v", (20, 4))])["ids"] == (0, 19)


def test_a_quantised_embedding_is_an_embedding():
    nodes = [
        node("Cast", "q", output="f", to=TensorProto.FLOAT),
        node("Mul", "f", "scale", output="w"),
        node("Gather", "w", "ids"),
    ]
    weights = [weight("q", (30, 4), np.int8), weight("scale", (1,))]

    assert bounds(nodes, [value("ids", ["n", "s"], INT64)], weights)["ids"] == (0, 29)


def test_classes_stay_below_the_depth_of_their_one_hot_code():
    weights = [integers("depth", [7]), weight("values", (2,))]

    found = bounds([node("OneHot", "x", "depth", "values")], [value("x", ["n"], INT64)], weights)

    assert found["x"] == (0, 6)


def test_masks_are_ones_and_a_type_of_token_is_one_there_is():
    nodes = [
        node("Gather", "w", "token_type_ids", output="e"),
        node("Cast", "attention_mask", output="m", to=TensorProto.FLOAT),
        node("ReduceSum", "m", output="s", keepdims=0),
        node("Mul", "e", "s"),
    ]
    inputs = [
        value("token_type_ids", ["n", "sequence"], INT64),
        value("attention_mask", ["n", "sequence"], INT64),
    ]

    found = bounds(nodes, inputs, [weight("w", (2, 4))])

    assert found == {"token_type_ids": (0, 1), "attention_mask": (1, 1)}


RECURRENT = node("LSTM", "x", "W", "R", "", "lengths", "h", "c", hidden_size=5)
RECURRENT_INPUTS = [
    value("x", ["time", "batch", None]),
    value("lengths", ["batch"], TensorProto.INT32),
    value("h", [None, None, None]),
    value("c", [None, None, None]),
]
RECURRENT_WEIGHTS = [weight("W", (1, 20, 7)), weight("R", (1, 20, 5))]


def test_the_state_of_a_recurrent_network_is_as_large_as_its_weights_say():
    assert sizes([RECURRENT], RECURRENT_INPUTS, RECURRENT_WEIGHTS) == {
        "x": (128, 1, 7),
        "lengths": (1,),
        "h": (1, 1, 5),
        "c": (1, 1, 5),
    }


def test_the_batch_of_a_state_is_not_its_first_dimension():
    found = sizes([RECURRENT], RECURRENT_INPUTS, RECURRENT_WEIGHTS, batch_size=3)

    assert found == {"x": (128, 3, 7), "lengths": (3,), "h": (1, 3, 5), "c": (1, 3, 5)}


def test_a_length_equals_the_sequence_whatever_its_size():
    arguments = [RECURRENT], RECURRENT_INPUTS, RECURRENT_WEIGHTS

    assert bounds(*arguments)["lengths"] == (128, 128)
    assert bounds(*arguments, dims={"time": 9})["lengths"] == (9, 9)


def compared(name, *numbers):
    """A model that compares a lone number with these, and whose conditions need x only."""
    nodes = [node("Equal", name, f"k{place}", output=f"e{place}") for place in range(len(numbers))]
    nodes.append(node("Relu", "x"))
    weights = [
        numpy_helper.from_array(np.array(number), f"k{place}")
        for place, number in enumerate(numbers)
    ]
    return hinted(nodes, [value("x", ["n", 4]), value(name, [], INT64)], weights)[name].hint


def test_a_sampling_rate_is_one_that_the_graph_knows():
    hint = compared("sr", 8000, 16000)

    assert (hint.low, hint.high, hint.legal) == (16000, 16000, (16000, 8000))
    assert hint.range_why == "sampling rate: 8,000 or 16,000"


def test_a_lone_number_is_one_that_the_graph_compares_it_with():
    hint = compared("mode", 3, 5)

    assert (hint.low, hint.legal) == (3, (3, 5))


def test_a_loop_is_asked_for_few_rounds():
    keep = [node("Identity", "c", output="go"), node("Add", "v", "v", output="twice")]
    body = helper.make_graph(
        keep,
        "body",
        [value("i", [], INT64), value("c", [], BOOL), value("v", [2])],
        [value("go", [], BOOL), value("twice", [2])],
    )

    found = bounds(
        [node("Loop", "m", "", "x", body=body)], [value("m", [], INT64), value("x", [2])]
    )

    assert found["m"] == (10, 10)


def test_nothing_is_divided_by_zero():
    inputs = [value("a", ["n"], INT64), value("b", ["n"], INT64)]

    assert bounds([node("Div", "a", "b")], inputs) == {"a": (0, 1), "b": (1, 10)}


PAST = [
    value("input_ids", ["batch", "sequence_length"], INT64),
    value("attention_mask", ["batch", "past_sequence_length + sequence_length"], INT64),
    value("past_key_values.0.key", ["batch", 4, "past_sequence_length", 8]),
]


def test_the_past_may_be_empty_and_the_mask_covers_past_and_present():
    nodes = [node("Gather", "w", "input_ids")]
    weights = [weight("w", (50, 32))]

    assert sizes(nodes, PAST, weights) == {
        "input_ids": (1, 128),
        "attention_mask": (1, 128),
        "past_key_values.0.key": (1, 4, 0, 8),
    }
    chosen = sizes(nodes, PAST, weights, dims={"past_sequence_length": 3, "sequence_length": 1})
    assert chosen["attention_mask"] == (1, 4)
    assert sizes(nodes, PAST, weights, dims={"past_sequence_length": 0})["attention_mask"] == (
        1,
        128,
    )


def test_a_total_length_is_that_of_past_and_present():
    tokens = TensorDescription("tokens", "int64", ("batch", "length"))
    past = TensorDescription("past", "float32", ("batch", "past_length"))
    mask = TensorDescription("mask", "int64", ("batch", "total_length"))
    choices = InputChoices(dims={"past_length": 3, "length": 2})

    planned = plan_inputs([tokens, past, mask], choices)

    assert planned[2].shape == (1, 5)
    assert planned[2].why[1] == "guessed: past_length + length"


@pytest.mark.parametrize(
    "operator",
    [
        node("OneHotEncoder", "x", domain=ML, cats_strings=["red", "green"]),
        node("LabelEncoder", "x", domain=ML, keys_strings=["red", "green"], values_int64s=[1, 2]),
        node("CategoryMapper", "x", domain=ML, cats_strings=["red", "green"], cats_int64s=[1, 2]),
    ],
)
def test_texts_are_those_that_an_encoder_knows(operator):
    hint = hinted([operator], [value("x", ["n", 1], STRING)])["x"].hint

    assert hint.words == ("red", "green")


def test_texts_that_cannot_be_shown_are_left_out():
    keys = ["red\0", "x" * 5_000, "green"]
    operator = node("LabelEncoder", "x", domain=ML, keys_strings=keys, values_int64s=[1, 2, 3])

    assert hinted([operator], [value("x", ["n", 1], STRING)])["x"].hint.words in (("green",), ())


def test_weights_that_are_inputs_too_are_not_asked_for():
    found = hinted(
        [node("MatMul", "x", "w")],
        [value("x", ["n", 4]), value("w", [4, 2])],
        [weight("w", (4, 2))],
        ir_version=3,
    )

    assert list(found) == ["x"]


def test_an_input_without_a_rank_gets_that_of_its_use():
    conv, weights = CONVOLUTION

    assert sizes([conv], [value("x", None)], weights)["x"] == (1, 3, 224, 224)
    assert sizes([node("MatMul", "x", "w")], [value("x", None)], [weight("w", (400, 3))]) == {
        "x": (1, 400)
    }


def test_a_guess_gives_way_to_a_choice_and_to_the_batch_size():
    conv, weights = CONVOLUTION
    inputs = [value("x", ["n", 3, "height", "width"])]

    assert sizes([conv], inputs, weights, batch_size=4, dims={"height": 64})["x"] == (4, 3, 64, 224)


def test_axes_and_factors_are_told_from_the_graph():
    assert hinted(
        [node("ReduceSum", "x", "axes")], [value("x", [3, 4]), value("axes", [2], INT64)]
    )["axes"].hint.row == (0, 1)
    resize = node("Resize", "x", "", "scales")
    inputs = [value("x", [1, 3, 8, 8]), value("scales", [4])]
    assert hinted([resize], inputs)["scales"].hint.row == (1, 1, 2, 2)


def test_constants_that_contradict_themselves_tell_nothing():
    broken = numpy_helper.from_array(np.ones(4, np.float32), "w")
    broken.dims[0] = 9

    found = hinted([node("Equal", "x", "w")], [value("x", ["n"])], [broken])

    assert found["x"].hint.low is None
