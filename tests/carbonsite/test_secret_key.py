"""The secret key is made once, and only its owner may read it."""

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
