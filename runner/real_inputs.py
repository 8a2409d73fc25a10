"""Real inputs out of a user's ``.npz``: read without trusting it, checked against the model.

What the arrays are is read from their headers with the standard library alone, so that the
web process can check a file without numpy and without loading an array.
"""

import math
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from runner.descriptions import TensorDescription
from runner.errors import InputProblem
from runner.job import InputChoices, Job
from runner.npy_header import MAX_HEADER_BYTES, read_header
from runner.npz_archive import FIELD, ZIP_ERRORS, check_members, opened

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What the answers should be, beside the inputs: fed to no model.
LABELS = "labels"
MAX_RANK = 32
_ITEM_BYTES = {
    **{f"int{8 * size}": (f"i{size}", size) for size in (1, 2, 4, 8)},
    **{f"uint{8 * size}": (f"u{size}", size) for size in (1, 2, 4, 8)},
    **{f"float{8 * size}": (f"f{size}", size) for size in (2, 4, 8)},
    "bool": ("b1", 1),
}
_DTYPE_BY_CODE = {code: (dtype, size) for dtype, (code, size) in _ITEM_BYTES.items()}
# Texts of so many characters: more digits than any array that may be sent has bytes.
_TEXT_CODE = re.compile(r"U([0-9]{1,9})")


def real_values(
    job: Job, declared: Sequence[TensorDescription]
) -> "dict[str, NDArray[Any]] | None":
    """Return the arrays that ``job`` brings, checked against ``declared``; None where it has none.

    Raises InputProblem, its field naming the array, for what the model cannot be fed with.
    """
    if job.values_path is None:
        return None
    path = Path(job.values_path)
    found = without_labels(declared, describe_values(path))
    check_values(declared, found)
    check_batch_size(declared, found, batch_size=job.batch_size)
    return read_values(path, found, declared)


def describe_values(path: Path) -> tuple[TensorDescription, ...]:
    """Return name, type and shape of each array in the ``.npz`` at ``path``.

    Only headers are read. Raises InputProblem when it is no such file, or too large a one.
    """
    with opened(path) as archive:
        members = archive.infolist()
        check_members(members)
        return tuple(_described(archive, member) for member in members)


def without_labels(
    descriptions: Sequence[TensorDescription], found: Sequence[TensorDescription]
) -> tuple[TensorDescription, ...]:
    """Return the arrays in ``found`` that are fed: not the labels, unless an input is so called."""
    is_input = any(one.name == LABELS for one in descriptions)
    return tuple(one for one in found if is_input or one.name != LABELS)


def check_values(
    descriptions: Sequence[TensorDescription], found: Sequence[TensorDescription]
) -> None:
    """Raise InputProblem when an array in ``found`` does not fit the input of its name."""
    by_name = {one.name: one for one in descriptions}
    if not found:
        raise InputProblem(FIELD, "This file holds no arrays. Save it with numpy.savez.")
    for array in found:
        field = f"{FIELD}.{array.name}"
        declared = by_name.get(array.name)
        if declared is None:
            listed = ", ".join(f"“{name[:60]}”" for name in list(by_name)[:20]) or "none"
            raise InputProblem(
                field,
                f"The file has an array called “{array.name[:100]}”, and the model no such "
                f"input. Its inputs are: {listed}. Name each array like its input.",
            )
        _check_type(field, array, declared)
        _check_sizes(field, array, declared)
    _check_shared_sizes(by_name, found)


def batch_size_of(
    descriptions: Sequence[TensorDescription], found: Sequence[TensorDescription]
) -> int | None:
    """Return the first size of the first array whose input leaves it free, the batch size.

    None where no array says it: then any batch size that the model takes is possible.
    """
    arrays = {one.name: one for one in found}
    for declared in descriptions:
        if not declared.shape:
            continue
        if isinstance(declared.shape[0], int) or _is_guessed_first(declared):
            continue
        array = arrays.get(declared.name)
        return int(array.shape[0]) if array and array.shape and array.shape[0] else None
    return None


def check_batch_size(
    descriptions: Sequence[TensorDescription],
    found: Sequence[TensorDescription],
    *,
    batch_size: int,
) -> None:
    """Raise InputProblem when the arrays hold another number of items than the batch size says.

    The latency of one inference is a call's divided by the batch size, so the two are one.
    """
    size = batch_size_of(descriptions, found)
    if size is not None and size != batch_size:
        raise InputProblem(
            "batch_size",
            f"The file holds {size:,} item{'s' * (size != 1)} at once, and the batch size is "
            f"{batch_size:,}. Set the batch size to {size:,}, so that the latency is that of one "
            "item.",
        )


def with_shapes(choices: InputChoices, shapes: Mapping[str, Sequence[int]]) -> InputChoices:
    """Return ``choices`` with the ``shapes`` of real arrays, by input, in place of chosen ones."""
    real = {name: tuple(int(size) for size in shape) for name, shape in shapes.items()}
    return replace(choices, shapes={**choices.shapes, **real})


def read_values(
    path: Path,
    found: Sequence[TensorDescription],
    declared: Sequence[TensorDescription],
    *,
    first_counts: Mapping[str, int] | None = None,
) -> "dict[str, NDArray[Any]]":
    """Return the arrays of the ``.npz`` at ``path`` by name, as the model wants them.

    ``found`` is what `describe_values` said of it. Of an array in ``first_counts`` only so many
    items are returned, or all where there are fewer. Raises InputProblem for a damaged file.
    """
    import numpy as np

    counts = first_counts or {}
    is_text = {one.name: one.dtype == "string" for one in declared}
    arrays: dict[str, NDArray[Any]] = {}
    with opened(path) as archive:
        for one in found:
            try:
                with archive.open(f"{one.name}.npy") as file:
                    array = _read_array(file, counts.get(one.name))
            except (OSError, ValueError, EOFError, KeyError, *ZIP_ERRORS) as error:
                raise _damaged(one.name) from error
            native = array.astype(array.dtype.newbyteorder("="), copy=False)
            text = native.astype(object) if is_text.get(one.name) else native
            arrays[one.name] = np.ascontiguousarray(text).reshape(array.shape)
    return arrays


