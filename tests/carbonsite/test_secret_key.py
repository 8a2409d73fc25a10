"""The secret key is made once, and only its owner may read it."""

import os
import subprocess
import sys

import pytest

from carbonsite.secret_key import read_or_create_secret_key

pytestmark = pytest.mark.one_back_end


def test_the_key_made_on_the_first_start_is_the_key_of_every_start(tmp_path):
    first = read_or_create_secret_key(tmp_path / "var" / "secret_key")

    second = read_or_create_secret_key(tmp_path / "var" / "secret_key")

    assert first == second
    assert len(first) >= 50


def test_only_its_owner_may_read_the_key(tmp_path):
    path = tmp_path / "secret_key"

    read_or_create_secret_key(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]


def test_nobody_else_enters_the_folder_that_the_site_makes_for_its_data(tmp_path):
    folder = tmp_path / "var"

    subprocess.run(
        [sys.executable, "-c", "import carbonsite.settings"],
        env={**os.environ, "CARBONSITE_DATA": str(folder)},
        check=True,
    )

    assert folder.stat().st_mode & 0o777 == 0o700
