"""A whole site in its production shape, with a PostgreSQL and a Redis that may die.

After every case the same is asked: has each accepted run exactly one end, is each result there
once, do the quotas add up, is nothing left behind, and was no answer a 500.
"""

import signal
import time
from pathlib import Path

import psycopg
import pytest

from runner.sample_models import mlp
from tests.attacks.conftest import Insider
from tests.composed import NEW_TOKEN, Composed, multipart, production, wait_for
from tests.faults.servers import PostgreSQL, Redis

# No test: the clock of another process, which Python reads before the program.
collect_ignore = ["moved_clock"]
PARTS = ("web", "worker-measure", "worker-default", "beat")


class FaultySite(Composed):
    """The site, and the hands that break it."""

    def __init__(self, folder, database: PostgreSQL, broker: Redis):
        environment = production(folder, database_url=database.url, redis_url=broker.url)
        super().__init__(folder, {**environment, "DJANGO_SETTINGS_MODULE": "tests.faults.settings"})
        self.database, self.broker = database, broker
        self.version_id = self.profile_id = ""
        self.insider: Insider | None = None

    def set_up(self) -> None:
        """Start everything, and upload the model that the cases measure."""
        assert self.start("prepare").wait(90) == 0
        for part in PARTS:
            self.start(part)
        wait_for(self.is_ready, "the site")
        self.token = self.manage("shell", "-c", NEW_TOKEN).splitlines()[-1]
        self.version_id = self.call("POST", "models/", multipart(mlp()))["latest_version"]["id"]
        wait_for(lambda: self.call("GET", f"versions/{self.version_id}/")["status"] == "ready")
        self.profile_id = self.call("GET", "profiles/")["results"][0]["id"]
        self.insider = Insider(self.environment)

    def mend(self) -> None:
        """Start again what a case has ended."""
        for server in (self.database, self.broker):
            server.thaw()
            if server.process.poll() is not None:
                server.start()
        for part in PARTS:
            if part not in self.parts or self.parts[part].poll() is not None:
                self.start(part)
        wait_for(self.is_ready, "the site")

    def start_elsewhere(self, name: str) -> None:
        """Start a part on what is another machine to it: with data, and so a lock, of its own."""
        folder = self.folder / "elsewhere"
        if not folder.exists():
            folder.mkdir()
            (folder / "models").symlink_to(self.folder / "data" / "models")
        plain = self.environment
        self.environment = plain | {"CARBONSITE_DATA": str(folder)}
        self.start(name)
        self.environment = plain

    def submit(self) -> str:
        """Ask for a quick measurement; return the run's id."""
        asked = {"version": self.version_id, "profile": self.profile_id, "effort": "quick"}
        return self.call("POST", "runs/", asked)["id"]

    def status(self, run_id: str) -> str:
        return self.value(f"SELECT status FROM benchmarks_run WHERE id = '{run_id}'")

    def wait_until(self, run_id: str, *statuses: str) -> None:
        """Wait until the run stands so."""
        wait_for(lambda: self.status(run_id) in statuses, f"run {statuses}")

    def wait_until_timed(self, run_id: str) -> None:
        """Wait until the run's child takes its samples."""
        self.wait_until_in(run_id, "measuring")

    def wait_until_in(self, run_id: str, wanted: str) -> None:
        """Wait until the run is in that phase."""
        phase = f"SELECT phase FROM benchmarks_run WHERE id = '{run_id}'"
        wait_for(lambda: self.value(phase) == wanted, wanted)

    def submit_and_wait_until_timed(self) -> str:
        run_id = self.submit()
        self.wait_until_timed(run_id)
        return run_id

    def value(self, query: str):
        """The one value that a query answers, or None."""
        with psycopg.connect(self.database.url, autocommit=True) as door:
            cursor = door.execute(query)
            row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    def let_leases_run_out(self) -> None:
        """Have a minute pass for every run under way."""
        self.value(
            "UPDATE benchmarks_run SET lease_expires_at = now() - interval '1 second' "
            "WHERE status = 'measuring'"
        )

    def let_bells_be_missed(self) -> None:
        """Have half a minute pass for every run that waits."""
        self.value("UPDATE benchmarks_run SET rung_at = rung_at - interval '1 minute'")

    def result_count(self, run_id: str) -> int:
        return self.value(f"SELECT count(*) FROM benchmarks_measurement WHERE run_id = '{run_id}'")

    def attempts(self, run_id: str) -> int:
        return self.value(f"SELECT attempts FROM benchmarks_run WHERE id = '{run_id}'")

    def child_pid(self) -> int:
        """The process that measures now."""
        found = []

        def is_there():
            worker = self.parts["worker-measure"].pid
            path = Path(f"/proc/{worker}/task/{worker}/children")
            found[:] = path.read_text().split()
            return bool(found)

        wait_for(is_there, "a child")
        return int(found[0])

    def faults_answered(self) -> list[dict]:
        """Requests that were answered with a fault of ours: 500, 502 and so on, not 503 or 507."""
        faults = {500, 501, 502, 504, 505}
        return [line for line in self.log("web") if line.get("status") in faults]


@pytest.fixture(scope="session")
def whole_site(tmp_path_factory):
    """The site, set up once for all cases."""
    database, broker = PostgreSQL(), Redis()
    site = None
    try:
        database.create()
        broker.start()
        site = FaultySite(tmp_path_factory.mktemp("faults"), database, broker)
        site.set_up()
        yield site
    finally:
        if site and site.insider:
            site.insider.leave()
        for part in list(site.parts) if site else ():
            site.parts[part].send_signal(signal.SIGCONT)
            site.end(part, signal.SIGKILL)
        broker.remove()
        database.remove()


@pytest.fixture
def site(whole_site):
    """The site in order; afterwards it is mended, and what must hold is checked."""
    yield whole_site
    whole_site.mend()
    wait_for(lambda: not _under_way(whole_site), "all runs to end")
    # The next sweep throws leftovers away.
    deadline_s = time.monotonic() + 30
    while (broken := whole_site.insider.ask("broken")) and time.monotonic() < deadline_s:
        time.sleep(0.5)
    assert broken == []
    assert whole_site.faults_answered() == []


def _under_way(site) -> int:
    return site.value("SELECT count(*) FROM benchmarks_run WHERE status IN ('queued', 'measuring')")
