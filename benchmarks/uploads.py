"""The first step: a file that has arrived becomes a version of a model."""

import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from benchmarks.data_files import DataFile, digest_of
from benchmarks.models import ModelVersion, OnnxModel
from benchmarks.parcels import Parcel, opened
from benchmarks.received import (
    HashingUploadHandler,
    NoRoom,
    ReceivedFile,
    UploadTooLarge,
    check_announced_length,
    received_from_bytes,
    remaining_quota_bytes,
    stored_bytes,
    upload_limit_bytes,
)
from benchmarks.stored_files import delete_unused, hold_files_of, store
from benchmarks.tasks import inspect_version, ring

__all__ = [
    "HashingUploadHandler",
    "NoRoom",
    "ReceivedFile",
    "UploadTooLarge",
    "VersionDetails",
    "change_details",
    "check_announced_length",
    "delete_model",
    "receive_model",
    "receive_version",
    "received_from_bytes",
    "remaining_quota_bytes",
    "stored_bytes",
    "upload_limit_bytes",
]

Sent = ReceivedFile | Sequence[ReceivedFile]


@dataclass(frozen=True, slots=True)
class VersionDetails:
    """What the user may say about a version when uploading it."""

    label: str = ""
    accuracy_ratio: float | None = None
    training_time_s: float | None = None


def receive_model(
    *, owner, name: str, visibility: str, uploaded: Sent, details=VersionDetails()
) -> ModelVersion:
    """Store ``uploaded`` as the first version of a new model of ``owner``'s.

    Raises ValidationError, by field, for a name that is taken or unfit and for files that are no
    model by their names and sizes; UploadTooLarge and NoRoom.
    """
    onnx_model = OnnxModel(owner=owner, name=name.strip(), visibility=visibility)
    onnx_model.full_clean(exclude=["owner"], validate_unique=False, validate_constraints=False)
    if OnnxModel.objects.filter(owner=owner, name=onnx_model.name).exists():
        raise _name_taken(onnx_model.name)
    try:
        with _opened(uploaded, owner) as parcel, transaction.atomic():
            onnx_model.save(force_insert=True)
            return _add_version(onnx_model, parcel, details)
    except IntegrityError as error:
        # Two uploads of one name at once: the other one was first.
        raise _name_taken(onnx_model.name) from error


def receive_version(
    onnx_model: OnnxModel, uploaded: Sent, details=VersionDetails()
) -> ModelVersion:
    """Store ``uploaded`` as the next version of ``onnx_model``.

    Raises ValidationError, by field, for files that are no model by their names and sizes, and
    for details out of range; UploadTooLarge and NoRoom.
    """
    with _opened(uploaded, onnx_model.owner) as parcel, transaction.atomic():
        return _add_version(onnx_model, parcel, details)


def change_details(version: ModelVersion, **changes) -> None:
    """Store what the owner has learnt about a version since: any fields of VersionDetails.

    Raises ValidationError, by field, for details out of range.
    """
    if not changes:
        return
    for name, value in changes.items():
        setattr(version, name, value)
    _check_details(version)
    version.save(update_fields=list(changes))
    OnnxModel.objects.filter(pk=version.onnx_model_id).update(updated_at=timezone.now())


def delete_model(onnx_model: OnnxModel) -> None:
    """Delete a model with its versions, inputs and runs, then the files no one else needs."""
    owner_id = onnx_model.owner_id
    with transaction.atomic():
        hold_files_of(owner_id)
        file_names = {
            *onnx_model.versions.values_list("file", flat=True),
            *DataFile.objects.filter(version__onnx_model=onnx_model).values_list("file", flat=True),
            *onnx_model.input_sets.values_list("file", flat=True),
        }
        onnx_model.delete()
        transaction.on_commit(lambda: delete_unused(file_names, owner_id))


def _opened(uploaded: Sent, owner):
    return opened(uploaded, limit_bytes=upload_limit_bytes(owner))


def _check_details(version: ModelVersion) -> None:
    given = {field.name for field in fields(VersionDetails)}
    for name in ("accuracy_ratio", "training_time_s"):
        value = getattr(version, name)
        if value is not None and not math.isfinite(value):
            raise ValidationError({name: "Give a finite number, or leave it out."})
    version.clean_fields(exclude={one.name for one in ModelVersion._meta.fields} - given)


def _name_taken(name: str) -> ValidationError:
    return ValidationError(
        {
            "name": ValidationError(
                f"You already have a model called “{name}”. Upload this file as its next "
                "version, or choose another name.",
                code="name_taken",
            )
        }
    )


def _add_version(onnx_model: OnnxModel, parcel: Parcel, details: VersionDetails) -> ModelVersion:
    hold_files_of(onnx_model.owner_id)
    # What was left when the upload began may have been used up by another one meanwhile.
    limit_bytes = upload_limit_bytes(onnx_model.owner)
    if parcel.size_bytes > limit_bytes:
        raise UploadTooLarge(limit_bytes)
    data_files = _data_files(onnx_model, parcel)
    newest = onnx_model.versions.aggregate(number=Max("number"))["number"] or 0
    version = ModelVersion(
        onnx_model=onnx_model,
        number=newest + 1,
        original_name=os.path.basename(parcel.onnx.name or "")[:255],
        sha256=parcel.onnx.sha256,
        size_bytes=parcel.onnx.size,
        data_sha256=digest_of(data_files),
        data_bytes=parcel.data_bytes,
        **asdict(details),
    )
    version.file.name = f"{onnx_model.owner_id}/{parcel.onnx.sha256}.onnx"
    _check_details(version)
    store(version.file.name, parcel.onnx)
    version.save(force_insert=True)
    for data_file in data_files:
        store(data_file.file.name, parcel.data[data_file.name])
        data_file.version = version
    DataFile.objects.bulk_create(data_files)
    OnnxModel.objects.filter(pk=onnx_model.pk).update(updated_at=timezone.now())
    transaction.on_commit(lambda: ring(inspect_version, version.pk))
    return version


def _data_files(onnx_model: OnnxModel, parcel: Parcel) -> list[DataFile]:
    return [
        DataFile(
            name=name,
            file=f"{onnx_model.owner_id}/{file.sha256}.data",
            sha256=file.sha256,
            size_bytes=file.size,
        )
        for name, file in parcel.data.items()
    ]
