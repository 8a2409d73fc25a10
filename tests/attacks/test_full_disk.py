"""A disk that fills: before an upload, and while it is written."""

import re
from pathlib import Path

import pytest
from django.conf import settings as site_settings
from django.test import Client

from benchmarks.models import OnnxModel
from tests.api.scripts import BASE, an_onnx_file, assert_problem, script_of
from tests.faults.invariants import broken
from tests.people import owner

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_back_end]


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def sent_by_both(content=b"x" * 3_000_000):
    """An upload over the API, and one from the page."""
    client = Client(raise_request_exception=False)
    client.force_login(owner())
    script = script_of(owner())
    script.raise_request_exception = False
    by_api = script.post(
        f"{BASE}/models/", {"name": "a", "file": an_onnx_file(content)}, format="multipart"
    )
    form = {"name": "b", "visibility": "private", "file": an_onnx_file(content)}
    return by_api, client.post("/models/new/", form)


def left_behind():
    return [path for path in Path(site_settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_a64_below_the_floor_an_upload_is_a_507(settings):
    settings.FREE_DISK_FLOOR_BYTES = 2**62

    by_api, by_page = sent_by_both()

    assert_problem(by_api, 507)
    assert by_page.status_code == 507
    assert "no room" in by_page.content.decode()
    assert left_behind() == []


def test_a65_a_disk_that_fills_while_a_file_is_written_is_a_507(monkeypatch):
    class FullDisk:
        """A file of the kernel's that never has room."""

        def __init__(self, **_):
            self.file = open("/dev/full", "wb")  # noqa: SIM115
            self.name = self.file.name

        def __getattr__(self, name):
            return getattr(self.file, name)

    monkeypatch.setattr("benchmarks.received.tempfile.NamedTemporaryFile", FullDisk)

    by_api, by_page = sent_by_both()

    assert_problem(by_api, 507)
    assert by_page.status_code == 507
    assert re.search("no room", by_page.content.decode())
    assert not OnnxModel.objects.exists()
    assert broken() == []
