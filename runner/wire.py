"""A model file read as a stream of protobuf fields, so that weights never enter memory.

`skeleton` copies everything of a file but its bulky payloads, whatever the file's size, and
refuses what would grow out of proportion when it is parsed: `onnx.load` turns 8 MiB of empty
nodes into 600 MiB.

Source of the field numbers: onnx.proto of ONNX 1.23, https://github.com/onnx/onnx
"""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from mmap import mmap

from runner.errors import Rejected

Buffer = mmap | bytes

MAX_NODE_COUNT = 50_000
MAX_FIELD_COUNT = 2_000_000
MAX_SKELETON_BYTES = 128 * 2**20
MAX_GRAPH_DEPTH = 12
MAX_MESSAGE_DEPTH = 64
# What a payload may have and still be copied: shapes, axes and scales are far smaller.
SMALL_PAYLOAD_BYTES = 4_096
MAX_TEXT_BYTES = 65_536
# A tree ensemble says only here how many features it takes: kept beyond what is small.
_FEATURE_IDS = b"nodes_featureids"
MAX_FEATURE_BYTES = 4 * 2**20

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
# The largest number that protobuf gives a field.
_MAX_FIELD_NUMBER = 2**29 - 1

_ZIP_END_BYTES = 22

COPY = "copy"
PAYLOAD = "payload"

# What becomes of each known field of each kind of message: copied, copied when small, or
# walked as the kind of message named. All others are left out.
_FIELDS: Mapping[str, Mapping[int, str]] = {
    "model": {1: COPY, 2: COPY, 3: COPY, 7: "graph", 8: "opset", 25: "function"},
    "opset": {1: COPY, 2: COPY},
    "graph": {
        **{1: "node", 2: COPY, 5: "tensor", 11: "value", 12: "value", 13: "value"},
        15: "sparse",
    },
    "node": {1: COPY, 2: COPY, 3: COPY, 4: COPY, 5: "attribute", 7: COPY, 8: COPY},
    "attribute": {
        **{1: COPY, 2: COPY, 3: COPY, 4: PAYLOAD, 5: "tensor", 6: "graph", 7: PAYLOAD},
        **{8: PAYLOAD, 9: PAYLOAD, 10: "tensor", 11: "graph", 14: "type", 15: "type"},
        **{20: COPY, 21: COPY, 22: "sparse", 23: "sparse"},
    },
    "tensor": {
        **{1: COPY, 2: COPY, 4: PAYLOAD, 5: PAYLOAD, 6: PAYLOAD, 7: PAYLOAD, 8: COPY},
        **{9: PAYLOAD, 10: PAYLOAD, 11: PAYLOAD, 13: "entry", 14: COPY},
    },
    "entry": {1: COPY, 2: COPY},
    "sparse": {1: "tensor", 2: "tensor", 3: COPY},
    "function": {
        **{1: COPY, 4: COPY, 5: COPY, 6: COPY, 7: "node", 9: "opset", 10: COPY},
        **{11: "attribute", 12: "value", 13: COPY},
    },
    "value": {1: COPY, 2: "type"},
    "type": {1: "tensor_type", 4: "element", 5: "map", 6: COPY, 8: "tensor_type", 9: "element"},
    "tensor_type": {1: COPY, 2: "shape"},
    "element": {1: "type"},
    "map": {1: COPY, 2: "type"},
    "shape": {1: "dimension"},
    "dimension": {1: COPY, 2: COPY, 3: COPY},
}


_MODEL_FIELDS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 14})


class _OutOfBounds(Exception):
    """A field that runs on beyond the message that holds it, to ``end``."""

    def __init__(self, end: int) -> None:
        super().__init__(end)
        self.end = end


@dataclass(frozen=True, slots=True)
class _Field:
    """One field: where its tag starts, where its content starts and ends."""

    number: int
    wire_type: int
    start: int
    content: int
    end: int


def skeleton(data: Buffer) -> bytes:
    """Return the model in ``data`` as serialised ModelProto bytes without its bulky payloads.

    Raises Rejected for what is no model, is cut short, or is out of all proportion.
    """
    _check_first_field(data)
    _check_nothing_else(data)
    try:
        return _Walker(data).walk("model", _Field(0, _LENGTH, 0, 0, len(data)))
    except _OutOfBounds as problem:
        if problem.end > len(data):
            raise Rejected("truncated", _truncated_sentence(data, problem.end)) from problem
        raise Rejected(
            "damaged",
            "This file starts like an ONNX model but its parts do not fit together. "
            "Export the model again and upload the new file.",
        ) from problem


