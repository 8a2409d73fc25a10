"""The drill: a site with results is backed up, and put back on an empty machine."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.own_sites import own_environment

ROOT = Path(__file__).resolve().parent.parent.parent
A_RESULT = (
    "from tests.people import a_done_run; run = a_done_run(); "
    "print(run.version.file.name, run.estimate.emission_g)"
)
WHAT_IS_THERE = (
    "from benchmarks.models import Run; "
    "from django.core.files.storage import default_storage; "
    "run = Run.objects.get(); "
    "assert default_storage.exists(run.version.file.name); "
    "print(run.version.file.name, run.estimate.emission_g)"
)


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A machine with a site that has a result, which no test changes."""
    folder = tmp_path_factory.mktemp("drill") / "full"
    with own_environment(folder, purpose="drill_full") as machine:
        manage(machine, "migrate", "--verbosity=0")
        yield machine, manage(machine, "shell", "-c", A_RESULT)


@pytest.fixture
def empty(tmp_path):
    """A machine with nothing on it."""
    with own_environment(tmp_path / "empty", purpose="drill_empty") as machine:
        yield machine


def manage(environment, *arguments):
    """What a management command prints last; fails with it when the command does."""
    answer = run(environment, *arguments)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip().splitlines()[-1:]


def run(environment, *arguments):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_backup_put_back_on_an_empty_machine_has_every_result(full, empty, tmp_path):
    machine, result = full
    backup = str(tmp_path / "backup")

    assert "Backed up" in manage(machine, "backup", backup)[0]
    manage(empty, "restore", backup)
    manage(empty, "migrate", "--verbosity=0")

    assert manage(empty, "shell", "-c", WHAT_IS_THERE) == result
    keys = [Path(one["CARBONSITE_DATA"], "secret_key").read_text() for one in (machine, empty)]
    assert keys[0] == keys[1]


def test_nothing_is_overwritten_and_nothing_damaged_is_put_back(full, empty, tmp_path):
    machine, _ = full
    backup = tmp_path / "backup"
    manage(machine, "backup", str(backup))

    again = run(machine, "backup", str(backup))
    over_it = run(machine, "restore", str(backup))
    (backup / "secret_key").write_text("changed")
    damaged = run(empty, "restore", str(backup))

    assert "is not empty" in again.stderr
    assert "The database is not empty" in over_it.stderr
    assert "secret_key is missing or has changed" in damaged.stderr
    assert [one.returncode for one in (again, over_it, damaged)] == [1, 1, 1]
