"""The drill: a site with results is backed up, and put back on an empty machine."""

import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

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


@contextmanager
def a_machine(folder, *, number):
    """The environment of a site of its own: a data folder, and maybe a PostgreSQL database."""
    own = {**os.environ, "CARBONSITE_DATA": str(folder / f"machine-{number}")}
    if "DATABASE_URL" not in os.environ:
        yield own
        return
    name = f"carbonsite_drill_{os.getpid()}_{number}"
    server = urlsplit(os.environ["DATABASE_URL"])
    with psycopg.connect(server._replace(path="/postgres").geturl(), autocommit=True) as door:
        door.execute(f"DROP DATABASE IF EXISTS {name}")
        door.execute(f"CREATE DATABASE {name}")
        yield {**own, "DATABASE_URL": server._replace(path=f"/{name}").geturl()}
        door.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def machines(tmp_path):
    """A machine with a site that has a result, and an empty one."""
    with ExitStack() as stack:
        full, empty = (stack.enter_context(a_machine(tmp_path, number=number)) for number in (1, 2))
        manage(full, "migrate", "--verbosity=0")
        yield full, empty


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


def test_a_backup_put_back_on_an_empty_machine_has_every_result(machines, tmp_path):
    full, empty = machines
    backup = str(tmp_path / "backup")
    result = manage(full, "shell", "-c", A_RESULT)

    assert "Backed up" in manage(full, "backup", backup)[0]
    manage(empty, "restore", backup)
    manage(empty, "migrate", "--verbosity=0")

    assert manage(empty, "shell", "-c", WHAT_IS_THERE) == result
    keys = [Path(one["CARBONSITE_DATA"], "secret_key").read_text() for one in machines]
    assert keys[0] == keys[1]


def test_nothing_is_overwritten_and_nothing_damaged_is_put_back(machines, tmp_path):
    full, empty = machines
    backup = tmp_path / "backup"
    manage(full, "shell", "-c", A_RESULT)
    manage(full, "backup", str(backup))

    again = run(full, "backup", str(backup))
    over_it = run(full, "restore", str(backup))
    (backup / "secret_key").write_text("changed")
    damaged = run(empty, "restore", str(backup))

    assert "is not empty" in again.stderr
    assert "The database is not empty" in over_it.stderr
    assert "secret_key is missing or has changed" in damaged.stderr
    assert [one.returncode for one in (again, over_it, damaged)] == [1, 1, 1]
