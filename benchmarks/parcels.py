"""What one upload brings: a model in one file, or in several, loose or in a zip."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from posixpath import basename, dirname

from django.core.exceptions import ValidationError

from benchmarks import archives
from benchmarks.received import ReceivedFile
from runner.data_names import MAX_DATA_FILE_COUNT, plain_name

ONNX_ENDING = ".onnx"
# What protobuf can read, https://protobuf.dev/programming-guides/proto-limits/.
MAX_ONNX_BYTES = 2**31 - 1
HOW_TO_SEND = (
    "Choose one .onnx file together with the data files that it was saved with, or a .zip of them."
)


@dataclass(frozen=True, slots=True)
class Parcel:
    """An .onnx file, and its data files by the names that its graph can know them by."""

    onnx: ReceivedFile
    data: Mapping[str, ReceivedFile] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        """All its files together."""
        return self.onnx.size + self.data_bytes

    @property
    def data_bytes(self) -> int:
        """Its data files together."""
        return sum(file.size for file in self.data.values())


@contextmanager
def opened(sent: ReceivedFile | Sequence[ReceivedFile], *, limit_bytes: int) -> Iterator[Parcel]:
    """Give what was ``sent`` as a parcel, whose files go away with the context unless stored.

    Raises ValidationError, by ``file``, for what is no model in this shape; UploadTooLarge and
    NoRoom where a zip unpacks to too much.
    """
    files = [sent] if isinstance(sent, ReceivedFile) else list(sent)
    with ExitStack() as closing:
        for file in files:
            closing.callback(file.close)
        if len(files) == 1 and is_zip(files[0].name):
            by_path = archives.unpacked(files[0], limit_bytes=limit_bytes)
            for file in by_path.values():
                closing.callback(file.close)
            # Its room is needed for nothing more.
            files[0].close()
            parcel = _of_zip(by_path)
        else:
            parcel = _of_loose(files)
        _check(parcel)
        yield parcel


def model_file_name(names: Sequence[str]) -> str:
    """Return the name among those of an upload's files that a model can be called after."""
    return next((name for name in names if is_onnx(name)), names[0] if names else "")


def is_onnx(name: str | None) -> bool:
    """Whether a file of this name is taken for the model."""
    return (name or "").lower().endswith(ONNX_ENDING)


def is_zip(name: str | None) -> bool:
    """Whether a file of this name is unpacked."""
    return (name or "").lower().endswith(archives.ENDING)


def _of_loose(files: Sequence[ReceivedFile]) -> Parcel:
    # One file is the model whatever its name: what it holds is looked at later.
    if len(files) == 1:
        return Parcel(files[0])
    if any(is_zip(file.name) for file in files):
        raise _refused(f"Send either one .zip or the files themselves. {HOW_TO_SEND}")
    by_name: dict[str, ReceivedFile] = {}
    for file in files:
        name = plain_name(file.name or "")
        if name is None:
            raise _refused("A file has a name that cannot be read. Rename it and send it again.")
        if name in by_name:
            raise _refused(f"Two files are called “{name}”. Send each file once.")
        by_name[name] = file
    return _sorted_out(by_name, "You chose")


def _of_zip(by_path: Mapping[str, ReceivedFile]) -> Parcel:
    found = [path for path in by_path if is_onnx(path)]
    folder = dirname(found[0]) if len(found) == 1 else ""
    inside = f"{folder}/" if folder else ""
    outside = [path for path in by_path if not path.startswith(inside)]
    if outside:
        raise _refused(
            f"“{outside[0]}” lies outside of the model's folder in the zip, where a model "
            f"finds no data. {HOW_TO_SEND}"
        )
    by_name = {path.removeprefix(inside): file for path, file in by_path.items()}
    # Behind its folder, a name may begin like a drive's: C:weights.bin.
    odd = next((name for name in by_name if plain_name(name) != name), None)
    if odd is not None:
        raise _refused(f"“{odd}” in the zip is no plain file name. Rename it and zip it again.")
    return _sorted_out(by_name, "The zip holds")


def _sorted_out(by_name: Mapping[str, ReceivedFile], beginning: str) -> Parcel:
    models = [name for name in by_name if is_onnx(name)]
    if not models:
        raise _refused(f"{beginning} no .onnx file. {HOW_TO_SEND}")
    if len(models) > 1:
        raise _refused(
            f"{beginning} {len(models)} .onnx files, “{basename(models[0])}” and "
            f"“{basename(models[1])}” among them. Upload each model by itself."
        )
    data = {name: file for name, file in by_name.items() if name != models[0]}
    if len(data) > MAX_DATA_FILE_COUNT:
        raise _refused(
            f"{beginning} {len(data)} data files, and {MAX_DATA_FILE_COUNT} are taken. Save the "
            "model with all tensors in one file."
        )
    nested = next((name for name in data if is_zip(name)), None)
    if nested is not None:
        raise _refused(f"“{nested}” is a zip in itself, which is not unpacked. {HOW_TO_SEND}")
    return Parcel(by_name[models[0]], data)


def _check(parcel: Parcel) -> None:
    if not parcel.onnx.size:
        raise _refused("The file is empty (0 bytes). Export the model again and upload that file.")
    empty = next((name for name, file in parcel.data.items() if not file.size), None)
    if empty is not None:
        raise _refused(
            f"“{empty}” is empty (0 bytes). Save the model again and upload all its files."
        )
    if parcel.onnx.size > MAX_ONNX_BYTES:
        raise _refused(
            "An .onnx file of more than 2 GiB cannot be read by any program. Save the model with "
            "its weights in a file beside it (onnx.save with save_as_external_data) and upload "
            "both together."
        )


def _refused(message: str) -> ValidationError:
    return ValidationError({"file": message})
