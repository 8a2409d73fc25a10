"""Models in a store that speaks S3: uploaded, inspected, measured and deleted as in a folder."""

import boto3
import pytest
from django.conf import settings as site_settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from moto import mock_aws

from benchmarks import execution, inspection
from benchmarks.folders import work_folder
from benchmarks.models import Run
from benchmarks.uploads import delete_model, receive_model, received_from_bytes
from runner.sample_models import mlp
from tests.external import saved_apart
from tests.people import a_queued_run, owner

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_back_end]
BUCKET = "models"


@pytest.fixture(autouse=True)
def store(settings, monkeypatch):
    """An empty bucket, as the site's storage."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        wanted = {**site_settings.S3_STORAGE["OPTIONS"], "bucket_name": BUCKET}
        settings.STORAGES = {
            **settings.STORAGES,
            "default": {**site_settings.S3_STORAGE, "OPTIONS": wanted},
        }
        settings.MEASURING_S = 0.1
        yield client


def names_in(store):
    return [row["Key"] for row in store.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def an_upload():
    return receive_model(
        owner=owner(),
        name="MLP",
        visibility="private",
        uploaded=received_from_bytes(mlp(), "mlp.onnx"),
    )


def test_a_model_in_a_store_is_inspected_and_measured(store):
    version = an_upload()

    inspection.inspect(version.pk)
    version.refresh_from_db()
    run = a_queued_run(version)
    execution.execute(run.pk)
    run.refresh_from_db()

    assert names_in(store) == [version.file.name]
    assert version.status == "ready"
    assert (run.status, run.failure_message) == (Run.Status.DONE, "")
    assert list(work_folder().iterdir()) == []


def test_a_model_in_two_files_is_fetched_whole(store):
    contents = saved_apart(mlp(), location="weights.bin", size_threshold=0)
    uploaded = [received_from_bytes(content, name) for name, content in contents.items()]
    version = receive_model(owner=owner(), name="MLP", visibility="private", uploaded=uploaded)

    inspection.inspect(version.pk)
    version.refresh_from_db()
    run = a_queued_run(version)
    execution.execute(run.pk)
    run.refresh_from_db()

    assert sorted(name.rpartition(".")[2] for name in names_in(store)) == ["data", "onnx"]
    assert (run.status, run.failure_message) == (Run.Status.DONE, "")
    assert list(work_folder().iterdir()) == []
    delete_model(version.onnx_model)
    assert names_in(store) == []


def test_a_file_that_the_store_lost_ends_the_run_with_a_sentence(store):
    version = an_upload()
    inspection.inspect(version.pk)
    run = a_queued_run(version)
    store.delete_object(Bucket=BUCKET, Key=version.file.name)

    execution.execute(run.pk)
    run.refresh_from_db()

    assert (run.status, run.failure_code) == ("failed", "missing_file")
    assert "no longer stored" in run.failure_message


def test_other_bytes_than_were_stored_are_never_measured():
    version = an_upload()
    inspection.inspect(version.pk)
    run = a_queued_run(version)
    default_storage.save(version.file.name, ContentFile(b"something else"))

    execution.execute(run.pk)
    run.refresh_from_db()

    assert (run.status, run.failure_code) == ("failed", "missing_file")
    assert "damaged" in run.failure_message


def test_the_same_bytes_are_stored_once_and_deleted_with_the_last_model(store):
    first = an_upload()
    second = receive_model(
        owner=owner(),
        name="MLP again",
        visibility="private",
        uploaded=received_from_bytes(mlp(), "mlp.onnx"),
    )

    assert len(names_in(store)) == 1
    delete_model(first.onnx_model)
    assert len(names_in(store)) == 1
    delete_model(second.onnx_model)
    assert names_in(store) == []
