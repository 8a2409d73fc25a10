"""A PostgreSQL and a Redis of the tests' own, to be killed, frozen and flushed."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import redis

from tests.composed import COMPOSE, free_port, wait_for

POSTGRES_USER = "postgres"


class Server:
    """A server process on a port of its own, with a folder that outlives it."""

    def __init__(self):
        self.port = free_port()
        # Not pytest's: its folders are closed to the user that PostgreSQL runs as.
        self.folder = Path(tempfile.mkdtemp(prefix="carbonsite-faults-"))
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.process = subprocess.Popen(
            self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self.answers, type(self).__name__, within_s=30)

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def end(self, how: signal.Signals) -> None:
        """Send it a signal, and wait until it has ended."""
        self.process.send_signal(how)
        self.process.wait(30)

    def freeze(self) -> None:
        """Stop it without closing anything: whoever waits for it waits."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        """End it for good."""
        if self.process is not None and self.process.poll() is None:
            self.thaw()
            self.end(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


class Redis(Server):
    """Set up as docker-compose.yml does it."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, socket_timeout=2)

    def command(self) -> list[str]:
        return [
            *("redis-server", "--port", str(self.port), "--bind", "127.0.0.1"),
            *("--dir", str(self.folder), "--save", ""),
            *COMPOSE["services"]["redis"]["command"].split()[1:],
        ]

    def answers(self) -> bool:
        try:
            return self.client.ping()
        except redis.RedisError:
            return False


class PostgreSQL(Server):
    """A cluster of its own with the database carbonsite."""

    @property
    def url(self) -> str:
        return f"postgres://{POSTGRES_USER}@127.0.0.1:{self.port}/carbonsite"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def create(self) -> None:
        """Make the cluster and its database."""
        if os.getuid() == 0:
            shutil.chown(self.folder, POSTGRES_USER, POSTGRES_USER)
        options = ("--auth=trust", f"--username={POSTGRES_USER}", "--no-sync", "--encoding=UTF8")
        subprocess.run(
            self._as_its_user("initdb", f"--pgdata={self.data}", *options),
            check=True,
            capture_output=True,
        )
        self.start()
        with psycopg.connect(self.server_url, autocommit=True) as door:
            door.execute("CREATE DATABASE carbonsite")

    @property
    def server_url(self) -> str:
        return self.url.replace("/carbonsite", "/postgres")

    def command(self) -> list[str]:
        return self._as_its_user(
            *("postgres", "-D", str(self.data), "-p", str(self.port), "-k", str(self.folder)),
            *("-h", "127.0.0.1"),
        )

    def answers(self) -> bool:
        try:
            with psycopg.connect(self.server_url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def end(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT in order, SIGQUIT as a power cut would."""
        super().end(how)
        # A killed postmaster's children need a moment to notice.
        time.sleep(0.2)

    def cut_connections(self) -> int:
        """End every connection to the site's database, and return how many there were."""
        query = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = 'carbonsite'"
        )
        with psycopg.connect(self.server_url, autocommit=True) as door:
            return door.execute(query).fetchone()[0]

    def _as_its_user(self, program: str, *arguments: str) -> list[str]:
        folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        found = str(folders[-1] / program) if folders else program
        # PostgreSQL refuses to run as root.
        change = ("setpriv", f"--reuid={POSTGRES_USER}", f"--regid={POSTGRES_USER}")
        prefix = (*change, "--clear-groups", "--") if os.getuid() == 0 else ()
        return [*prefix, found, *arguments]
