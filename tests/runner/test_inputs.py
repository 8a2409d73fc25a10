import numpy as np
import pytest

from runner.inputs import make_values
from runner.shapes import SUPPORTED_DTYPES, PlannedInput


def planned(dtype, low=0, high=1, shape=(50,)):
    return PlannedInput("x", dtype, shape, ("declared",) * len(shape), low, high)


def values(item, seed=1):
    return make_values([item], seed=seed)["x"]


@pytest.mark.parametrize("dtype", sorted({*SUPPORTED_DTYPES} - {"string", "bfloat16"}))
def test_values_have_the_type_and_shape_that_was_planned(dtype):
    made = values(planned(dtype, shape=(3, 2)))

    assert (made.dtype, made.shape) == (np.dtype(dtype), (3, 2))


def test_the_same_seed_gives_the_same_values():
    item = planned("float32")

    assert np.array_equal(values(item), values(item))
    assert not np.array_equal(values(item), values(item, seed=2))


def test_whole_numbers_reach_both_ends_of_their_range():
    made = values(planned("int64", low=3, high=5, shape=(200,)))

    assert set(made.tolist()) == {3, 4, 5}


@pytest.mark.parametrize(
    "dtype, low, high",
    [
        ("int64", -(2**63), 2**63 - 1),
        ("uint64", 0, 2**64 - 1),
        ("float64", -1.7e308, 1.7e308),
        ("float16", -65_504.0, 65_504.0),
    ],
)
def test_a_types_whole_range_is_possible(dtype, low, high):
    made = values(planned(dtype, low=low, high=high))

    assert np.all(np.isfinite(made.astype(np.float64)))
    assert made.min() < made.max()


def test_a_scalar_is_an_array_without_dimensions():
    for dtype in ("float32", "int64", "bool"):
        assert values(planned(dtype, shape=())).shape == ()
    assert values(planned("string", low=None, high=None, shape=())).shape == ()


def test_texts_are_words():
    made = values(planned("string", low=None, high=None))

    assert all(isinstance(word, str) and word for word in made)


def test_texts_are_those_that_the_graph_knows():
    item = PlannedInput("x", "string", (50,), ("declared",), None, None, words=("red", "green"))

    assert set(values(item).tolist()) == {"red", "green"}


def test_a_row_is_fed_as_it_is():
    item = PlannedInput("x", "int64", (3,), ("declared",), 0, 2, row=(2, 0, 1))

    assert values(item).tolist() == [2, 0, 1]
    # A size that was chosen since makes it a row no more.
    assert values(PlannedInput("x", "int64", (4,), ("chosen",), 0, 2, row=(2, 0, 1))).shape == (4,)


def test_a_sequence_is_a_list_of_arrays():
    made = values(planned("sequence(float32)", shape=(2, 3)))

    assert [one.shape for one in made] == [(2, 3)] * 3


def test_an_optional_is_what_it_may_hold():
    assert values(planned("optional(int64)", shape=(2,))).shape == (2,)
    assert len(values(planned("optional(sequence(int64))", shape=(2,)))) == 3


def test_a_map_has_the_keys_that_the_graph_knows():
    item = PlannedInput("x", "map(string, float32)", (), (), 0.0, 1.0, words=("a", "b"))

    made = values(item)

    assert sorted(made) == ["a", "b"]
    assert all(isinstance(number, float) for number in made.values())
    assert list(values(planned("map(int64, string)", low=None, high=None, shape=()))) == [0, 1, 2]


def test_what_is_real_takes_the_place_of_what_is_made_up():
    items = [planned("float32"), PlannedInput("z", "float32", (2,), ("declared",), 0, 1)]
    real = {"x": np.zeros(3)}

    made = make_values(items, seed=1, real=real)

    assert made["x"] is real["x"]
    assert np.array_equal(made["z"], make_values(items, seed=1)["z"])


def test_a_lone_number_of_16_bits_is_fed_too():
    assert values(planned("bfloat16", shape=())).dtype == np.uint16
