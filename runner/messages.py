"""How a frozen dataclass crosses the process border as JSON, and what is refused on the way back.

The child may have been taken over by the model it ran, so nothing that it wrote is trusted:
types are exact, numbers finite, texts clean, and everything has a largest size.
"""

import json
import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from runner.errors import Nonsense

MAX_TEXT_LENGTH = 4_096
MAX_ITEM_COUNT = 10_000
INT64_LIMIT = 2**63

T = TypeVar("T")


def to_json(message: Any) -> str:
    """Return the JSON text of a dataclass, or of a mapping of plain values."""
    plain = asdict(message) if is_dataclass(message) and not isinstance(message, type) else message
    return json.dumps(plain, allow_nan=False)


def parse_json(text: str | bytes) -> object:
    """Return the plain value of a JSON text, without NaN and infinities.

    Raises Nonsense for anything that is not JSON, and for nesting that exhausts the parser.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Nonsense("", "this is not readable JSON") from error


def decode(kind: type[T], value: object, field: str = "") -> T:
    """Return the plain JSON ``value`` as an instance of ``kind``, a dataclass or a plain type.

    Fields may be plain types, literals, unions, tuples, dicts of texts and other dataclasses.
    Raises Nonsense, naming the field, when the value does not fit exactly.
    """
    return cast(T, _decode(kind, value, field))


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number that JSON knows")


def _decode(kind: Any, value: object, field: str) -> object:
    origin = get_origin(kind)
    if kind in (bool, int, float, str, type(None)):
        return _decode_plain(kind, value, field)
    if origin in (Union, types.UnionType):
        return _decode_union(get_args(kind), value, field)
    if origin is Literal:
        return _decode_literal(get_args(kind), value, field)
    if origin is tuple:
        return _decode_tuple(get_args(kind), value, field)
    if origin is dict:
        return _decode_dict(get_args(kind)[1], value, field)
    if is_dataclass(kind):
        return _decode_dataclass(kind, value, field)
    raise TypeError(f"{kind!r} cannot cross the border")


def _decode_plain(kind: type, value: object, field: str) -> object:
    if kind is float and type(value) is int:
        value = _float_of(value, field)
    if type(value) is not kind:
        raise Nonsense(field, f"must be {_spoken(kind)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise Nonsense(field, "must be a finite number")
    if type(value) is int and not -INT64_LIMIT <= value < INT64_LIMIT:
        raise Nonsense(field, "is too large a number")
    if isinstance(value, str):
        _check_text(value, field)
    return value


def _float_of(value: int, field: str) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise Nonsense(field, "is too large a number") from error


def _spoken(kind: type) -> str:
    return {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "a text",
        type(None): "null",
    }[kind]


def _check_text(text: str, field: str) -> None:
    if len(text) > MAX_TEXT_LENGTH:
        raise Nonsense(field, "is too long a text")
    # NUL and lone surrogates are valid in JSON and fatal in PostgreSQL.
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        raise Nonsense(field, "holds characters that are no text")


def _decode_union(kinds: tuple[Any, ...], value: object, field: str) -> object:
    problem = Nonsense(field, "must not be null")
    for kind in kinds:
        try:
            return _decode(kind, value, field)
        except Nonsense as error:
            if kind is not type(None):
                problem = error
    raise problem


def _decode_literal(allowed: tuple[Any, ...], value: object, field: str) -> object:
    for choice in allowed:
        if type(choice) is type(value) and choice == value:
            return choice
    spoken = ", ".join(str(choice) for choice in allowed)
    raise Nonsense(field, f"must be one of: {spoken}")


def _decode_tuple(kinds: tuple[Any, ...], value: object, field: str) -> object:
    if not isinstance(value, list | tuple):
        raise Nonsense(field, "must be a list")
    if kinds[-1] is Ellipsis:
        _check_count(len(value), field)
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise Nonsense(field, f"must be a list of {len(kinds)} values")
    return tuple(
        _decode(kind, item, f"{field}[{index}]")
        for index, (kind, item) in enumerate(zip(kinds, value, strict=True))
    )


def _decode_dict(kind: Any, value: object, field: str) -> object:
    if not isinstance(value, Mapping):
        raise Nonsense(field, "must be an object of names and values")
    _check_count(len(value), field)
    decoded = {}
    for name, item in value.items():
        key = _decode_plain(str, name, field)
        decoded[key] = _decode(kind, item, f"{field}.{name}")
    return decoded


def _check_count(count: int, field: str) -> None:
    if count > MAX_ITEM_COUNT:
        raise Nonsense(field, f"holds more than {MAX_ITEM_COUNT:,} values")


def _decode_dataclass(kind: Any, value: object, field: str) -> object:
    if not isinstance(value, Mapping):
        raise Nonsense(field, "must be an object")
    hints = get_type_hints(kind)
    prefix = f"{field}." if field else ""
    unknown = sorted(str(name) for name in value.keys() - hints.keys())
    if unknown:
        raise Nonsense(f"{prefix}{unknown[0][:60]}", "is not a known field")
    decoded = {}
    for declared in fields(kind):
        if declared.name in value:
            hint = hints[declared.name]
            decoded[declared.name] = _decode(hint, value[declared.name], prefix + declared.name)
        elif _is_required(declared):
            raise Nonsense(f"{prefix}{declared.name}", "is missing")
    return kind(**decoded)


def _is_required(declared: "Field[Any]") -> bool:
    return declared.default is MISSING and declared.default_factory is MISSING
