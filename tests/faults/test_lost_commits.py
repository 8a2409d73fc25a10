"""A database lost in the middle of a commit, and a worker that comes too late: F24 to F27."""

import signal

import pytest

from runner.sample_models import lenet5
from tests.composed import multipart, wait_for

pytestmark = [pytest.mark.servers, pytest.mark.slow]
FUNCTION = "CREATE FUNCTION in_the_way() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} END $$"
# At the end of a transaction, before it is written down: the commit takes for ever.
BEFORE_THE_COMMIT = (
    FUNCTION.format("PERFORM pg_sleep(600); RETURN NULL;"),
    "CREATE CONSTRAINT TRIGGER in_the_way AFTER INSERT ON benchmarks_estimate "
    "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION in_the_way()",
)
# Written down, and then it waits for a second server to have it too, which there is not.
AFTER_THE_COMMIT = (
    FUNCTION.format("PERFORM set_config('synchronous_commit', 'on', true); RETURN NEW;"),
    "CREATE TRIGGER in_the_way BEFORE INSERT ON benchmarks_estimate "
    "FOR EACH ROW EXECUTE FUNCTION in_the_way()",
    "ALTER SYSTEM SET synchronous_commit = 'local'",
    "ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
    "SELECT pg_reload_conf()",
)
OUT_OF_THE_WAY = (
    "ALTER SYSTEM RESET ALL",
    "SELECT pg_reload_conf()",
    "DROP FUNCTION IF EXISTS in_the_way CASCADE",
)


@pytest.fixture
def hurdle(site):
    """A maker of what holds a commit up; it is gone when the database has started again."""

    def put(statements):
        for statement in statements:
            site.value(statement)

    yield put
    if site.database.process.poll() is not None:
        site.database.start()
    put(OUT_OF_THE_WAY)


def lose_the_database_while_it_waits(site, wait_event):
    """End it as a power cut would, when a transaction waits so; start it again without hurdles."""
    query = f"SELECT count(*) FROM pg_stat_activity WHERE wait_event = '{wait_event}'"
    wait_for(lambda: site.value(query) == 1, "the commit")
    site.database.end(signal.SIGQUIT)
    site.database.start()


def test_f24_a_result_whose_commit_was_lost_is_measured_again(site, hurdle):
    hurdle(BEFORE_THE_COMMIT)
    run_id = site.submit()

    lose_the_database_while_it_waits(site, "PgSleep")
    after = (site.status(run_id), site.result_count(run_id))
    hurdle(OUT_OF_THE_WAY)
    site.let_leases_run_out()

    assert after == ("measuring", 0)
    site.wait_until(run_id, "done", "failed")
    assert (site.status(run_id), site.result_count(run_id)) == ("done", 1)
    assert site.attempts(run_id) == 2


def test_f25_a_result_whose_commit_was_never_confirmed_is_there_once(site, hurdle):
    hurdle(AFTER_THE_COMMIT)
    run_id = site.submit()

    lose_the_database_while_it_waits(site, "SyncRep")
    after = (site.status(run_id), site.result_count(run_id))
    hurdle(OUT_OF_THE_WAY)
    site.let_bells_be_missed()
    next_id = site.submit()

    # The worker knows of no result, and the database does: nobody measures again.
    assert after == ("done", 1)
    site.wait_until(next_id, "done")
    assert (site.result_count(run_id), site.attempts(run_id)) == (1, 1)


def test_f26_a_worker_that_wakes_with_a_result_of_yesterday_throws_it_away(site):
    run_id = site.submit_and_wait_until_timed()
    frozen = site.parts.pop("worker-measure")

    frozen.send_signal(signal.SIGSTOP)
    site.let_leases_run_out()
    site.start_elsewhere("worker-measure")
    site.wait_until(run_id, "done")
    measured = site.value(f"SELECT mean_s FROM benchmarks_measurement WHERE run_id = '{run_id}'")
    # Its child has finished meanwhile: it wakes with a result in its hands.
    frozen.send_signal(signal.SIGCONT)
    wait_for(lambda: len(endings(site, run_id)) == 2, "the sleeper to come to its end")

    assert (site.result_count(run_id), site.attempts(run_id)) == (1, 2)
    assert site.value(f"SELECT mean_s FROM benchmarks_measurement WHERE run_id = '{run_id}'") == (
        measured
    )
    frozen.send_signal(signal.SIGTERM)
    frozen.wait(30)
    site.end("worker-measure")


def endings(site, run_id):
    """What the measuring workers have logged of the ends of a run."""
    lines = [line for line in site.log("worker-measure") if line.get("run_id") == run_id]
    return [line["ending"] for line in lines if line.get("ending")]


def test_f27_an_upload_whose_reader_and_message_are_lost_is_read(site):
    site.end("worker-default", signal.SIGKILL)
    sent = site.call("POST", "models/", multipart(lenet5(), name="unread"))
    version_id = sent["latest_version"]["id"]

    site.broker.client.flushall()
    site.start("worker-default")
    site.value(
        "UPDATE benchmarks_modelversion SET inspection_rung_at = now() - interval '2 minutes' "
        f"WHERE id = '{version_id}'"
    )

    wait_for(lambda: site.call("GET", f"versions/{version_id}/")["status"] == "ready")
