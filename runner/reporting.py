"""How often a child says where it is, and how a file is written at once, never in parts."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from runner.messages import to_json
from runner.results import Phase, Progress

REPORT_EVERY_S = 0.5


def write_whole(path: Path, text: str) -> None:
    """Write ``text`` so that a reader sees the old file or the new one, and no half."""
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)


class Reporter:
    """Tells progress at most every half second; says nothing where nobody listens."""

    def __init__(self, tell: Callable[[str], None] | None) -> None:
        self._tell = tell
        self._next_s = 0.0
        self._sample_count = 0

    def enter(self, phase: Phase) -> None:
        """Say that ``phase`` has begun, at once."""
        self._say(Progress(phase, self._sample_count))

    def counted(self, sample_count: int) -> None:
        """Say how many inferences have been timed, unless something was said just now."""
        self._sample_count = sample_count
        if time.monotonic() >= self._next_s:
            self._say(Progress("measuring", sample_count))

    def _say(self, progress: Progress) -> None:
        self._next_s = time.monotonic() + REPORT_EVERY_S
        if self._tell is not None:
            self._tell(to_json(progress))
