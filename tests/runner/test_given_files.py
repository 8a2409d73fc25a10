"""Files that the parent opened are read by their names, from the start, however often."""

import os
from pathlib import Path

import pytest

from runner import given_files
from runner.given_files import NO_FILE, give, open_given


@pytest.fixture(autouse=True)
def nobody_gave_any(monkeypatch):
    monkeypatch.setattr(given_files, "_descriptors", {})


def test_a_given_file_is_read_from_its_descriptor_each_time_from_the_start(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"weights")
    give({str(path): os.open(path, os.O_RDONLY)})
    path.unlink()

    for _ in range(2):
        with open_given(path) as file:
            assert file.readall() == b"weights"


def test_any_other_file_is_opened_by_its_name(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"weights")

    with open_given(tmp_path / "model.onnx") as file:
        assert file.readall() == b"weights"


def test_what_the_parent_could_not_open_is_not_there(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"weights")
    give({str(tmp_path / "model.onnx"): NO_FILE})

    for path in (tmp_path / "model.onnx", Path("nowhere")):
        with pytest.raises(FileNotFoundError):
            open_given(path)
