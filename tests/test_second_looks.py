"""./test: what fails in the crowd and passes alone is told, and what fails alone too has failed."""

import sys

import pytest

from tests.passes import Pass, run
from tests.second_looks import PytestNotes, worth_another_look

pytestmark = pytest.mark.one_back_end
STEADY = "def test_steady(): pass\n"
FAILS = "def test_broken(): assert False\n"
# Fails where no file is, and makes it.
UNSTEADY = """
from pathlib import Path
def test_unsteady():
    been_here = Path(__file__).with_name("been_here")
    was_here = been_here.exists()
    been_here.touch()
    assert was_here
"""


@pytest.fixture
def looked_at(tmp_path, capfd):
    def look(text):
        """Run a file of tests as a pass: what failed, and what was said at the end."""
        (tmp_path / "test_it.py").write_text(text)
        notes = PytestNotes(tmp_path / "notes")
        command = (sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", *notes.options)
        one = Pass("One", (*command, "--rootdir", str(tmp_path), str(tmp_path)), notes=notes)
        failed = run([[one]], logs=tmp_path / "logs")
        said, told = capfd.readouterr()
        return failed, said, told

    return look


def test_a_test_that_passes_alone_is_told_and_is_no_failure(looked_at):
    failed, said, told = looked_at(STEADY + UNSTEADY)

    assert failed == []
    assert "== Once more, alone: One\n" in said
    assert "1 passed" in said.split("Once more")[1]
    assert told == "!! UNSTEADY, passed only when run alone: test_it.py::test_unsteady\n"


def test_a_test_that_fails_alone_too_has_failed(looked_at):
    failed, said, told = looked_at(STEADY + UNSTEADY + FAILS)

    assert failed == ["One"]
    assert "1 failed, 1 passed" in said.split("Once more")[1]
    assert told == ""


def test_what_passes_is_not_looked_at_again(looked_at):
    failed, said, told = looked_at(STEADY)

    assert (failed, told) == ([], "")
    assert "Once more" not in said


@pytest.mark.parametrize(
    "text",
    ["raise RuntimeError\n", "\n".join(FAILS.replace("broken", str(n)) for n in range(4))],
    ids=["unreadable", "many"],
)
def test_many_failures_and_files_that_cannot_be_read_need_no_second_look(looked_at, text):
    failed, said, _ = looked_at(text)

    assert failed == ["One"]
    assert "Once more" not in said


def test_a_pytest_that_broke_off_is_not_asked_again():
    assert worth_another_look(1, ["test_it.py::test_x"])
    assert not worth_another_look(2, ["test_it.py::test_x"])
