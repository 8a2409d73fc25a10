"""Weights that a model keeps in files beside it: which there are, where they lie, what is refused.

Source of the entries and their meaning: ONNX, docs/ExternalData.md, version 1.23.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from onnx import ModelProto, TensorProto

from runner.data_names import meant_by, plain_name
from runner.errors import Rejected
from runner.tensors import inner_tensors
from runner.wire import SMALL_PAYLOAD_BYTES, Buffer

# What shapes are told from is smaller: up to here a tensor is put into the model itself, where
# the inference of shapes finds it, which reads no other file.
MAX_FILLED_BYTES = SMALL_PAYLOAD_BYTES
# What protobuf can write, with some room for the model around it.
MAX_MODEL_BYTES = 2**31 - 2**20
MAX_SHOWN_NAME = 100

_BITS: dict[int, int] = {
    **dict.fromkeys((TensorProto.UINT2, TensorProto.INT2), 2),
    **dict.fromkeys((TensorProto.UINT4, TensorProto.INT4, TensorProto.FLOAT4E2M1), 4),
    **dict.fromkeys((TensorProto.UINT8, TensorProto.INT8, TensorProto.BOOL), 8),
    **dict.fromkeys((TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT8E4M3FNUZ), 8),
    **dict.fromkeys((TensorProto.FLOAT8E5M2, TensorProto.FLOAT8E5M2FNUZ), 8),
    TensorProto.FLOAT8E8M0: 8,
    **dict.fromkeys((TensorProto.UINT16, TensorProto.INT16), 16),
    **dict.fromkeys((TensorProto.FLOAT16, TensorProto.BFLOAT16), 16),
    **dict.fromkeys((TensorProto.UINT32, TensorProto.INT32, TensorProto.FLOAT), 32),
    **dict.fromkeys((TensorProto.UINT64, TensorProto.INT64, TensorProto.DOUBLE), 64),
    TensorProto.COMPLEX64: 64,
    TensorProto.COMPLEX128: 128,
}
# What onnxruntime can be handed as a value: types whose numbers have whole bytes.
HANDED_OVER: frozenset[int] = frozenset(
    dtype for dtype, bits in _BITS.items() if bits >= 8 and dtype != TensorProto.FLOAT8E8M0
) - {TensorProto.COMPLEX64, TensorProto.COMPLEX128}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the numbers of one tensor lie: in which data file, and which of its bytes."""

    name: str
    offset: int
    byte_count: int

    def content(self, data: Mapping[str, Buffer]) -> bytes:
        """Return a copy of these bytes."""
        return bytes(data[self.name][self.offset : self.offset + self.byte_count])


def is_external(tensor: TensorProto) -> bool:
    """Whether a tensor's numbers lie in another file."""
    return bool(tensor.data_location == TensorProto.EXTERNAL)


def take_in(model: ModelProto, data: Mapping[str, Buffer], *, model_bytes: int = 0) -> None:
    """Make the skeleton of a model what it would be, had it kept its weights itself.

    Small tensors are filled in from ``data``, of the others the place is forgotten: their
    payloads would have been left out. ``model_bytes`` is the size of the .onnx file.
    Raises Rejected where a file is missing, is not used, is meant twice, or does not hold what
    the model says.
    """
    used: dict[str, str] = {}
    inner_bytes = 0
    for is_inner, tensors in ((False, model.graph.initializer), (True, inner_tensors(model))):
        for tensor in tensors:
            if not is_external(tensor):
                continue
            place = place_of(tensor, data)
            location = _plain_location(_entries(tensor).get("location", ""))
            if used.setdefault(place.name, location) != location:
                raise _meant_twice(place.name, used[place.name], location)
            if is_inner or tensor.data_type not in HANDED_OVER:
                inner_bytes += place.byte_count
            is_small = place.byte_count <= MAX_FILLED_BYTES
            fill(tensor, place.content(data) if is_small else None)
    _check_all_used(data, set(used))
    check_filled_bytes(inner_bytes, model_bytes=model_bytes)


def place_of(tensor: TensorProto, data: Mapping[str, Buffer]) -> Place:
    """Return where the numbers of an external ``tensor`` lie in ``data``; raises Rejected."""
    said = _entries(tensor)
    name = _file_of(_plain_location(said.get("location", "")), data)
    offset, wanted = _number(said.get("offset", "0")), _byte_count(tensor)
    length = _number(said["length"]) if "length" in said else wanted
    if length != wanted:
        raise _misfit(
            tensor,
            f"takes {wanted:,} bytes by its type and shape, and the model states {length:,}",
        )
    if offset + length > len(data[name]):
        raise _misfit(
            tensor,
            f"ends at byte {offset + length:,} of “{_shown(name)}”, which has {len(data[name]):,}",
        )
    return Place(name, offset, length)


