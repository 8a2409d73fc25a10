"""Where a file that has arrived stays: named by its hash, once per owner, as long as needed."""

from django.core.files.storage import default_storage
from django.db import transaction

from accounts.models import User
from benchmarks.models import InputSet, ModelVersion


def hold_files_of(owner_id) -> None:
    """Let no one else add or delete files of this owner until the transaction ends.

    So that versions' numbers are unique, the quota holds for uploads at once, and a file is not
    deleted while the same bytes come in again.
    """
    User.objects.select_for_update().get(pk=owner_id)


def store(name: str, uploaded) -> None:
    """Move the file to its place, named by its hash: the same bytes of one owner once."""
    if not default_storage.exists(name):
        default_storage.save(name, uploaded)
    uploaded.close()


def delete_unused(file_names: set[str], owner_id) -> None:
    """Delete those of an owner's files that no version and no set of inputs needs any more."""
    with transaction.atomic():
        hold_files_of(owner_id)
        still_used = {
            name
            for kind in (ModelVersion, InputSet)
            for name in kind.objects.filter(file__in=file_names).values_list("file", flat=True)
        }
        for name in file_names - still_used:
            default_storage.delete(name)
