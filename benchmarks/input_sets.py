"""Real inputs: arrays that arrive as files, are checked by their headers, and stay with a model."""

import io
import re
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path, PurePath

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from benchmarks.models import InputSet, ModelVersion, OnnxModel
from benchmarks.received import CHUNK_BYTES, ReceivedFile, UploadTooLarge, upload_limit_bytes
from benchmarks.stored_files import delete_unused, hold_files_of, store
from runner.errors import InputProblem
from runner.item_sets import ItemSet
from runner.npz_archive import MAX_VALUES_BYTES
from runner.real_inputs import (
    batch_size_of,
    check_batch_size,
    check_values,
    describe_values,
    without_labels,
)
from runner.shapes import TensorDescription, tensors_from_plain

MAX_NAME_LENGTH = 120
NPY_BEGINNING, NPZ_BEGINNING = b"\x93NUMPY", b"PK"
MAX_ARRAY_NAME_LENGTH = 1_000
# The oldest time that a zip can state: the same arrays make the same bytes.
NO_TIME = (1980, 1, 1, 0, 0, 0)


def receive_input_set(
    onnx_model: OnnxModel, files: Sequence[ReceivedFile], name: str = ""
) -> InputSet:
    """Store one ``.npz``, or several ``.npy`` put together into one, with ``onnx_model``.

    The same bytes sent again give what is there. Raises ValidationError, by ``file`` and
    ``name``, for what is no such file or does not fit the model's newest version.
    """
    version = onnx_model.newest_ready_version
    inputs = tensors_from_plain(version.inputs) if version else None
    # Whatever is refused leaves nothing behind; what was stored has left its place by then.
    with ExitStack() as arrived:
        for file in files:
            arrived.callback(file.close)
        uploaded = _as_archive(files, inputs)
        arrived.callback(uploaded.close)
        tensors = _described(uploaded)
        if inputs is not None:
            _check_use(inputs, tensors)
        input_set = InputSet(
            onnx_model=onnx_model,
            name=name.strip(),
            sha256=uploaded.sha256,
            size_bytes=uploaded.size,
            tensors=[_plain(one) for one in tensors],
            has_labels=len(without_labels(inputs or (), tensors)) < len(tensors),
        )
        return _kept(input_set, uploaded, _name_for(files))


def input_limit_bytes(user) -> int:
    """Return the largest file of real inputs that ``user`` may send now, in bytes."""
    return min(MAX_VALUES_BYTES, upload_limit_bytes(user))


def delete_input_set(input_set: InputSet) -> None:
    """Delete real inputs, and their file where nothing else needs it; runs keep their name."""
    owner_id = input_set.onnx_model.owner_id
    with transaction.atomic():
        hold_files_of(owner_id)
        file_name = input_set.file.name
        input_set.delete()
        transaction.on_commit(lambda: delete_unused({file_name}, owner_id))


def fed_arrays(version: ModelVersion, input_set: InputSet) -> tuple[TensorDescription, ...]:
    """Return the arrays that ``version`` is fed; raises ValidationError where they do not fit."""
    if input_set.onnx_model_id != version.onnx_model_id:
        raise ValidationError({"values": "These inputs belong to another model."})
    inputs = tensors_from_plain(version.inputs)
    arrays = tensors_from_plain(input_set.tensors)
    _check_fit(inputs, arrays, field="values")
    return without_labels(inputs, arrays)


def check_batch(version: ModelVersion, input_set: InputSet, *, batch_size: int) -> None:
    """Raise ValidationError when the arrays hold another number of items than ``batch_size``."""
    try:
        check_batch_size(
            tensors_from_plain(version.inputs),
            fed_arrays(version, input_set),
            batch_size=batch_size,
        )
    except InputProblem as problem:
        raise ValidationError({problem.field: problem.message}) from problem


