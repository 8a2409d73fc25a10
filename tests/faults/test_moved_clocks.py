"""Clocks that are moved by an hour, on one machine, on some, and on the database's: F21 to F23."""

import os
import signal
from pathlib import Path

import pytest

from tests.composed import wait_for
from tests.faults.conftest import PARTS

pytestmark = [pytest.mark.servers, pytest.mark.slow]
HOUR_S = 3600
MOVED_CLOCK = Path(__file__).parent / "moved_clock"


class Clocks:
    """The clock of each part; see moved_clock/sitecustomize.py."""

    def __init__(self, folder: Path):
        self.folder = folder

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(MOVED_CLOCK), "MOVED_CLOCKS": str(self.folder)}

    def move(self, by_s: float, *parts: str) -> None:
        """Have the clocks of these parts show so much more than the time."""
        for part in parts:
            draft = self.folder / f".{part}"
            draft.write_text(str(by_s))
            os.replace(draft, self.folder / part)


@pytest.fixture(scope="module")
def clocks_of_the_site(whole_site, tmp_path_factory):
    """All parts, started anew with clocks that can be moved."""
    clocks = Clocks(tmp_path_factory.mktemp("clocks"))
    plain = whole_site.environment
    whole_site.environment = plain | clocks.environment
    _restart(whole_site)
    yield clocks
    whole_site.environment = plain
    _restart(whole_site)


@pytest.fixture
def clocks(site, clocks_of_the_site):
    """Clocks that are right, before a case and after it."""
    yield clocks_of_the_site
    clocks_of_the_site.move(0, *PARTS)


def _restart(site):
    for part in PARTS:
        site.end(part)
        site.start(part)
    wait_for(site.is_ready, "the site")


@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S])
@pytest.mark.parametrize("parts", [PARTS, ("worker-default", "worker-measure")], ids=["all", "two"])
def test_f21_a_moved_clock_costs_no_run_and_no_bell(site, clocks, parts, by_s):
    under_way = site.submit_and_wait_until_timed()

    clocks.move(by_s, *parts)
    site.wait_until(under_way, "done", "failed")
    # Its message is lost as well: only the sweep can ring for it.
    site.end("worker-measure", signal.SIGKILL)
    unheard = site.submit()
    site.broker.client.flushall()
    site.start("worker-measure")

    site.wait_until(unheard, "done", "failed")
    for run_id in (under_way, unheard):
        assert (site.status(run_id), site.result_count(run_id)) == ("done", 1)
        assert site.attempts(run_id) == 1
        assert site.call("GET", f"runs/{run_id}/")["emission_g"] > 0


def test_f22_a_database_whose_clock_is_put_back_takes_a_run_from_a_dead_worker(site):
    run_id = site.submit_and_wait_until_timed()

    site.end("worker-measure", signal.SIGKILL)
    _put_the_clock_back(site)
    site.start("worker-measure")

    site.wait_until(run_id, "done", "failed")
    assert (site.status(run_id), site.result_count(run_id)) == ("done", 1)
    assert site.attempts(run_id) == 2


def test_f23_a_database_whose_clock_is_put_back_leaves_a_run_to_its_living_worker(site):
    run_id = site.submit_and_wait_until_timed()

    _put_the_clock_back(site)

    site.wait_until(run_id, "done", "failed")
    assert (site.status(run_id), site.result_count(run_id)) == ("done", 1)


def _put_the_clock_back(site):
    """All that is noted lies an hour later than the clock now says."""
    site.value(
        "UPDATE benchmarks_run SET rung_at = rung_at + interval '1 hour', "
        "lease_expires_at = lease_expires_at + interval '1 hour'"
    )
    site.value("UPDATE benchmarks_worker SET seen_at = seen_at + interval '1 hour'")
