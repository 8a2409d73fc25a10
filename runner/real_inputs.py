"""Real inputs out of a user's ``.npz``: read without trusting it, checked against the model.

What the arrays are is read from their headers with the standard library alone, so that the
web process can check a file without numpy and without loading an array.
"""

import ast
import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from io import BufferedReader
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from runner.descriptions import TensorDescription
from runner.errors import InputProblem
from runner.given_files import open_given
from runner.job import InputChoices, Job

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIELD = "inputs.values"
# What the answers should be, beside the inputs: fed to no model.
LABELS = "labels"
MAX_MEMBER_COUNT = 200
# All arrays together, unpacked: with it a zip bomb is no larger than honest data.
MAX_VALUES_BYTES = 256 * 2**20
MAX_HEADER_BYTES = 16_384
MAX_RANK = 32
_MAGIC = b"\x93NUMPY"
_ITEM_BYTES = {
    **{f"int{8 * size}": (f"i{size}", size) for size in (1, 2, 4, 8)},
    **{f"uint{8 * size}": (f"u{size}", size) for size in (1, 2, 4, 8)},
    **{f"float{8 * size}": (f"f{size}", size) for size in (2, 4, 8)},
    "bool": ("b1", 1),
}
_DTYPE_BY_CODE = {code: (dtype, size) for dtype, (code, size) in _ITEM_BYTES.items()}


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
    with _opened(path) as archive:
        members = archive.infolist()
        _check_members(members)
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
    path: Path, found: Sequence[TensorDescription], declared: Sequence[TensorDescription]
) -> "dict[str, NDArray[Any]]":
    """Return the arrays of the ``.npz`` at ``path`` by name, as the model wants them.

    ``found`` is what `describe_values` said of it. Raises InputProblem for a damaged file.
    """
    import numpy as np

    is_text = {one.name: one.dtype == "string" for one in declared}
    arrays: dict[str, NDArray[Any]] = {}
    with _opened(path) as archive:
        for one in found:
            try:
                with archive.open(f"{one.name}.npy") as file:
                    array = np.lib.format.read_array(
                        file, allow_pickle=False, max_header_size=MAX_HEADER_BYTES
                    )
            except (OSError, ValueError, EOFError, KeyError, *_ZIP_ERRORS) as error:
                raise _damaged(one.name) from error
            native = array.astype(array.dtype.newbyteorder("="), copy=False)
            text = native.astype(object) if is_text.get(one.name) else native
            arrays[one.name] = np.ascontiguousarray(text).reshape(array.shape)
    return arrays


_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    with ExitStack() as stack:
        try:
            file = stack.enter_context(BufferedReader(open_given(path)))
            archive = stack.enter_context(zipfile.ZipFile(file))
        except FileNotFoundError as error:
            raise InputProblem(
                FIELD, f"There is no file {path.name}. Put the real inputs of this job there."
            ) from error
        except (OSError, ValueError, *_ZIP_ERRORS) as error:
            raise _no_archive() from error
        yield archive


def _no_archive() -> InputProblem:
    return InputProblem(
        FIELD,
        "This is no .npz file. Save the arrays with "
        'numpy.savez("inputs.npz", NAME=array), each called like its input.',
    )


def _check_members(members: Sequence[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_MEMBER_COUNT:
        raise InputProblem(
            FIELD, f"The file holds more than {MAX_MEMBER_COUNT} arrays. Leave some out."
        )
    names = [member.filename for member in members]
    for name in names:
        if not name.endswith(".npy") or names.count(name) > 1:
            raise InputProblem(
                FIELD,
                f"The file holds “{name[:100]}”, which is no array or is there twice. "
                "Save the arrays with numpy.savez.",
            )
    total = sum(member.file_size for member in members)
    if total > MAX_VALUES_BYTES:
        raise InputProblem(
            FIELD,
            f"The arrays take {total / 1e6:,.0f} MB unpacked; {MAX_VALUES_BYTES / 1e6:,.0f} MB "
            "are allowed. Use fewer items.",
        )


def _described(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> TensorDescription:
    name = member.filename.removesuffix(".npy")
    try:
        with archive.open(member) as file:
            header, header_bytes = _header(file)
    except (OSError, ValueError, SyntaxError, EOFError, RecursionError, MemoryError) as error:
        raise _damaged(name) from error
    except _ZIP_ERRORS as error:
        raise _damaged(name) from error
    dtype, item_bytes = _dtype_of(name, header.get("descr"))
    shape = header.get("shape")
    if not isinstance(shape, tuple) or len(shape) > MAX_RANK:
        raise _damaged(name)
    if not all(type(size) is int and 0 <= size < 2**31 for size in shape):
        raise _damaged(name)
    # What the archive says of itself could be a lie; the array's own size is another witness.
    if math.prod(shape) * item_bytes + header_bytes != member.file_size:
        raise _damaged(name)
    return TensorDescription(name, dtype, shape)


def _header(file: IO[bytes]) -> tuple[dict[str, object], int]:
    """What a ``.npy`` file says of itself, and how many bytes it takes to say so.

    Source of the format: numpy's documentation, numpy.lib.format.
    """
    start = file.read(8)
    if len(start) < 8 or not start.startswith(_MAGIC) or start[6] not in (1, 2, 3):
        raise ValueError("not an array")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(file.read(width), "little")
    if not 0 < length <= MAX_HEADER_BYTES:
        raise ValueError("a header of an impossible length")
    text = file.read(length).decode("latin1" if start[6] < 3 else "utf-8")
    header = ast.literal_eval(text.strip())
    if not isinstance(header, dict) or len(text) == 0:
        raise ValueError("a header that is none")
    return header, 8 + width + length


def _dtype_of(name: str, described: object) -> tuple[str, int]:
    code = described[1:] if isinstance(described, str) else ""
    if code in _DTYPE_BY_CODE:
        return _DTYPE_BY_CODE[code]
    if code.startswith("U") and code[1:].isdecimal():
        return "string", 4 * int(code[1:])
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
