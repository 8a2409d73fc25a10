"""How many multiply-accumulates a call of an operator takes, from its operands' shapes alone.

The graph's static count and the count of a profiled run both rest on these rules.
"""

import math
from collections.abc import Callable, Mapping, Sequence

Shape = tuple[int, ...]
# A shape that is not known is None.
Shapes = Sequence[Shape | None]
Rule = Callable[[Shapes, Shapes], int]
EINSUM = "Einsum"


class UnknownShape(Exception):
    """A shape that is not told, or that no such operand has."""


def mac_count(operator: str, inputs: Shapes, outputs: Shapes) -> int:
    """Return the count of one call of ``operator``, which is one of `MAC_RULES`.

    Raises UnknownShape where the shapes do not tell it.

    >>> mac_count("MatMul", [(2, 3), (3, 4)], [(2, 4)])
    24
    """
    try:
        return MAC_RULES[operator](inputs, outputs)
    except (IndexError, ValueError, ZeroDivisionError) as error:
        raise UnknownShape(operator) from error


def einsum_macs(equation: str, inputs: Shapes) -> int:
    """Return one multiply-accumulate for each combination of the indices of an Einsum.

    Raises UnknownShape where the equation does not fit the shapes.

    >>> einsum_macs("bij,bjk->bik", [(5, 2, 3), (5, 3, 4)])
    120
    """
    terms = equation.replace(" ", "").split("->")[0].split(",")
    if "." in equation or len(terms) != len(inputs):
        raise UnknownShape(equation)
    sizes: dict[str, int] = {}
    for place, term in enumerate(terms):
        shape = _known(inputs, place)
        if len(shape) != len(term):
            raise UnknownShape(equation)
        for letter, size in zip(term, shape, strict=True):
            sizes[letter] = max(sizes.get(letter, 1), size)
    return math.prod(sizes.values()) if len(terms) > 1 else 0


def _known(shapes: Shapes, place: int) -> Shape:
    shape = shapes[place]
    if shape is None or any(size < 0 for size in shape):
        raise UnknownShape(place)
    return shape


def _convolution(weight_place: int) -> Rule:
    def macs(inputs: Shapes, outputs: Shapes) -> int:
        # A weight has shape (outputs, inputs per group, kernel...).
        weight = _known(inputs, weight_place)
        return math.prod(_known(outputs, 0)) * math.prod(weight[1:])

    return macs


def _transposed_convolution(inputs: Shapes, _outputs: Shapes) -> int:
    # A weight has shape (inputs, outputs per group, kernel...).
    return math.prod(_known(inputs, 0)) * math.prod(_known(inputs, 1)[1:])


def _gemm(inputs: Shapes, outputs: Shapes) -> int:
    # Transposed or not, the first matrix holds the output's rows times what is summed over.
    answer = _known(outputs, 0)
    return math.prod(_known(inputs, 0)) // answer[0] * math.prod(answer)


def _matrix_product(first_place: int, second_place: int) -> Rule:
    def macs(inputs: Shapes, outputs: Shapes) -> int:
        _known(inputs, second_place)
        return math.prod(_known(outputs, 0)) * _known(inputs, first_place)[-1]

    return macs


def _fused_product(inputs: Shapes, outputs: Shapes) -> int:
    # Either matrix may be transposed, so that what is summed over is found by division.
    first, answer = _known(inputs, 0), _known(outputs, 0)
    if len(first) < 2 or len(answer) < 2:
        return _matrix_product(0, 1)(inputs, outputs)
    return math.prod(answer) * (first[-1] * first[-2] // answer[-2])


def _packed_product(inputs: Shapes, outputs: Shapes) -> int:
    # The weights are packed by bits, so only the first operand tells what is summed over.
    return math.prod(_known(outputs, 0)) * _known(inputs, 0)[-1]


def _recurrence(inputs: Shapes, _outputs: Shapes) -> int:
    # X is (steps, batch, inputs) or (batch, steps, inputs); each step multiplies by all of the
    # weights W and R, both of shape (directions, ...).
    steps, batch, _width = _known(inputs, 0)
    return steps * batch * (math.prod(_known(inputs, 1)) + math.prod(_known(inputs, 2)))


def _packed_attention(inputs: Shapes, outputs: Shapes) -> int:
    # com.microsoft: one weight (inputs, queries + keys + values) makes all three.
    batch, length, _ = rows = _known(inputs, 0)
    projection = math.prod(rows) * _known(inputs, 1)[-1]
    value_width = _known(outputs, 0)[-1]
    query_width = (_known(inputs, 1)[-1] - value_width) // 2
    # The past is (2, batch, heads, length, width).
    past = sum(shape[3] for shape in inputs[2:] if shape is not None and len(shape) == 5)
    return projection + batch * length * (length + past) * (query_width + value_width)


def _attention(inputs: Shapes, outputs: Shapes) -> int:
    # com.microsoft has an operator of this name too, whose second operand is a weight matrix.
    if len(_known(inputs, 1)) == 2:
        return _packed_attention(inputs, outputs)
    queries, keys, answer = _known(inputs, 0), _known(inputs, 1), _known(outputs, 0)
    # The keys of the past and of now, where the operator answers them.
    key_count = keys[-2]
    if len(outputs) > 1 and len(_known(outputs, 1)) == 4:
        key_count = _known(outputs, 1)[2]
    if len(queries) != len(keys) or len(queries) not in (3, 4):
        raise UnknownShape("Attention")
    # (batch, length, heads x width), or (batch, heads, length, width).
    return math.prod(queries[:-1]) * key_count * (queries[-1] + answer[-1])


MAC_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("Conv", "ConvInteger", "DeformConv", "FusedConv"), _convolution(1)),
    "QLinearConv": _convolution(3),
    "ConvTranspose": _transposed_convolution,
    **dict.fromkeys(("Gemm", "FusedGemm", "QGemm"), _gemm),
    "MatMul": _matrix_product(0, 1),
    "MatMulInteger": _matrix_product(0, 1),
    "QLinearMatMul": _matrix_product(0, 3),
    "FusedMatMul": _fused_product,
    "DynamicQuantizeMatMul": _matrix_product(0, 1),
    "MatMulIntegerToFloat": _matrix_product(0, 1),
    **dict.fromkeys(("MatMulNBits", "MatMulBnb4", "MatMulFpQ4"), _packed_product),
    **dict.fromkeys(("LSTM", "GRU", "RNN", "DynamicQuantizeLSTM"), _recurrence),
    "QAttention": _packed_attention,
    **dict.fromkeys(("Attention", "MultiHeadAttention"), _attention),
}
