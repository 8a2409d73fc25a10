"""A database and a data folder that a test has to itself, on the servers that the suite runs on."""

import os
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg


@contextmanager
def own_database(purpose):
    """The address of an empty PostgreSQL database; afterwards it goes, whoever still uses it."""
    name = f"carbonsite_{purpose}_{os.getpid()}"
    server = urlsplit(os.environ["DATABASE_URL"])
    with psycopg.connect(server._replace(path="/postgres").geturl(), autocommit=True) as door:
        door.execute(f"DROP DATABASE IF EXISTS {name}")
        door.execute(f"CREATE DATABASE {name}")
        yield server._replace(path=f"/{name}").geturl()
        door.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def own_environment(data_folder, *, purpose):
    """A data folder of its own, and where the suite runs on PostgreSQL a database of its own."""
    own = {**os.environ, "CARBONSITE_DATA": str(data_folder)}
    if "DATABASE_URL" not in os.environ:
        yield own
        return
    with own_database(purpose) as database_url:
        yield {**own, "DATABASE_URL": database_url}
