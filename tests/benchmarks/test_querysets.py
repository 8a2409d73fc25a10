"""A run is claimed once, held by its token, and never lost."""

from datetime import timedelta

import pytest
from django.utils import timezone

from benchmarks.models import Run
from benchmarks.querysets import LEASE, MAX_ATTEMPTS
from tests.people import (
    a_model,
    a_queued_run,
    a_ready_version,
    admin,
    anonymous,
    owner,
    stranger,
    teammate,
)

pytestmark = pytest.mark.django_db


def claimed(run):
    return Run.objects.claim(run.pk, worker_name="here:1")


def let_the_lease_run_out(run):
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def test_a_run_delivered_twice_is_claimed_once():
    run = a_queued_run()

    assert claimed(run) is not None
    assert claimed(run) is None


def test_a_claim_counts_an_attempt_and_leases_the_run():
    run = a_queued_run()

    claimed(run)

    run.refresh_from_db()
    assert (run.status, run.attempts) == ("measuring", 1)
    assert run.lease_expires_at > timezone.now() + timedelta(seconds=50)


def test_only_the_holder_renews_a_lease():
    run = a_queued_run()
    token = claimed(run)

    renewed = Run.objects.renew(run.pk, token, phase="measuring", sample_count=7)
    by_another = Run.objects.renew(run.pk, run.pk, phase="measuring", sample_count=9)

    run.refresh_from_db()
    assert (renewed, by_another, run.sample_count) == (True, False, 7)


def test_a_cancelled_run_is_no_longer_held():
    run = a_queued_run()
    token = claimed(run)

    assert Run.objects.cancel(run.pk)
    assert not Run.objects.renew(run.pk, token, phase="measuring", sample_count=1)


def test_a_run_that_is_over_cannot_be_cancelled():
    run = a_queued_run()
    Run.objects.cancel(run.pk)

    assert not Run.objects.cancel(run.pk)


def test_a_run_handed_back_waits_again_without_an_attempt_spent():
    run = a_queued_run()
    token = claimed(run)

    Run.objects.hand_back(run.pk, token)

    run.refresh_from_db()
    assert (run.status, run.attempts, run.claim_token) == ("queued", 0, None)


def test_a_stalled_run_is_queued_again_until_its_attempts_are_spent():
    run = a_queued_run()

    for _ in range(MAX_ATTEMPTS - 1):
        claimed(run)
        let_the_lease_run_out(run)
        assert Run.objects.requeue_stalled(run.pk)
    claimed(run)
    let_the_lease_run_out(run)

    assert not Run.objects.requeue_stalled(run.pk)


def test_a_run_within_its_lease_is_not_stalled():
    run = a_queued_run()
    claimed(run)

    assert not Run.objects.stalled().exists()


def test_runs_are_measured_in_the_order_they_were_queued():
    first, second = a_queued_run(), a_queued_run(a_ready_version(onnx_model=a_model(name="two")))

    assert list(Run.objects.waiting()) == [first, second]
    assert list(Run.objects.ahead_of(second)) == [first]
    assert not Run.objects.ahead_of(first).exists()


@pytest.mark.parametrize("visibility, readers", [("private", {"owner", "admin"}), ("public", None)])
def test_a_run_is_read_by_whom_its_model_is(visibility, readers):
    run = a_queued_run(a_ready_version(onnx_model=a_model(visibility=visibility)))
    cast = {
        "owner": owner(),
        "teammate": teammate(),
        "stranger": stranger(),
        "anonymous": anonymous(),
        "admin": admin(),
    }

    seeing = {name for name, user in cast.items() if run in Run.objects.visible_to(user)}

    assert seeing == (readers or set(cast))
    assert [name for name, user in cast.items() if run in Run.objects.editable_by(user)] == [
        "owner"
    ]


def test_a_worker_whose_clock_is_an_hour_slow_keeps_its_run(monkeypatch):
    run = a_queued_run()
    an_hour_ago = timezone.now() - timedelta(hours=1)
    monkeypatch.setattr("benchmarks.querysets.timezone.now", lambda: an_hour_ago)

    claim_token = Run.objects.claim(run.pk, worker_name="slow clock")
    Run.objects.renew(run.pk, claim_token, phase="measuring", sample_count=1)

    assert not Run.objects.stalled().exists()


def test_a_run_of_a_worker_whose_clock_is_an_hour_fast_is_handed_on_in_time(monkeypatch):
    run = a_queued_run()
    in_an_hour = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr("benchmarks.querysets.timezone.now", lambda: in_an_hour)

    Run.objects.claim(run.pk, worker_name="fast clock")

    run.refresh_from_db()
    monkeypatch.undo()
    assert run.lease_expires_at < timezone.now() + 2 * LEASE
