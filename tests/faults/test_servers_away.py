"""Redis and PostgreSQL flushed, full, frozen, restarted or away: F12 to F20."""

import signal
import time
from urllib.error import HTTPError

import pytest

from tests.composed import wait_for

pytestmark = [pytest.mark.servers, pytest.mark.slow]


def test_f12_messages_lost_with_a_flushed_redis_are_rung_again(site):
    site.end("worker-measure", signal.SIGKILL)
    run_id = site.submit()

    site.broker.client.flushall()
    site.start("worker-measure")
    site.let_bells_be_missed()

    site.wait_until(run_id, "done")


def test_f13_a_restarted_redis_goes_on(site):
    run_id = site.submit_and_wait_until_timed()

    site.broker.end(signal.SIGKILL)
    site.broker.start()

    site.wait_until(run_id, "done")
    after = site.submit()
    site.let_bells_be_missed()
    site.wait_until(after, "done")


def test_f14_without_redis_a_run_is_accepted_at_once_and_measured_later(site):
    site.broker.end(signal.SIGKILL)

    began_s = time.monotonic()
    run_id = site.submit()
    took_s = time.monotonic() - began_s

    assert site.status(run_id) == "queued"
    assert took_s < 15
    site.broker.start()
    site.let_bells_be_missed()
    site.wait_until(run_id, "done")


def test_f15_a_frozen_redis_does_not_hold_a_page_up_for_long(site):
    site.broker.freeze()

    began_s = time.monotonic()
    run_id = site.submit()
    took_s = time.monotonic() - began_s

    assert took_s < 20
    site.broker.thaw()
    site.let_bells_be_missed()
    site.wait_until(run_id, "done")


def test_f16_a_full_redis_refuses_messages_and_no_run(site):
    site.broker.client.config_set("maxmemory", "1")

    run_id = site.submit()

    site.broker.client.config_set("maxmemory", "0")
    site.let_bells_be_missed()
    site.wait_until(run_id, "done")


def test_f17_a_restarted_database_loses_no_run_under_way(site):
    run_id = site.submit_and_wait_until_timed()

    site.database.end(signal.SIGINT)
    site.database.start()
    site.let_leases_run_out()
    site.let_bells_be_missed()

    site.wait_until(run_id, "done", "failed")
    assert (site.status(run_id), site.result_count(run_id)) == ("done", 1)


def test_f18_connections_cut_in_the_middle_lose_no_run(site):
    run_id = site.submit_and_wait_until_timed()

    assert site.database.cut_connections() > 0
    site.let_leases_run_out()
    site.let_bells_be_missed()

    site.wait_until(run_id, "done", "failed")
    assert (site.status(run_id), site.result_count(run_id)) == ("done", 1)


def test_f19_without_its_database_the_site_says_when_to_come_back(site):
    site.database.end(signal.SIGQUIT)

    with pytest.raises(HTTPError) as refused:
        site.call("GET", "zones/")

    assert refused.value.code == 503
    assert refused.value.headers["Retry-After"] == "30"
    site.database.start()
    wait_for(site.is_ready, "the site")


def test_f20_a_database_lost_while_a_result_is_stored_stores_it_once(site):
    run_id = site.submit_and_wait_until_timed()
    frozen_s = 4

    # Frozen past the end of the samples: the result comes while nobody answers.
    site.database.freeze()
    time.sleep(frozen_s)
    site.database.end(signal.SIGKILL)
    site.database.start()
    site.let_leases_run_out()
    site.let_bells_be_missed()

    site.wait_until(run_id, "done", "failed")
    assert (site.status(run_id), site.result_count(run_id)) == ("done", 1)
