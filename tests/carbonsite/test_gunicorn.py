"""How many processes and threads the web server has, wherever that is said."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_back_end
ROOT = Path(__file__).resolve().parent.parent.parent
ASK = "from carbonsite import gunicorn; print(gunicorn.workers, gunicorn.threads)"


def told(folder, **environment):
    """What the web server is told in a site that lies in this folder."""
    shutil.copytree(
        ROOT / "carbonsite", folder / "carbonsite", ignore=shutil.ignore_patterns("__pycache__")
    )
    bare = {name: value for name, value in os.environ.items() if not name.startswith("WEB_")}
    command = [sys.executable, "-c", ASK]
    return subprocess.check_output(command, cwd=folder, env=bare | environment, text=True).split()


def test_what_nobody_says_has_its_default(tmp_path):
    assert told(tmp_path) == ["2", "4"]


def test_the_file_beside_manage_py_counts(tmp_path):
    (tmp_path / ".env").write_text("WEB_WORKERS=3\nWEB_THREADS=5\n")

    assert told(tmp_path) == ["3", "5"]


def test_the_environment_goes_before_the_file(tmp_path):
    (tmp_path / ".env").write_text("WEB_WORKERS=3\nWEB_THREADS=5\n")

    assert told(tmp_path, WEB_WORKERS="7") == ["7", "5"]
