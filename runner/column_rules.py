"""What the operators of ``ai.onnx.ml`` tell of an input: its columns, and the texts they know.

Source of the operators' attributes: the ONNX-ML operator documentation.
"""

import itertools
import math

from runner.facts import Facts, Rule, size_at, values_at, weight_shape
from runner.traces import Use

MAX_WORDS = 20
MAX_WORD_LENGTH = 100


def _trees(use: Use) -> Facts:
    used = use.integers("nodes_featureids")
    if used:
        count = max(used) + 1
        why = f"the trees look at feature {max(used):,} and those before it"
        yield from size_at(use, (0, -1), "at_least", count, why)


def _coefficients(use: Use) -> Facts:
    weights = len(use.row("coefficients"))
    name = use.node.op_type
    if name.startswith("SVM"):
        row_count, weights = use.integer("n_supports", 0), len(use.row("support_vectors"))
        if name == "SVMClassifier":
            row_count = sum(use.integers("vectors_per_class") or (0,))
        if not row_count:
            weights, row_count = len(use.row("coefficients")), 1
    elif name == "LinearRegressor":
        row_count = use.integer("targets", 1)
    else:
        row_count = len(use.row("intercepts")) or 1
    if row_count and weights >= row_count:
        size = weights // row_count
        why = f"the {name} takes {size:,} features"
        yield from size_at(use, (0, -1), "exactly", size, why)


def _per_feature(*names: str) -> Rule:
    def rule(use: Use) -> Facts:
        size = max(len(use.row(name)) for name in names)
        if size > 1:
            why = f"the {use.node.op_type} takes {size:,} features"
            yield from size_at(use, (0, -1), "exactly", size, why)

    return rule


def _columns(use: Use) -> Facts:
    wanted = use.constant(1)
    if wanted is not None and wanted.integers:
        highest = max(wanted.integers)
        why = f"column {highest:,} is used, and those before it"
        yield from size_at(use, (0, -1), "at_least", highest + 1, why)
    shape = weight_shape(use, 0, rank=1)
    if shape:
        why = f"there are {shape[-1]:,} values to pick from"
        yield from values_at(use, 1, "range", 0, max(0, shape[-1] - 1), why=why)
    else:
        yield from values_at(use, 1, "weak", 0, 0, why="places in another value: the first")


def _categories(*names: str) -> Rule:
    def rule(use: Use) -> Facts:
        for name in names:
            keys = use.row(name)
            words = _readable(keys)
            numbers = tuple(
                key for key in keys if isinstance(key, int | float) and math.isfinite(key)
            )
            if words:
                why = f"texts that the {use.node.op_type} knows"
                yield from values_at(use, 0, "words", why=why, words=words)
            if numbers:
                yield from values_at(use, 0, "range", *run_of(numbers), why=_known(use))

    return rule


def _readable(keys: tuple[object, ...]) -> tuple[str, ...]:
    """The first texts in ``keys`` that can be told to the site and shown."""
    found = (key for key in keys if isinstance(key, str) and key.isprintable())
    return tuple(
        itertools.islice((key for key in found if 0 < len(key) <= MAX_WORD_LENGTH), MAX_WORDS)
    )


def _known(use: Use) -> str:
    return f"values that the {use.node.op_type} knows"


def run_of(numbers: tuple[int | float, ...]) -> tuple[int | float, int | float]:
    """The lowest of ``numbers``, and the highest that follows it without a gap."""
    known, low = set(numbers), min(numbers)
    high = low
    while high + 1 in known:
        high += 1
    return low, high


def _text_pool(use: Use) -> Facts:
    words = _readable(use.row("pool_strings"))
    if words:
        yield from values_at(use, 0, "words", why="texts that it counts", words=words)
    numbers = use.integers("pool_int64s")
    if numbers:
        yield from values_at(use, 0, "range", *run_of(numbers), why=_known(use))


COLUMN_RULES: dict[str, Rule] = {
    **dict.fromkeys(("TreeEnsembleClassifier", "TreeEnsembleRegressor", "TreeEnsemble"), _trees),
    **dict.fromkeys(
        ("LinearClassifier", "LinearRegressor", "SVMClassifier", "SVMRegressor"), _coefficients
    ),
    "Scaler": _per_feature("offset", "scale"),
    "Imputer": _per_feature("imputed_value_floats", "imputed_value_int64s"),
    "ArrayFeatureExtractor": _columns,
    "OneHotEncoder": _categories("cats_strings", "cats_int64s"),
    "CategoryMapper": _categories("cats_strings", "cats_int64s"),
    "LabelEncoder": _categories("keys_strings", "keys_int64s", "keys_floats", "classes_strings"),
    "DictVectorizer": _categories("string_vocabulary", "int64_vocabulary"),
    "TfIdfVectorizer": _text_pool,
}