def _read_array(file: IO[bytes], first_count: int | None) -> "NDArray[Any]":
    import numpy as np

    if first_count is None:
        whole: NDArray[Any] = np.lib.format.read_array(
            file, allow_pickle=False, max_header_size=MAX_HEADER_BYTES
        )
        return whole
    header = read_header(file)
    dtype, shape = np.dtype(str(header.code)), header.shape
    if header.is_by_columns:
        # Its items do not lie one after the other.
        columns = np.frombuffer(file.read(), dtype).reshape(shape, order="F")
        return np.array(columns[:first_count], order="C")
    part = (min(first_count, shape[0]), *shape[1:])
    content = file.read(math.prod(part) * dtype.itemsize)
    return np.frombuffer(content, dtype).reshape(part).copy()


def _described(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> TensorDescription:
    name = member.filename.removesuffix(".npy")
    try:
        with archive.open(member) as file:
            header = read_header(file)
    except (OSError, ValueError, EOFError, *ZIP_ERRORS) as error:
        raise _damaged(name) from error
    dtype, item_bytes = _dtype_of(name, header.code)
    if len(header.shape) > MAX_RANK or any(size >= 2**31 for size in header.shape):
        raise _damaged(name)
    # What the archive says of itself could be a lie; the array's own size is another witness.
    if math.prod(header.shape) * item_bytes + header.byte_count != member.file_size:
        raise _damaged(name)
    return TensorDescription(name, dtype, header.shape)


def _dtype_of(name: str, described: str | None) -> tuple[str, int]:
    code = (described or "")[1:]
    if code in _DTYPE_BY_CODE:
        return _DTYPE_BY_CODE[code]
    if text := _TEXT_CODE.fullmatch(code):
        return "string", 4 * int(text[1])
    if code.startswith("O"):
        raise InputProblem(
            f"{FIELD}.{name}",
            f"“{name[:100]}” is an array of Python objects, which are not read: they could run "
            "code. Save texts as numpy.array(texts, dtype=str).",
        )
    raise InputProblem(
        f"{FIELD}.{name}",
        f"“{name[:100]}” holds values of a type that no input takes. Save whole or floating "
        "point numbers, booleans or texts.",
    )


def _damaged(name: str) -> InputProblem:
    return InputProblem(
        f"{FIELD}.{name}",
        f"“{name[:100]}” cannot be read: the file is damaged. Save it again with numpy.savez.",
    )


def _check_type(field: str, array: TensorDescription, declared: TensorDescription) -> None:
    # numpy has no bfloat16: its bits come as uint16.
    wanted = "uint16" if declared.dtype == "bfloat16" else declared.dtype
    if array.dtype == wanted:
        return
    if "(" in wanted:
        raise InputProblem(
            field,
            f"“{declared.name[:100]}” is a {wanted}, which no array can be. Leave it out of the "
            "file: it is made up.",
        )
    advice = "dtype=str" if wanted == "string" else f"array.astype(numpy.{wanted})"
    raise InputProblem(
        field,
        f"“{declared.name[:100]}” is {array.dtype} in the file, and the model takes {wanted}. "
        f"Save it as that ({advice}).",
    )


def _check_sizes(field: str, array: TensorDescription, declared: TensorDescription) -> None:
    sizes = array.shape or ()
    spoken = "[" + ", ".join(str(size) for size in sizes) + "]"
    hinted = declared.hint.sizes if declared.hint else ()
    if any(
        size == 0 and (axis >= len(hinted) or hinted[axis] != 0) for axis, size in enumerate(sizes)
    ):
        raise InputProblem(field, f"“{declared.name[:100]}” is empty, {spoken}. Give it values.")
    if declared.shape is None:
        return
    fits = len(sizes) == len(declared.shape) and all(
        not isinstance(wanted, int) or wanted == size
        for wanted, size in zip(declared.shape, sizes, strict=True)
    )
    if not fits:
        wanted = ", ".join("?" if size is None else str(size) for size in declared.shape)
        raise InputProblem(
            field,
            f"“{declared.name[:100]}” is {spoken} in the file, and the model takes [{wanted}]. "
            "Give the array that shape.",
        )


def _check_shared_sizes(
    by_name: Mapping[str, TensorDescription], found: Sequence[TensorDescription]
) -> None:
    known: dict[str, tuple[object, str]] = {}
    for array in found:
        declared = by_name[array.name]
        for symbol, size in zip(declared.shape or (), array.shape or (), strict=False):
            if not isinstance(symbol, str):
                continue
            before, name = known.setdefault(symbol, (size, array.name))
            if before != size:
                raise InputProblem(
                    f"{FIELD}.{array.name}",
                    f"The dimension “{symbol[:100]}” is {before} in “{name[:100]}” and {size} in "
                    f"“{array.name[:100]}”. Give it one size everywhere.",
                )


def _is_guessed_first(declared: TensorDescription) -> bool:
    sizes = declared.hint.sizes if declared.hint else ()
    return bool(sizes) and sizes[0] is not None