def fill(tensor: TensorProto, content: bytes | None) -> None:
    """Have ``tensor`` hold ``content`` itself; None for a payload that is left out."""
    for field in ("external_data", "data_location", "raw_data", *_TYPED_PAYLOADS):
        tensor.ClearField(field)
    if content is not None:
        tensor.raw_data = content


_TYPED_PAYLOADS = (
    *("float_data", "int32_data", "string_data", "int64_data", "double_data", "uint64_data"),
)


def check_filled_bytes(filled_bytes: int, *, model_bytes: int) -> None:
    """Raise Rejected where a model is too large with what has to be put into its own file."""
    if filled_bytes + model_bytes > MAX_MODEL_BYTES:
        raise Rejected(
            "external_data_kind",
            "This model keeps more than 2 GiB of numbers in other files that onnxruntime takes "
            "only from the model itself: those of inner graphs, of attributes and of types with "
            "fewer than 8 bits. Export it with them as weights of the main graph.",
        )


def _check_all_used(data: Mapping[str, Buffer], used: set[str]) -> None:
    unused = sorted(data.keys() - used)
    if unused:
        more = f" and {len(unused) - 1} more" if len(unused) > 1 else ""
        raise Rejected(
            "unused_data",
            f"The model does not use “{_shown(unused[0])}”{more}, which came with it. Upload the "
            "model again with the files that it keeps its weights in and no others.",
        )


def _entries(tensor: TensorProto) -> dict[str, str]:
    entries: dict[str, str] = {}
    for entry in tensor.external_data:
        # Two programs would take one each.
        if entry.key in entries:
            raise _misfit(tensor, "is said to lie in two places")
        entries[entry.key] = entry.value
    return entries


def _plain_location(location: object) -> str:
    # protobuf hands out bytes, not text, where a name is no UTF-8.
    plain = plain_name(location) if isinstance(location, str) else None
    if plain is None:
        raise Rejected(
            "external_data",
            f"This model wants to read its weights from “{_shown(location)}”, which is no file "
            "beside it. Save it again with its weights in files of the same folder (onnx.save "
            "with save_as_external_data), and upload them together.",
        )
    return plain


def _file_of(location: str, data: Iterable[str]) -> str:
    name = meant_by(location, list(data))
    if name is None:
        raise Rejected(
            "external_data",
            f"This model keeps its weights in another file, “{_shown(location)}”, which was not "
            "uploaded with it. Choose the .onnx file and all of its data files at once, or put "
            "them into one .zip.",
        )
    return name


def _meant_twice(name: str, first: str, second: str) -> Rejected:
    return Rejected(
        "external_data",
        f"This model keeps weights in “{_shown(first)}” and in “{_shown(second)}”, and of these "
        f"only “{_shown(name)}” was uploaded with it. Put the .onnx file and all of its data "
        "files, in their folders, into one .zip and upload that.",
    )


def _number(text: object) -> int:
    # int() takes signs, blanks and underscores too.
    if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= 19:
        return int(text)
    raise Rejected(
        "external_data_misfit",
        "This model states places in its data files that are no numbers, so it is damaged. "
        "Export the model again and upload the new files.",
    )


def _byte_count(tensor: TensorProto) -> int:
    bits = _BITS.get(tensor.data_type)
    if bits is None:
        raise _misfit(tensor, "is of a type, such as text, that no other file can hold")
    if any(size < 0 for size in tensor.dims):
        raise _misfit(tensor, "has an impossible size")
    return (int(math.prod(tensor.dims)) * bits + 7) // 8


def _misfit(tensor: TensorProto, what: str) -> Rejected:
    return Rejected(
        "external_data_misfit",
        f"The model and its data files do not belong together: the tensor "
        f"“{_shown(tensor.name)}” {what}. Save the model again and upload all its files.",
    )


def _shown(name: object) -> str:
    text = name if isinstance(name, str) else "?"
    clean = "".join(character if character.isprintable() else "?" for character in text)
    return clean if len(clean) <= MAX_SHOWN_NAME else clean[:MAX_SHOWN_NAME] + "…"
