"""A backup in one folder: the database, the models and the secret key of one moment."""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections

MANIFEST = "manifest.json"
SECRET_KEY = "secret_key"  # noqa: S105 (a file's name)
MODELS = "models"
SQLITE_FILE = "database.sqlite3"
POSTGRES_FILE = "database.dump"


class BackupProblem(Exception):
    """Why there is no backup, or why one cannot be put back, in a sentence."""


def back_up(folder: Path) -> int:
    """Write a backup into ``folder``, which must be empty or absent; return its size in bytes.

    The database first: a model uploaded meanwhile is a file too many, which hurts nobody, and
    never one too few. Raises BackupProblem.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BackupProblem(f"{folder} is not empty. Name a folder that is, or a new one.")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    _dump_database(folder)
    if not settings.S3_BUCKET:
        _copy_models(Path(settings.MEDIA_ROOT), folder / MODELS)
    key = settings.DATA_DIR / SECRET_KEY
    if key.is_file():
        shutil.copy2(key, folder / SECRET_KEY)
    digests = {str(path.relative_to(folder)): _digest(path) for path in _files(folder)}
    (folder / MANIFEST).write_text(json.dumps(digests, indent=1, sort_keys=True))
    return sum(path.stat().st_size for path in _files(folder))


def restore(folder: Path) -> None:
    """Put a backup back into a site that has no database yet.

    Raises BackupProblem for a damaged backup, and where there is something to lose.
    """
    _check(folder)
    if connection.introspection.table_names():
        raise BackupProblem(
            "The database is not empty. Restore into a new one, or drop this one first."
        )
    connections.close_all()
    _load_database(folder)
    if (folder / MODELS).is_dir():
        _copy_models(folder / MODELS, Path(settings.MEDIA_ROOT))
    # A key in the environment wins, and then there was none in the backed-up folder either.
    if (folder / SECRET_KEY).is_file():
        shutil.copy2(folder / SECRET_KEY, settings.DATA_DIR / SECRET_KEY)


def _check(folder: Path) -> None:
    try:
        digests = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise BackupProblem(f"{folder} is no backup: {MANIFEST} cannot be read.") from error
    for name, digest in digests.items():
        if not (folder / name).is_file() or _digest(folder / name) != digest:
            raise BackupProblem(f"The backup is damaged: {name} is missing or has changed.")


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy_models(source: Path, target: Path) -> None:
    """Copy stored models, and nothing that is still coming in."""
    if source.is_dir():
        shutil.copytree(
            source,
            target,
            dirs_exist_ok=True,
            ignore=lambda where, _: ["incoming"] if Path(where) == source else [],
        )


def _dump_database(folder: Path) -> None:
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with sqlite3.connect(folder / SQLITE_FILE) as copy:
            connection.connection.backup(copy)
    else:
        options = ("--format=custom", f"--file={folder / POSTGRES_FILE}")
        _postgres("pg_dump", *options)


def _load_database(folder: Path) -> None:
    wanted = SQLITE_FILE if connection.vendor == "sqlite" else POSTGRES_FILE
    if not (folder / wanted).is_file():
        raise BackupProblem(
            f"This site's database is {connection.display_name}, and the backup has no {wanted}. "
            "Set DATABASE_URL to a database of the kind that was backed up."
        )
    if connection.vendor == "sqlite":
        shutil.copy2(folder / wanted, settings.DATABASES[DEFAULT_DB_ALIAS]["NAME"])
    else:
        database = connection.settings_dict["NAME"]
        options = ("--no-owner", "--exit-on-error", f"--dbname={database}", str(folder / wanted))
        _postgres("pg_restore", *options)


def _postgres(program: str, *options: str) -> None:
    """Run one of PostgreSQL's own programs on the site's database."""
    place = connection.settings_dict
    known = {
        "PGHOST": place["HOST"],
        "PGPORT": place["PORT"],
        "PGUSER": place["USER"],
        "PGPASSWORD": place["PASSWORD"],
        "PGDATABASE": place["NAME"],
    }
    environment = {**os.environ, **{name: str(value) for name, value in known.items() if value}}
    try:
        subprocess.run(
            [program, *options], env=environment, check=True, capture_output=True, text=True
        )
    except FileNotFoundError as error:
        raise BackupProblem(
            f"{program} is not installed. Install PostgreSQL's client programs."
        ) from error
    except subprocess.CalledProcessError as error:
        raise BackupProblem(f"{program} failed: {error.stderr.strip()}") from error