def batch_size_in(version: ModelVersion, input_set: InputSet) -> int | None:
    """Return how many items the arrays hold at once; None where nothing says it."""
    try:
        arrays = fed_arrays(version, input_set)
    except ValidationError:
        return None
    return batch_size_of(tensors_from_plain(version.inputs), arrays)


def item_set_of(version: ModelVersion, input_set: InputSet) -> ItemSet:
    """Return ``input_set`` as an evaluation set of ``version``.

    Raises ValidationError, by ``values``, where it is none.
    """
    if input_set.onnx_model_id != version.onnx_model_id:
        raise ValidationError({"values": "These inputs belong to another model."})
    try:
        return ItemSet.of(tensors_from_plain(version.inputs), tensors_from_plain(input_set.tensors))
    except InputProblem as problem:
        raise ValidationError({"values": problem.message}) from problem


def items_misfit_of(version: ModelVersion, input_set: InputSet) -> str:
    """Return why accuracy cannot be measured with ``input_set``; empty where it can."""
    try:
        item_set_of(version, input_set)
    except ValidationError as error:
        return error.messages[0]
    return ""


def misfit_of(version: ModelVersion, input_set: InputSet) -> str:
    """Return why ``version`` does not take these inputs; empty where it does."""
    try:
        fed_arrays(version, input_set)
    except ValidationError as error:
        return error.messages[0]
    return ""


def _kept(input_set: InputSet, uploaded: ReceivedFile, file_name: str) -> InputSet:
    try:
        with transaction.atomic():
            return _keep(input_set, uploaded, file_name)
    except IntegrityError as error:
        raise _name_taken(input_set.name) from error


def _keep(input_set: InputSet, uploaded: ReceivedFile, file_name: str) -> InputSet:
    onnx_model = input_set.onnx_model
    hold_files_of(onnx_model.owner_id)
    same = onnx_model.input_sets.filter(sha256=input_set.sha256)
    known = (same.filter(name=input_set.name) if input_set.name else same).first()
    if known is not None:
        return known
    # What was left when the upload began may have been used up by another one meanwhile.
    limit_bytes = upload_limit_bytes(onnx_model.owner)
    if uploaded.size > limit_bytes:
        raise UploadTooLarge(limit_bytes)
    taken = set(onnx_model.input_sets.values_list("name", flat=True))
    if input_set.name in taken:
        raise _name_taken(input_set.name)
    input_set.name = input_set.name or _free_name(file_name, taken)
    input_set.file.name = f"{onnx_model.owner_id}/{input_set.sha256}.npz"
    input_set.full_clean(exclude=["onnx_model"], validate_unique=False, validate_constraints=False)
    store(input_set.file.name, uploaded)
    input_set.save(force_insert=True)
    return input_set


def _name_taken(name: str) -> ValidationError:
    return ValidationError(
        {"name": f"This model has inputs called “{name}” already. Choose another name."}
    )


def _free_name(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted[: MAX_NAME_LENGTH - 8]} {number}"
    return name


def _name_for(files: Sequence[ReceivedFile]) -> str:
    if len(files) > 1:
        return "inputs"
    return _stem(files[0])[:MAX_NAME_LENGTH] or "inputs"


def _stem(file: ReceivedFile) -> str:
    return PurePath(file.name or "").stem.strip()


def _refused(message: str) -> ValidationError:
    return ValidationError({"file": message})


def _as_archive(
    files: Sequence[ReceivedFile], inputs: Sequence[TensorDescription] | None
) -> ReceivedFile:
    if not files:
        raise _refused("Choose an .npz file, or .npy files, one per input.")
    beginnings = [_beginning(file) for file in files]
    if len(files) == 1 and beginnings[0].startswith(NPZ_BEGINNING):
        return files[0]
    for file, beginning in zip(files, beginnings, strict=True):
        if beginning.startswith(NPZ_BEGINNING):
            raise _refused("Send either one .npz, or .npy files, one per input; not both.")
        if not beginning.startswith(NPY_BEGINNING):
            raise _refused(
                f"“{file.name}” is neither an .npz nor an .npy file. Save the arrays with "
                "numpy.savez, or each of them with numpy.save."
            )
    return _put_together(_by_name(files, inputs))


