"""What every test stands on: plain static files, models in its own folder, bells on a list."""

import importlib
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db.backends.postgresql.operations import DatabaseOperations

PLAIN_STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}


def _deletions(self, style, tables, *, reset_sequences=False, allow_cascade=False):
    """What empties tables after a test: their few rows go in no time.

    Django would truncate them, for which PostgreSQL makes some hundred files anew: up to 2 s.
    """
    return [f"DELETE FROM {self.quote_name(table)};" for table in tables]


DatabaseOperations.sql_flush = _deletions

# These two know nothing of Django; nor do their tests.
PURE_PACKAGES = {"footprint", "runner"}


def _is_pure(request) -> bool:
    return request.path.relative_to(Path(__file__).parent).parts[0] in PURE_PACKAGES


@pytest.fixture(autouse=True)
def plain_surroundings(request):
    """Static files by their plain names, models in a folder of the test's own."""
    if _is_pure(request):
        return
    settings = request.getfixturevalue("settings")
    settings.STORAGES = PLAIN_STORAGES
    settings.MEDIA_ROOT = request.getfixturevalue("tmp_path") / "models"
    settings.FREE_DISK_FLOOR_BYTES = 0
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


@pytest.fixture(autouse=True)
def rung(request, monkeypatch):
    """The bells rung by the test, as (task name, row id), instead of messages to workers."""
    bells = []
    if _is_pure(request):
        return bells
    for name in ("submission", "tasks", "uploads"):
        module = importlib.import_module(f"benchmarks.{name}")
        monkeypatch.setattr(
            module,
            "ring",
            lambda task, row_id: bells.append((task.name.rsplit(".", 1)[-1], str(row_id))),
        )
    return bells
