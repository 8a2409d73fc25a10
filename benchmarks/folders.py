"""Where files under way and children at work have their place, below the data folder."""

from pathlib import Path

from django.conf import settings


def incoming_folder() -> Path:
    """Return the folder of files under way, on the same disk as the models."""
    return _made(Path(settings.MEDIA_ROOT) / "incoming")


def work_folder() -> Path:
    """Return the folder in which each child gets one of its own."""
    return _made(settings.DATA_DIR / "work")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
