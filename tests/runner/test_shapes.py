import pytest

from runner.errors import InputProblem, UnsupportedInput
from runner.job import InputChoices
from runner.shapes import (
    TensorDescription,
    declared_dimension,
    plan_inputs,
    tensors_from_plain,
)

IMAGE = TensorDescription("image", "float32", ("batch", 3, "height", "width"))
TOKENS = TensorDescription("tokens", "int64", ("batch", "sequence"))
MASK = TensorDescription("mask", "bool", ("batch", "sequence"))


def shapes(inputs, batch_size=1, **choices):
    planned = plan_inputs(inputs, InputChoices(**choices), batch_size=batch_size)
    return [item.shape for item in planned]


def problem(inputs, batch_size=1, **choices):
    with pytest.raises(InputProblem) as refused:
        shapes(inputs, batch_size, **choices)
    return refused.value.field


def test_free_dimensions_are_1_unless_chosen():
    assert shapes([IMAGE]) == [(1, 3, 1, 1)]


def test_each_dimension_says_why_it_has_its_size():
    (planned,) = plan_inputs([IMAGE], InputChoices(dims={"width": 64}), batch_size=2)

    assert planned.shape == (2, 3, 1, 64)
    assert planned.why == ("batch size", "declared", "default 1", "chosen")


def test_a_shared_dimension_has_one_size_everywhere():
    assert shapes([TOKENS, MASK], 4, dims={"sequence": 8}) == [(4, 8), (4, 8)]


def test_a_chosen_shape_sets_the_dimensions_it_shares_with_other_inputs():
    assert shapes([TOKENS, MASK], shapes={"mask": (1, 8)}) == [(1, 8), (1, 8)]


def test_the_batch_size_follows_the_first_inputs_symbol():
    state = TensorDescription("state", "float32", (2, "batch", 128))

    assert shapes([TOKENS, state], 3) == [(3, 1), (2, 3, 128)]


def test_the_batch_size_sets_first_dimensions_without_a_name():
    unnamed = TensorDescription("a", "float32", (None, 5))
    anonymous = TensorDescription("b", "float32", ("unk__7", None))

    assert shapes([unnamed, anonymous], 3) == [(3, 5), (3, 1)]


def test_a_scalar_before_the_batch_does_not_hide_it():
    assert shapes([TensorDescription("rate", "float32", ()), TOKENS], 3) == [(), (3, 1)]


def test_a_fixed_first_dimension_allows_itself_as_batch_size():
    fixed = TensorDescription("x", "float32", (8, 3))

    assert shapes([fixed], 8) == [(8, 3)]
    assert shapes([fixed], 1) == [(8, 3)]
    assert problem([fixed], 4) == "batch_size"


def test_with_batch_size_1_a_first_dimension_may_be_chosen():
    assert shapes([TOKENS], dims={"batch": 16}) == [(16, 1)]


@pytest.mark.parametrize(
    "field, choices",
    [
        ("inputs.dims.depth", {"dims": {"depth": 3}}),
        ("inputs.dims.width", {"dims": {"width": 0}}),
        ("inputs.dims.width", {"dims": {"width": -5}}),
        ("inputs.dims.width", {"dims": {"width": 2**40}}),
        ("inputs.shapes.image", {"dims": {"width": 2**20, "height": 2**20}}),
        ("inputs.shapes.picture", {"shapes": {"picture": (1,)}}),
        ("inputs.shapes.image", {"shapes": {"image": (1, 4, 8, 8)}}),
        ("inputs.shapes.image", {"shapes": {"image": (1, 3, 8)}}),
        ("inputs.shapes.image", {"shapes": {"image": (1, 3, 8, 9)}, "dims": {"width": 8}}),
        ("inputs.ranges.picture", {"ranges": {"picture": (0, 1)}}),
        ("inputs.ranges.image", {"ranges": {"image": (2, 1)}}),
        ("inputs.ranges.image", {"ranges": {"image": (0, 1e39)}}),
    ],
)
def test_a_choice_that_the_model_cannot_take_names_the_setting(field, choices):
    assert problem([IMAGE], **choices) == field


def test_a_batch_size_and_a_chosen_size_must_agree():
    assert problem([TOKENS], 4, shapes={"tokens": (8, 1)}) == "batch_size"
    assert problem([TOKENS], 0) == "batch_size"


def test_a_range_stays_within_the_type():
    byte = TensorDescription("x", "uint8", (1,))

    assert problem([byte], ranges={"x": (0, 256)}) == "inputs.ranges.x"
    assert problem([byte], ranges={"x": (0, 0.5)}) == "inputs.ranges.x"
    assert plan_inputs([byte], InputChoices(ranges={"x": (3.0, 255)}))[0].low == 3


def test_texts_have_no_range():
    text = TensorDescription("x", "string", (1,))

    assert problem([text], ranges={"x": (0, 1)}) == "inputs.ranges.x"
    assert plan_inputs([text], InputChoices())[0].low is None


def test_an_input_without_a_rank_has_to_be_given_its_shape():
    free = TensorDescription("x", "float32", None)

    assert problem([free]) == "inputs.shapes.x"
    assert shapes([free], shapes={"x": (2, 2)}) == [(2, 2)]


def test_a_kind_that_nothing_can_be_made_up_for_is_refused_by_name():
    with pytest.raises(UnsupportedInput, match="history"):
        shapes([TensorDescription("history", "sequence(map(int64, float32))", ())])


def test_a_product_of_thousands_of_digits_is_refused_in_a_sentence():
    endless = TensorDescription("x", "float32", ("n",) * 500)

    assert problem([endless], dims={"n": 2**31 - 1}) == "inputs.shapes.x"


def test_a_sum_that_no_dimension_can_have_is_a_name_like_any_other():
    absurd = TensorDescription("x", "float32", ("n", *[f"{'9' * 900} + 1"] * 6))

    assert shapes([absurd]) == [(1,) * 7]


def test_stored_inputs_are_read_back():
    stored = [{"name": "image", "dtype": "float32", "shape": ["batch", 3, "height", "width"]}]

    assert tensors_from_plain(stored) == (IMAGE,)


def test_a_name_that_says_nothing_is_no_name():
    assert [declared_dimension(one) for one in (3, "height", "?", "")] == [3, "height", None, None]
