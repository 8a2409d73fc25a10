"""Where files under way and children at work have their place, below the data folder."""

import shutil
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from django.conf import settings

RUN_PREFIX = "run-"
# No child lives for more than some minutes, and a clock may be put forward an hour meanwhile.
ABANDONED_AFTER = timedelta(hours=2)


def incoming_folder() -> Path:
    """Return the folder of files under way, on the same disk as the models."""
    return _made(Path(settings.MEDIA_ROOT) / "incoming")


def work_folder() -> Path:
    """Return the folder in which each child gets one of its own."""
    return _made(settings.DATA_DIR / "work")


def sweep_work() -> int:
    """Delete the folders of children whose worker was killed, and return how many there were."""
    latest_s = time.time() - ABANDONED_AFTER.total_seconds()
    swept_count = 0
    for folder in work_folder().iterdir():
        # One that is in use may go at any moment.
        with suppress(FileNotFoundError):
            if folder.stat().st_mtime < latest_s:
                shutil.rmtree(folder, ignore_errors=True)
                swept_count += 1
    return swept_count


def sweep_runs() -> None:
    """Delete what killed workers left of their runs; only for whoever holds the machine's lock."""
    for folder in work_folder().glob(f"{RUN_PREFIX}*"):
        shutil.rmtree(folder, ignore_errors=True)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
