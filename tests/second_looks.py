"""A few tests that failed beside other passes run once more, alone: was it the site or the crowd?

Clocks, kernels and browsers are in these tests, and two other passes beside them. What fails alone
too has failed. What then passes is told all the same, by name: it wants mending, and hides nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

AT_MOST = 3
# pytest's exit status where tests ran and some failed.
TESTS_FAILED = 1
ALONE = ("--lf", "--lfnf=none")


@dataclass(frozen=True, slots=True)
class PytestNotes:
    """The folder in which one pass of pytest notes what failed, read by its ``--lf``."""

    folder: Path

    @property
    def options(self) -> tuple[str, ...]:
        """What pytest has to be told."""
        return ("-o", f"cache_dir={self.folder}")

    def failed(self) -> list[str]:
        """Return the ids of the tests that failed in the last run, or earlier and not since."""
        path = self.folder / "v" / "cache" / "lastfailed"
        return list(json.loads(path.read_text())) if path.is_file() else []


def worth_another_look(exit_status: int, failed: Sequence[str]) -> bool:
    """Whether the crowd may be what failed: a few tests, in files that could be read."""
    are_tests = all("::" in test for test in failed)
    return exit_status == TESTS_FAILED and 0 < len(failed) <= AT_MOST and are_tests
