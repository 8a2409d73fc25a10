"""What must be true before the site starts, each step skipped when it already is."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor

from hardware.models import Zone

STAMP_FOLDER_NAME = "stamps"


def prepare(say: Callable[[str], None]) -> None:
    """Bring database, reference tables and static files up to date."""
    if must_migrate():
        say("Preparing the database")
        call_command("migrate", interactive=False, verbosity=0)
    is_empty = not Zone.objects.exists()
    refresh("reference", reference_state(), load_reference, say=say, is_forced=is_empty)
    is_missing = not Path(settings.STATIC_ROOT).is_dir()
    refresh("static", static_state(), collect_static, say=say, is_forced=is_missing)
    connections.close_all()


def must_migrate() -> bool:
    """Whether the database lacks a migration."""
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def load_reference(say: Callable[[str], None]) -> None:
    say("Loading the reference tables")
    call_command("load_reference", verbosity=0)


def collect_static(say: Callable[[str], None]) -> None:
    say("Collecting static files")
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)


def refresh(
    name: str,
    state: str,
    action: Callable[[Callable[[str], None]], None],
    *,
    say: Callable[[str], None],
    is_forced: bool,
) -> None:
    """Run ``action`` unless its stamp says that it last ran on this very ``state``."""
    stamp = settings.DATA_DIR / STAMP_FOLDER_NAME / name
    if not is_forced and stamp.is_file() and stamp.read_text() == state:
        return
    action(say)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(state)


def reference_state() -> str:
    """Return what identifies the reference tables' files and the database they go into."""
    database = settings.DATABASES[DEFAULT_DB_ALIAS]
    place = "|".join(str(database.get(key, "")) for key in ("ENGINE", "HOST", "PORT", "NAME"))
    hardware = settings.BASE_DIR / "hardware"
    files = [*sorted((hardware / "data").glob("*")), hardware / "reference.py"]
    return hashlib.sha256(place.encode() + digest_of_contents(files)).hexdigest()


def static_state() -> str:
    """Return what identifies the static files: ours by time and size, others' by their lock."""
    digest = hashlib.sha256((settings.BASE_DIR / "requirements.txt").read_bytes())
    for folder in settings.STATICFILES_DIRS:
        for path in sorted(Path(folder).rglob("*")):
            facts = path.stat()
            digest.update(f"{path} {facts.st_mtime_ns} {facts.st_size}\n".encode())
    return digest.hexdigest()


def digest_of_contents(paths: Iterable[Path]) -> bytes:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.digest()
