"""How onnxruntime gets the weights of other files: from memory, without opening any of them.

Its Python wrapper has no call that takes whole files from memory, only one that takes a value
for each weight of the main graph. All other tensors are put into the model's own bytes.
"""

import contextlib
import math
import mmap
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import onnxruntime
from onnx import ModelProto, TensorProto

from runner.external_data import (
    HANDED_OVER,
    MAX_FILLED_BYTES,
    Place,
    check_filled_bytes,
    fill,
    is_external,
    place_of,
)
from runner.tensors import inner_tensors
from runner.wire import Buffer

# Types that numpy knows, by its own codes; of the others the bits are handed over.
_NUMPY_TYPES: dict[int, str] = {
    **{TensorProto.FLOAT: "f4", TensorProto.FLOAT16: "f2", TensorProto.DOUBLE: "f8"},
    **{TensorProto.INT8: "i1", TensorProto.INT16: "i2", TensorProto.INT32: "i4"},
    **{TensorProto.UINT8: "u1", TensorProto.UINT16: "u2", TensorProto.UINT32: "u4"},
    **{TensorProto.INT64: "i8", TensorProto.UINT64: "u8", TensorProto.BOOL: "?"},
}
# Whatever the graph calls them: no name of a stranger's is left for anybody to open.
_ELSEWHERE = "handed-over"


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A model's bytes without its large weights, and these by name.

    The values only point at the numbers, in ``data`` for the most part: they and it have to
    outlive the session.
    """

    contents: bytes
    value_by_name: Mapping[str, onnxruntime.OrtValue] = field(default_factory=dict)
    data: Mapping[str, Buffer] = field(default_factory=dict)

    def forget_pages(self) -> None:
        """Let go of the memory that the data files take; what is still used is read again."""
        for mapped in self.data.values():
            if isinstance(mapped, mmap.mmap):
                # Else what kernels have packed for themselves would count twice for ever.
                with contextlib.suppress(OSError):
                    mapped.madvise(mmap.MADV_DONTNEED)


def hand_over(model: ModelProto, data: Mapping[str, Buffer]) -> HandedOver:
    """Return the whole ``model``, whose tensors lie in ``data``, as onnxruntime can be given it.

    ``model`` is changed. Raises Rejected as `place_of` does.
    """
    counts = Counter(tensor.name for tensor in model.graph.initializer)
    values: dict[str, onnxruntime.OrtValue] = {}
    filled: list[tuple[TensorProto, Place]] = []
    for tensor in model.graph.initializer:
        if not is_external(tensor):
            continue
        place = place_of(tensor, data)
        # A value is told from another by its name alone.
        is_known_by_name = bool(tensor.name) and counts[tensor.name] == 1
        is_large = place.byte_count > MAX_FILLED_BYTES
        if is_known_by_name and is_large and tensor.data_type in HANDED_OVER:
            values[tensor.name] = _value(tensor, place, data)
            _forget_place(tensor, byte_count=place.byte_count)
        else:
            filled.append((tensor, place))
    inner = (tensor for tensor in inner_tensors(model) if is_external(tensor))
    filled += [(tensor, place_of(tensor, data)) for tensor in inner]
    filled_bytes = sum(place.byte_count for _, place in filled)
    check_filled_bytes(filled_bytes, model_bytes=model.ByteSize())
    for tensor, place in filled:
        fill(tensor, place.content(data))
    return HandedOver(model.SerializeToString(), values, data)


def _forget_place(tensor: TensorProto, *, byte_count: int) -> None:
    """Leave of a tensor's place what onnxruntime wants of one whose value it is handed."""
    fill(tensor, None)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", _ELSEWHERE), ("offset", "0"), ("length", str(byte_count))):
        tensor.external_data.add(key=key, value=value)


def _value(tensor: TensorProto, place: Place, data: Mapping[str, Buffer]) -> onnxruntime.OrtValue:
    """A tensor's numbers where they lie, as onnxruntime has them when it opens the file itself."""
    shape = tuple(tensor.dims)
    count = math.prod(shape)
    code = _NUMPY_TYPES.get(tensor.data_type, f"u{place.byte_count // count}")
    dtype = np.dtype(code).newbyteorder("<")
    numbers = np.frombuffer(data[place.name], dtype, count, place.offset).reshape(shape)
    if not numbers.flags.aligned:
        numbers = numbers.copy()
    if tensor.data_type in _NUMPY_TYPES:
        return onnxruntime.OrtValue.ortvalue_from_numpy(numbers)
    return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(numbers, tensor.data_type)
