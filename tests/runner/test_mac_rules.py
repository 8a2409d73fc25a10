"""Each rule by shapes that can be multiplied in the head."""

import pytest

from runner.mac_rules import UnknownShape, einsum_macs, mac_count


@pytest.mark.parametrize(
    "operator, inputs, outputs, expected",
    [
        # 2 x 4 x 4 outputs, each from 3 channels of 3 x 3.
        ("Conv", [(1, 3, 6, 6), (2, 3, 3, 3)], [(1, 2, 4, 4)], 32 * 27),
        ("QLinearConv", [(1, 3, 6, 6), (), (), (2, 3, 3, 3)], [(1, 2, 4, 4)], 32 * 27),
        ("ConvTranspose", [(1, 3, 4, 4), (3, 5, 2, 2)], [(1, 5, 8, 8)], 48 * 20),
        ("MatMul", [(7, 2, 3), (3, 4)], [(7, 2, 4)], 7 * 24),
        ("MatMul", [(3,), (3,)], [()], 3),
        ("MatMulInteger", [(2, 3), (3, 4), (), ()], [(2, 4)], 24),
        ("QLinearMatMul", [(2, 3), (), (), (3, 4)], [(2, 4)], 24),
        ("Gemm", [(3, 2), (3, 4)], [(2, 4)], 24),
        ("FusedMatMul", [(5, 3, 2), (5, 3, 4)], [(5, 2, 4)], 5 * 24),
        ("MatMulNBits", [(2, 32), (4, 1, 16)], [(2, 4)], 2 * 32 * 4),
        ("GRU", [(5, 1, 3), (1, 6, 3), (1, 6, 2)], [(5, 1, 1, 2)], 5 * (18 + 12)),
        # One weight for queries, keys and values, then 4 heads or one: the same products.
        ("Attention", [(1, 6, 8), (8, 24), (24,)], [(1, 6, 8)], 6 * 8 * 24 + 2 * 6 * 6 * 8),
        ("Attention", [(1, 2, 6, 4), (1, 2, 9, 4), (1, 2, 9, 4)], [(1, 2, 6, 4)], 2 * 6 * 9 * 8),
        ("MultiHeadAttention", [(1, 6, 8), (1, 9, 8), (1, 9, 8)], [(1, 6, 8)], 6 * 9 * 16),
    ],
)
def test_a_call_is_counted_by_its_shapes(operator, inputs, outputs, expected):
    assert mac_count(operator, inputs, outputs) == expected


@pytest.mark.parametrize(
    "operator, inputs, outputs",
    [
        ("MatMul", [None, (3, 4)], [(2, 4)]),
        ("MatMul", [(2, 3)], [(2, 4)]),
        ("Conv", [(1, 3, 6, 6)], []),
        ("Gemm", [(0, 3), (3, 4)], [(0, 4)]),
        ("LSTM", [(5, 1), (1, 6, 3), (1, 6, 2)], [()]),
        ("MultiHeadAttention", [(1, 6, 2, 3, 8), (1, 6)], [(1, 6, 8)]),
    ],
)
def test_shapes_that_do_not_tell_are_no_count(operator, inputs, outputs):
    with pytest.raises(UnknownShape):
        mac_count(operator, inputs, outputs)


def test_an_einsum_that_fits_no_shapes_is_no_count():
    for equation in ("ij,jk->ik", "...i,i->i", "i", ""):
        with pytest.raises(UnknownShape):
            einsum_macs(equation, [(2, 3, 4), (4, 5)])