def _truncated_sentence(data: Buffer, wanted_bytes: int) -> str:
    # A damaged length can be any number: an absurd one says nothing worth repeating.
    missing = ""
    if wanted_bytes < 2**40:
        missing = f": {wanted_bytes - len(data):,} bytes or more are missing"
    return f"The file ends in the middle of the model{missing}. Upload the complete file."


def _check_first_field(data: Buffer) -> None:
    # ModelProto's own fields: numbers for 1 and 5, the others have a length.
    number, wire_type = data[0] >> 3, data[0] & 7
    wanted = _VARINT if number in (1, 5) else _LENGTH
    if number not in _MODEL_FIELDS or wire_type != wanted or _is_text(bytes(data[:512])):
        raise Rejected("not_onnx", _not_onnx_sentence(data))


def _check_nothing_else(data: Buffer) -> None:
    """Refuse a model that another program takes for a file of its own kind.

    A ZIP is read from its end (PKWARE, APPNOTE 4.3.16: a record of 22 bytes and a comment), a
    PDF wherever its mark stands in the first 1,024 bytes.
    """
    kind = "a PDF" if b"%PDF-" in bytes(data[:1024]) else None
    ending = bytes(data[max(0, len(data) - _ZIP_END_BYTES - 0xFFFF) :])
    at = ending.rfind(b"PK\x05\x06")
    while at >= 0 and kind is None:
        comment_bytes = int.from_bytes(ending[at + 20 : at + _ZIP_END_BYTES], "little")
        if at + _ZIP_END_BYTES + comment_bytes == len(ending):
            kind = "a ZIP archive"
        at = ending.rfind(b"PK\x05\x06", 0, at)
    if kind is not None:
        raise Rejected(
            "two_kinds",
            f"This file is an ONNX model and {kind} at once, which no exporter writes. "
            "Export the model again and upload that file.",
        )


def _not_onnx_sentence(data: Buffer) -> str:
    beginning = bytes(data[:512])
    kinds = {
        b"PK\x03\x04": "a ZIP archive (a PyTorch or Keras file, perhaps)",
        b"\x89HDF": "an HDF5 file (a Keras model, perhaps)",
        b"\x80\x02": "a Python pickle",
        b"\x80\x04": "a Python pickle",
        b"\x1f\x8b": "a gzip archive",
        b"%PDF": "a PDF",
        b"\x89PNG": "a picture",
    }
    kind = next((name for magic, name in kinds.items() if beginning.startswith(magic)), None)
    if kind is None and beginning[4:8] == b"TFL3":
        kind = "a TensorFlow Lite model"
    if kind is None and _is_text(beginning):
        kind = "a text file"
    return (
        f"This is {kind or 'some other kind of file'}, not an ONNX model. "
        "Export your model to ONNX and upload the .onnx file."
    )


def _is_text(beginning: bytes) -> bool:
    # Incremental, because the beginning may end in the middle of a character.
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        text = decoder.decode(beginning)
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\r\n\t\f" for character in text)


