"""Files that arrive: stored once, hashed on the way, refused with a reason, never left behind."""

import contextlib
import gc
import hashlib
import io
import os
import time
from pathlib import Path

import pytest
from django.conf import settings as site_settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.storage import default_storage
from django.core.handlers.wsgi import LimitedStream
from django.http import UnreadablePostError
from django.test import RequestFactory

from benchmarks.models import ModelVersion, OnnxModel
from benchmarks.received import HashingUploadHandler, UploadClosingMiddleware, sweep_incoming
from benchmarks.uploads import (
    UploadTooLarge,
    VersionDetails,
    delete_model,
    receive_model,
    receive_version,
    received_from_bytes,
    remaining_quota_bytes,
)
from carbonsite.whole_body import WholeBody
from tests.people import anonymous, owner, stranger

pytestmark = pytest.mark.django_db(transaction=True)


def a_file(content=b"some bytes", name="model.onnx"):
    return received_from_bytes(content, name)


def upload(content=b"some bytes", *, user=None, name="LeNet"):
    return receive_model(
        owner=user or owner(), name=name, visibility="private", uploaded=a_file(content)
    )


def stored_files():
    root = Path(site_settings.MEDIA_ROOT)
    return sorted(path for path in root.rglob("*") if path.is_file())


def posted(content, user):
    """The files of a multipart request, as a view would get them."""
    request = RequestFactory().post("/", {"file": _Named(content), "name": "x"})
    request.user = user
    request.upload_handlers = [HashingUploadHandler(request)]
    return request


def files_of(request):
    return request.FILES


class _Named:
    name = "model.onnx"

    def __init__(self, content):
        self._content = content

    def read(self):
        return self._content


def test_an_upload_makes_a_model_with_its_first_version():
    version = upload(b"some bytes")

    assert version.number == 1
    assert version.status == ModelVersion.Status.INSPECTING
    assert version.sha256 == hashlib.sha256(b"some bytes").hexdigest()
    assert default_storage.open(version.file.name).read() == b"some bytes"


def test_a_stored_file_is_named_by_its_hash():
    version = upload()

    assert [path.stem for path in stored_files()] == [version.sha256]


def test_an_upload_rings_for_its_inspection(rung):
    version = upload()

    assert rung == [("inspect_version", str(version.pk))]


def test_the_next_upload_is_the_next_version():
    first = upload(b"one")

    second = receive_version(first.onnx_model, a_file(b"two"), VersionDetails(label="pruned"))

    assert (second.number, second.label) == (2, "pruned")


def test_the_same_bytes_twice_from_one_owner_are_stored_once():
    first = upload(b"one")

    second = receive_version(first.onnx_model, a_file(b"one"))

    assert second.file.name == first.file.name
    assert len(stored_files()) == 1


def test_the_same_bytes_from_two_owners_are_stored_apart():
    mine = upload(b"one")
    theirs = upload(b"one", user=stranger())

    assert mine.file.name != theirs.file.name


def test_a_name_taken_is_refused_and_leaves_no_file():
    upload(b"one")

    with pytest.raises(ValidationError, match="already have a model called"):
        upload(b"two")

    assert len(stored_files()) == 1


def test_an_empty_file_is_refused_with_a_sentence():
    with pytest.raises(ValidationError, match="The file is empty"):
        upload(b"")

    assert not OnnxModel.objects.exists()
    assert stored_files() == []


def test_a_name_with_a_null_character_is_refused():
    with pytest.raises(ValidationError) as refusal:
        upload(name="a\x00b")

    assert "name" in refusal.value.message_dict


def test_details_out_of_range_are_refused_and_nothing_is_stored():
    version = upload(b"one")

    with pytest.raises(ValidationError) as refusal, a_file(b"two") as uploaded:
        receive_version(version.onnx_model, uploaded, VersionDetails(accuracy_ratio=90))

    assert "accuracy_ratio" in refusal.value.message_dict
    assert version.onnx_model.versions.count() == 1
    assert len(stored_files()) == 1


def test_a_request_is_streamed_to_disk_and_hashed():
    request = posted(b"12345", owner())

    received = request.FILES["file"]

    assert received.sha256 == hashlib.sha256(b"12345").hexdigest()
    assert Path(received.temporary_file_path()).read_bytes() == b"12345"


def test_a_file_that_nobody_stores_goes_with_its_request():
    request = posted(b"12345", owner())
    part = Path(request.FILES["file"].temporary_file_path())

    request.close()

    assert not part.exists()


def test_a_file_over_the_limit_is_refused_while_it_arrives(settings):
    settings.MAX_UPLOAD_BYTES = 4

    with pytest.raises(UploadTooLarge, match="larger than you may upload"):
        files_of(posted(b"12345", owner()))

    assert stored_files() == []


def test_a_request_that_announces_too_much_is_refused_before_it_is_read(settings):
    settings.MAX_UPLOAD_BYTES = 4
    request = posted(b"1", owner())
    request.META["CONTENT_LENGTH"] = str(10 * 1024 * 1024)

    with pytest.raises(UploadTooLarge):
        files_of(request)


def test_nobody_uploads_without_an_account():
    with pytest.raises(PermissionDenied, match="Log in"):
        files_of(posted(b"12345", anonymous()))

    assert stored_files() == []


def test_an_upload_cut_off_half_way_leaves_nothing_behind():
    request = posted(b"12345" * 1000, owner())
    body = request.read()
    cut_off = WholeBody(io.BytesIO(body[:3000]), len(body))
    request.upload_handlers = [HashingUploadHandler(request)]
    request._stream = LimitedStream(cut_off, len(body))
    request._read_started = False

    def view(request):
        with contextlib.suppress(UnreadablePostError):
            pytest.fail(f"took {request.FILES} for a whole file")

    gc.disable()
    try:
        UploadClosingMiddleware(view)(request)
    finally:
        gc.enable()

    assert stored_files() == []


def test_what_is_stored_counts_against_the_quota(settings):
    settings.USER_QUOTA_BYTES = 100

    upload(b"12345")

    assert remaining_quota_bytes(owner()) == 95
    assert remaining_quota_bytes(stranger()) == 100


def test_deleting_a_model_deletes_its_files():
    version = upload()

    delete_model(version.onnx_model)

    assert stored_files() == []


def test_deleting_a_model_keeps_a_file_that_another_model_needs():
    first = upload(b"same", name="one")
    second = upload(b"same", name="two")

    delete_model(first.onnx_model)

    assert default_storage.exists(second.file.name)


def test_the_sweep_takes_only_what_was_abandoned(tmp_path):
    fresh = a_file(b"under way")
    stale = Path(site_settings.MEDIA_ROOT) / "incoming" / "stale.part"
    stale.write_bytes(b"left")
    os.utime(stale, (time.time() - 10_000,) * 2)

    assert sweep_incoming() == 1
    assert Path(fresh.temporary_file_path()).exists()
