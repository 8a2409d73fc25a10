"""What the site forgets by itself, what only on demand, and what never."""

import os
import time
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings as site_settings
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEntry
from benchmarks.models import IdempotencyKey, Run
from carbonsite import retention
from carbonsite.tasks import prune
from tests.people import a_done_run, a_queued_run, a_ready_version, owner

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = timezone.now() - timedelta(days=1000)


def a_failed_run(finished_at):
    return a_queued_run(
        status="failed", failure_code="x", failure_message="x", finished_at=finished_at
    )


def a_stray(*, age=timedelta(days=2)):
    name = f"{owner().pk}/{'0' * 64}.onnx"
    default_storage.save(name, ContentFile(b"left behind"))
    then_s = time.time() - age.total_seconds()
    os.utime(Path(site_settings.MEDIA_ROOT) / name, (then_s, then_s))
    return name


def test_results_are_never_forgotten():
    Run.objects.filter(pk=a_done_run().pk).update(queued_at=LONG_AGO, finished_at=LONG_AGO)

    retention.prune(failed_runs_kept=timedelta(0))

    assert Run.objects.count() == 1


def test_failed_runs_are_forgotten_only_on_demand_and_only_old_ones():
    old, young = a_failed_run(LONG_AGO), a_failed_run(timezone.now())

    prune()
    assert Run.objects.count() == 2

    call_command("prune", "--failed-runs-older-than", "30", stdout=StringIO())
    assert list(Run.objects.all()) == [young]
    assert old.pk != young.pk


def test_old_keys_and_old_entries_of_the_audit_log_go_and_young_ones_stay():
    for key, at in (("old", LONG_AGO), ("young", timezone.now())):
        made = IdempotencyKey.objects.create(
            owner=owner(), action="runs", key=key, object_id=owner().pk
        )
        IdempotencyKey.objects.filter(pk=made.pk).update(created_at=at)
        AuditEntry.objects.filter(pk=audit.note("logged_in", subject=key).pk).update(at=at)

    prune()

    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["young"]
    assert list(AuditEntry.objects.values_list("subject", flat=True)) == ["young"]


def a_log_in(session_key, *, until):
    Session.objects.create(session_key=session_key, session_data="", expire_date=until)
    return UserSession.objects.create(
        user=owner(), session_key=session_key, ip="192.0.2.1", user_agent="curl"
    )


def test_where_a_log_in_came_from_is_forgotten_with_its_session():
    a_log_in("over", until=LONG_AGO)
    a_log_in("alive", until=timezone.now() + timedelta(days=1))

    prune()

    assert [one.session_key for one in UserSession.objects.all()] == ["alive"]


def test_a_file_that_no_version_needs_goes_after_a_day():
    needed = a_ready_version().file.name
    stray = a_stray()

    retention.prune()

    assert not default_storage.exists(stray)
    assert default_storage.exists(needed)


def test_a_young_file_may_be_an_upload_under_way_and_stays():
    stray = a_stray(age=timedelta(hours=1))

    retention.prune()

    assert default_storage.exists(stray)


def test_a_rehearsal_tells_everything_and_deletes_nothing():
    a_failed_run(LONG_AGO)
    stray = a_stray()
    said = StringIO()

    call_command("prune", "--dry-run", "--failed-runs-older-than", "1", stdout=said)

    assert "Would delete:" in said.getvalue()
    assert "1 failed and cancelled runs" in said.getvalue()
    assert "1 stored files that no version needs" in said.getvalue()
    assert Run.objects.count() == 1
    assert default_storage.exists(stray)
