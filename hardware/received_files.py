"""Between upload and applying: a file of figures is kept, unchanged, for an hour."""

import hashlib
from datetime import timedelta

from django.utils import timezone

from hardware.models import ReferenceFile
from hardware.reading import ReadFile, read_file
from hardware.vintages import Plan, load

KEPT_FOR = timedelta(hours=1)


class FileGone(Exception):
    """The bytes are no longer here: applied, too old, or not those that were sent."""


def keep_file(content: bytes, *, file_name: str, vintage: str, user) -> ReferenceFile:
    """Keep ``content`` for its preview, and drop what was kept too long."""
    _still_kept(ReferenceFile.objects.filter(sent_at__lt=_oldest_kept())).update(content=b"")
    return ReferenceFile.objects.create(
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        file_name=file_name[:120],
        vintage=vintage,
        sent_by=user,
    )


def reread(file: ReferenceFile) -> ReadFile:
    """Return what ``file`` says; FileGone when its bytes are not here, or not the same."""
    content = bytes(file.content)
    if file.applied_at is not None:
        raise FileGone("The file has been loaded already.")
    if not content or file.sent_at < _oldest_kept():
        raise FileGone("The file was sent more than an hour ago and is no longer kept.")
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise FileGone("The kept file is not the one that was sent.")
    return read_file(content, vintage=file.vintage)


def apply_file(file: ReferenceFile, *, user, overwrite, expected_digest: str) -> Plan:
    """Load ``file`` as its preview promised, and keep the record instead of the bytes.

    Raises FileGone, and what ``hardware.vintages.load`` raises.
    """
    plan = load(reread(file), user=user, overwrite=overwrite, expected_digest=expected_digest)
    file.applied_at = timezone.now()
    file.outcome = f"{plan.table.label}: {plan}."
    file.content = b""
    file.save(update_fields=["applied_at", "outcome", "content"])
    return plan


def _oldest_kept():
    return timezone.now() - KEPT_FOR


def _still_kept(files):
    return files.exclude(content=b"")
