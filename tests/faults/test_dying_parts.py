"""Parts that are killed, stopped or restarted while a run is under way: F01 to F11, F29."""

import os
import signal
import time

import pytest

from tests.composed import wait_for

pytestmark = [pytest.mark.servers, pytest.mark.slow]


def test_f01_a_killed_child_is_measured_once_more(site):
    run_id = site.submit_and_wait_until_timed()

    _kill(site.child_pid())
    site.wait_until(run_id, "done", "failed")

    assert (site.status(run_id), site.attempts(run_id)) == ("done", 2)


def test_f02_a_killed_worker_loses_no_run(site):
    run_id = site.submit_and_wait_until_timed()

    site.end("worker-measure", signal.SIGKILL)
    site.let_leases_run_out()
    site.start("worker-measure")
    site.wait_until(run_id, "done", "failed")

    assert (site.status(run_id), site.attempts(run_id)) == ("done", 2)
    assert site.result_count(run_id) == 1


def test_f03_a_worker_told_to_end_hands_its_run_back_uncounted(site):
    run_id = site.submit_and_wait_until_timed()

    began_s = time.monotonic()
    site.end("worker-measure", signal.SIGTERM)
    took_s = time.monotonic() - began_s

    assert (site.status(run_id), site.attempts(run_id)) == ("queued", 0)
    assert took_s < 15
    site.start("worker-measure")
    site.let_bells_be_missed()
    site.wait_until(run_id, "done")


def test_f04_a_frozen_worker_cannot_write_over_its_successor(site):
    run_id = site.submit_and_wait_until_timed()
    frozen = site.parts.pop("worker-measure")

    frozen.send_signal(signal.SIGSTOP)
    site.let_leases_run_out()
    site.start("worker-measure")
    # The machine is still the frozen worker's: its successor waits for the lock.
    wait_for(lambda: site.status(run_id) == "queued", "the run to be queued again")
    frozen.send_signal(signal.SIGCONT)
    site.wait_until(run_id, "done")

    assert site.result_count(run_id) == 1
    frozen.send_signal(signal.SIGTERM)
    frozen.wait(30)


def test_f05_a_run_that_kills_its_worker_three_times_is_given_up(site):
    run_id = site.submit_and_wait_until_timed()

    for attempt in (1, 2, 3):
        wait_for(lambda wanted=attempt: site.attempts(run_id) == wanted, f"attempt {attempt}")
        site.wait_until_timed(run_id)
        site.end("worker-measure", signal.SIGKILL)
        site.let_leases_run_out()
        site.start("worker-measure")
    site.wait_until(run_id, "failed", "done")

    code = site.value(f"SELECT failure_code FROM benchmarks_run WHERE id = '{run_id}'")
    assert (site.status(run_id), code, site.attempts(run_id)) == ("failed", "lost", 3)


def test_f29_a_worker_killed_twice_while_it_looks_into_a_run_loses_and_doubles_nothing(site):
    run_id = site.submit()

    for attempt in (1, 2):
        wait_for(lambda wanted=attempt: site.attempts(run_id) == wanted, f"attempt {attempt}")
        site.wait_until_in(run_id, "profiling")
        assert site.result_count(run_id) == 0
        site.end("worker-measure", signal.SIGKILL)
        site.let_leases_run_out()
        site.start("worker-measure")
    site.wait_until(run_id, "done", "failed")

    note = f"SELECT profiling_note FROM benchmarks_measurement WHERE run_id = '{run_id}'"
    assert (site.status(run_id), site.attempts(run_id)) == ("done", 3)
    assert site.result_count(run_id) == 1
    assert "lost twice" in site.value(note)


def test_f06_a_message_delivered_twenty_times_is_measured_once(site):
    run_id = site.submit()

    site.manage(
        *("shell", "-c"),
        "from benchmarks.tasks import measure_run\n"
        f"for _ in range(20): measure_run.delay('{run_id}')",
    )
    site.wait_until(run_id, "done")
    wait_for(lambda: site.broker.client.llen("measure") == 0, "the messages to be used up")

    assert (site.result_count(run_id), site.attempts(run_id)) == (1, 1)


def test_f07_a_killed_web_process_leaves_runs_and_pages_as_they_were(site):
    run_id = site.submit_and_wait_until_timed()

    site.end("web", signal.SIGKILL)
    site.start("web")
    wait_for(site.is_ready, "the site")

    site.wait_until(run_id, "done")
    assert site.call("GET", f"runs/{run_id}/")["emission_g"] > 0


def test_f08_two_clocks_ring_twice_and_measure_once(site):
    first = site.parts["beat"]
    second = site.start("beat")
    run_id = site.submit()

    site.let_bells_be_missed()
    site.wait_until(run_id, "done")

    assert (site.result_count(run_id), site.attempts(run_id)) == (1, 1)
    assert (first.poll(), second.poll()) == (None, None)
    first.send_signal(signal.SIGTERM)
    first.wait(30)


def test_f09_without_a_clock_a_run_is_measured_by_its_own_message(site):
    site.end("beat", signal.SIGKILL)

    run_id = site.submit()

    site.wait_until(run_id, "done")


def test_f10_everything_killed_at_once_starts_again_where_it_was(site):
    run_ids = [site.submit_and_wait_until_timed(), site.submit()]

    for part in list(site.parts):
        site.end(part, signal.SIGKILL)
    site.broker.end(signal.SIGKILL)
    site.database.end(signal.SIGQUIT)
    site.mend()
    site.let_leases_run_out()
    site.let_bells_be_missed()

    for run_id in run_ids:
        site.wait_until(run_id, "done", "failed")
        assert (site.status(run_id), site.result_count(run_id)) == ("done", 1)


def test_f11_a_cancelled_run_ends_its_child(site):
    run_id = site.submit_and_wait_until_timed()
    child = site.child_pid()

    site.call("POST", f"runs/{run_id}/cancel/")

    wait_for(lambda: not _is_alive(child), "the child to end", within_s=10)
    assert (site.status(run_id), site.result_count(run_id)) == ("cancelled", 0)


def _kill(pid):
    os.kill(pid, signal.SIGKILL)


def _is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