def _read_varint(data: Buffer, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise _OutOfBounds(end + 1 if shift < 70 else end)


def _read_field(data: Buffer, start: int, end: int) -> _Field:
    tag, at = _read_varint(data, start, end)
    number, wire_type = tag >> 3, tag & 7
    # Of a tag beyond 32 bits the runtime takes the lower ones, and so reads another field.
    if not 1 <= number <= _MAX_FIELD_NUMBER:
        raise _OutOfBounds(end)
    content = at
    if wire_type == _VARINT:
        _, at = _read_varint(data, at, end)
    elif wire_type == _LENGTH:
        length, content = _read_varint(data, at, end)
        at = content + length
    elif wire_type in (_FIXED64, _FIXED32):
        at += 8 if wire_type == _FIXED64 else 4
    else:
        # Groups (3, 4) are no part of ONNX; 6 and 7 are no part of protobuf.
        raise _OutOfBounds(end)
    if at > end:
        raise _OutOfBounds(at)
    return _Field(number, wire_type, start, content, at)


@cache
def _run_of(wire_type: int, tag: int) -> re.Pattern[bytes]:
    """Any number of whole fields of one tag; possessive, so that none is gone back over."""
    content = {_FIXED32: rb".{4}", _FIXED64: rb".{8}"}.get(wire_type, rb"[\x80-\xff]*+[\x00-\x7f]")
    return re.compile(rb"(?:" + re.escape(bytes((tag,))) + content + rb")*+", re.DOTALL)


def _encoded_varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


class _Walker:
    """Copies a file's messages, keeping count of what the copy will cost."""

    def __init__(self, data: Buffer) -> None:
        self._data = data
        self._node_count = 0
        self._field_count = 0
        self._copied_bytes = 0
        self._model_graph_count = 0
        self._feature_bytes_left = MAX_FEATURE_BYTES

    def walk(self, kind: str, message: _Field, *, depth: int = 0, graph_depth: int = 0) -> bytes:
        """Return the copy of ``message``, which is of ``kind``."""
        self._enter(kind, depth=depth, graph_depth=graph_depth)
        actions = _FIELDS[kind]
        copied: list[bytes] = []
        payload_bytes = 0
        at = message.content
        while at < message.end:
            field = self._next_field(at, end=message.end)
            at = field.end
            action = actions.get(field.number)
            if action == PAYLOAD:
                payload_bytes += field.end - field.start
                if payload_bytes > SMALL_PAYLOAD_BYTES:
                    at = self._end_of_run(field, end=message.end)
                    if kind == "attribute" and copied and copied[0].endswith(_FEATURE_IDS):
                        copied.append(self._copy_run(field, end=at))
                    continue
            if action in (COPY, PAYLOAD):
                copied.append(self._copy(field))
            elif action is not None and field.wire_type == _LENGTH:
                inner_depth = graph_depth + (action == "graph")
                inner = self.walk(action, field, depth=depth + 1, graph_depth=inner_depth)
                copied += (self._tag(field), _encoded_varint(len(inner)), inner)
        return b"".join(copied)

    def _enter(self, kind: str, *, depth: int, graph_depth: int) -> None:
        if depth > MAX_MESSAGE_DEPTH or graph_depth > MAX_GRAPH_DEPTH:
            raise Rejected(
                "nested_too_deep",
                f"The graphs in this model are nested more than {MAX_GRAPH_DEPTH} deep, which "
                "carbonsite does not read. Simplify its loops and conditions and export it again.",
            )
        if kind == "graph" and depth == 1:
            self._model_graph_count += 1
            if self._model_graph_count > 1:
                raise Rejected(
                    "two_graphs",
                    "This file holds two models, one after the other. "
                    "Upload each as a file of its own.",
                )
        if kind == "node":
            self._node_count += 1
            if self._node_count > MAX_NODE_COUNT:
                raise Rejected(
                    "too_many_nodes",
                    f"This model has more than {MAX_NODE_COUNT:,} nodes, the most that "
                    "carbonsite takes. Simplify the graph (onnxsim may help) and upload it again.",
                )

    def _next_field(self, at: int, *, end: int) -> _Field:
        self._field_count += 1
        if self._field_count > MAX_FIELD_COUNT:
            raise _too_large()
        return _read_field(self._data, at, end)

    def _end_of_run(self, field: _Field, *, end: int) -> int:
        """Where a run of numbers like ``field`` ends.

        A tree ensemble's million thresholds are a million fields where they are not packed,
        so the run is crossed without reading each as a field.
        """
        data, at = self._data, field.end
        tag = data[field.start]
        if tag >= 0x80:
            return at
        if field.wire_type == _LENGTH:
            # Texts, such as the kind of each of its nodes; a long one is read as a field.
            while at + 1 < end and data[at] == tag and (length := data[at + 1]) < 0x80:
                at += 2 + length
        elif run := _run_of(field.wire_type, tag).match(data, at, end):
            at = run.end()
        if at > end:
            raise _OutOfBounds(at)
        return at

    def _copy(self, field: _Field) -> bytes:
        size = field.end - field.start
        if size > MAX_TEXT_BYTES:
            raise _too_large()
        self._copied_bytes += size
        if self._copied_bytes > MAX_SKELETON_BYTES:
            raise _too_large()
        return bytes(self._data[field.start : field.end])

    def _copy_run(self, field: _Field, *, end: int) -> bytes:
        size = end - field.start
        if size > self._feature_bytes_left:
            return b""
        self._feature_bytes_left -= size
        self._copied_bytes += size
        return bytes(self._data[field.start : end])

    def _tag(self, field: _Field) -> bytes:
        self._copied_bytes += 8
        return _encoded_varint(field.number << 3 | _LENGTH)


def _too_large() -> Rejected:
    return Rejected(
        "too_large_structure",
        "Apart from its weights this model is far larger than any that carbonsite has met, so "
        "it was not read. Simplify the graph and export it again.",
    )
