"""What a file of real inputs holds, read from its arrays' headers, and whether a model takes it."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from runner.errors import InputProblem
from runner.shapes import TensorDescription

MAX_ARRAY_COUNT = 1_000
MAX_HEADER_BYTES = 65_536


def describe_values(path: Path) -> tuple[TensorDescription, ...]:
    """Return the arrays of an ``.npz`` by what their headers say; no values are read.

    Raises InputProblem, of the field ``inputs.values``, for a file that is no such thing.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if not 1 <= len(members) <= MAX_ARRAY_COUNT:
                raise _problem(f"It must hold 1 to {MAX_ARRAY_COUNT:,} arrays.")
            return tuple(_described(archive, member) for member in members)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise _problem("This is not a whole .npz file. Save it with numpy.savez.") from error


def check_values(
    descriptions: Sequence[TensorDescription], found: Sequence[TensorDescription]
) -> None:
    """Check the arrays ``found`` against the inputs of a model.

    Raises InputProblem for a name, type or shape that does not fit.
    """
    by_name = {one.name: one for one in found}
    names = {declared.name for declared in descriptions}
    for name in by_name.keys() - names:
        raise _problem(f"The model has no input called “{name[:100]}”.", name)
    for declared in descriptions:
        one = by_name.get(declared.name)
        if one is None:
            continue
        if one.dtype != declared.dtype:
            raise _problem(
                f"“{one.name}” is of type {one.dtype}, the model takes {declared.dtype}.", one.name
            )
        if declared.shape is not None and not _fits(declared.shape, one.shape or ()):
            raise _problem(
                f"“{one.name}” has the shape {list(one.shape or ())}, which the model does not "
                "take.",
                one.name,
            )


def batch_size_of(
    descriptions: Sequence[TensorDescription], found: Sequence[TensorDescription]
) -> int | None:
    """Return the first size of the first array whose input leaves it free; None without one."""
    shape_by_name = {one.name: one.shape for one in found}
    for declared in descriptions:
        shape = shape_by_name.get(declared.name)
        if declared.shape and not isinstance(declared.shape[0], int) and shape:
            return int(shape[0] or 0)
    return None


def check_batch_size(
    descriptions: Sequence[TensorDescription],
    found: Sequence[TensorDescription],
    *,
    batch_size: int,
) -> None:
    """Raise InputProblem when the arrays hold another number of items than the batch size says."""
    size = batch_size_of(descriptions, found)
    if size is not None and size != batch_size:
        raise InputProblem(
            "batch_size",
            f"The file holds {size:,} items at once, and the batch size is {batch_size:,}. Set "
            f"the batch size to {size:,}.",
        )


def _problem(message: str, name: str = "") -> InputProblem:
    return InputProblem(f"inputs.values.{name}" if name else "inputs.values", message)


def _fits(declared: Sequence[Any], shape: Sequence[Any]) -> bool:
    return len(declared) == len(shape) and all(
        not isinstance(wanted, int) or wanted == size
        for wanted, size in zip(declared, shape, strict=True)
    )


def _described(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> TensorDescription:
    name = member.filename.removesuffix(".npy")
    with archive.open(member) as stream:
        try:
            version = npy.read_magic(stream)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = read(stream, max_header_size=MAX_HEADER_BYTES)
        except ValueError as error:
            raise _problem(f"“{name[:100]}” is not an array that numpy has saved.") from error
    if dtype.hasobject:
        raise _problem(
            f"“{name[:100]}” holds pickled Python objects, which are never opened here. Save a "
            "plain array.",
            name,
        )
    kind = "string" if np.dtype(dtype).kind in "US" else str(np.dtype(dtype).name)
    return TensorDescription(name, kind, tuple(shape))