def _beginning(file: ReceivedFile) -> bytes:
    if not file.size:
        raise _refused(f"“{file.name}” is empty (0 bytes). Save the array again and send that.")
    file.seek(0)
    beginning = file.read(len(NPY_BEGINNING))
    file.seek(0)
    return beginning


def _by_name(
    files: Sequence[ReceivedFile], inputs: Sequence[TensorDescription] | None
) -> dict[str, ReceivedFile]:
    """Return each file by the input that it is for: its own name says which."""
    names = [one.name for one in inputs or ()]
    # One array for a model with one input can only be meant for that.
    if len(files) == len(names) == 1:
        return {names[0]: files[0]}
    by_name: dict[str, ReceivedFile] = {}
    for file in files:
        name = _input_called(_stem(file), names)
        if name in by_name:
            raise _refused(f"Two files are for the input “{name}”. Send one array per input.")
        by_name[name] = file
    return by_name


def _input_called(stem: str, names: Sequence[str]) -> str:
    """Return the input that a file's name means: "images/x:0" cannot be one, "images_x_0" can."""
    if stem in names:
        return stem
    alike = [name for name in names if re.sub(r"\W", "_", name) == re.sub(r"\W", "_", stem)]
    return alike[0] if len(alike) == 1 else stem


class _OnlyForward(io.RawIOBase):
    """A stream into a received file that hashes as it goes, and so cannot be sought in."""

    def __init__(self, received: ReceivedFile):
        self._received = received
        self.byte_count = 0

    def writable(self) -> bool:
        return True

    def write(self, chunk) -> int:
        """Append what the archive's writer has to say."""
        content = bytes(chunk)
        self._received.append(content)
        self.byte_count += len(content)
        return len(content)


def _put_together(file_by_name: dict[str, ReceivedFile]) -> ReceivedFile:
    """Return one archive of the arrays, stored as they are, in the order of their names."""
    archive = ReceivedFile("inputs.npz", "application/zip")
    stream = _OnlyForward(archive)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as zipped:
        for name in sorted(file_by_name):
            member = zipfile.ZipInfo(f"{name}.npy", NO_TIME)
            with zipped.open(member, "w", force_zip64=True) as target:
                for chunk in file_by_name[name].chunks(CHUNK_BYTES):
                    target.write(chunk)
    archive.complete(stream.byte_count)
    return archive


def _described(uploaded: ReceivedFile) -> tuple[TensorDescription, ...]:
    try:
        tensors = describe_values(Path(uploaded.temporary_file_path()))
    except InputProblem as problem:
        raise _refused(problem.message) from problem
    if any(len(one.name) > MAX_ARRAY_NAME_LENGTH for one in tensors):
        raise _refused("An array's name is far too long. Name each array like its input.")
    return tensors


def _check_fit(
    inputs: Sequence[TensorDescription], tensors: Sequence[TensorDescription], *, field: str
) -> None:
    try:
        check_values(inputs, without_labels(inputs, tensors))
    except InputProblem as problem:
        raise ValidationError({field: problem.message}) from problem


def _check_use(inputs: Sequence[TensorDescription], tensors: Sequence[TensorDescription]) -> None:
    """Raise ValidationError where arrays can neither be fed at once nor are an evaluation set."""
    has_labels = len(without_labels(inputs, tensors)) < len(tensors)
    try:
        _check_fit(inputs, tensors, field="file")
    except ValidationError:
        if not has_labels:
            raise
        try:
            ItemSet.of(inputs, tensors)
        except InputProblem as problem:
            raise _refused(problem.message) from problem


def _plain(one: TensorDescription) -> dict:
    shape = None if one.shape is None else list(one.shape)
    return {"name": one.name, "dtype": one.dtype, "shape": shape}
