"""Which JSON the API takes: UTF-8, of a sane size and depth, with nothing a database chokes on."""

import json

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

# A run's settings are four levels deep.
MAX_DEPTH = 32


class StrictJSONParser(BaseParser):
    """Parse a JSON body, and refuse what would break further in.

    The framework's own parser sets no limit to a body's size and follows any ``charset``.
    """

    media_type = "application/json"

    def parse(self, stream, media_type=None, parser_context=None):
        """Return the body's plain values; ParseError says what is wrong with it."""
        text = _decoded(_read(stream))
        try:
            value = json.loads(text, parse_constant=_refuse_constant)
        except RecursionError as error:
            raise ParseError(f"The JSON is nested more than {MAX_DEPTH} levels deep.") from error
        except ValueError as error:
            raise ParseError(f"The body is not valid JSON: {error}") from error
        _check_values(value)
        return value


def _read(stream) -> bytes:
    limit_bytes = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body = stream.read(limit_bytes + 1)
    if len(body) > limit_bytes:
        raise RequestDataTooBig("The body is too long for a JSON request.")
    return body


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError("The body is not UTF-8.") from error


def _refuse_constant(name: str):
    raise ValueError(f"{name} is not a JSON number")


def _check_values(value) -> None:
    """Refuse deep nesting and texts that no database stores; without recursion itself."""
    waiting = [(value, 1)]
    while waiting:
        one, depth = waiting.pop()
        if isinstance(one, str):
            _check_text(one)
        elif isinstance(one, dict | list):
            if depth > MAX_DEPTH:
                raise ParseError(f"The JSON is nested more than {MAX_DEPTH} levels deep.")
            inner = [*one.keys(), *one.values()] if isinstance(one, dict) else one
            waiting.extend((part, depth + 1) for part in inner)


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise ParseError("The body holds a NUL character (\\u0000), which no text may hold.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ParseError("The body holds half of a surrogate pair, which is no text.") from error
