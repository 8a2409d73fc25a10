"""What the site answers to a machine that asks how it is."""

import json
from datetime import timedelta

import pytest
from django.db import InterfaceError, connection
from django.utils import timezone

from benchmarks.models import Worker
from carbonsite import health


def test_a_living_process_says_so_with_its_version(client):
    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.json() == {"status": "ok", "version": health.VERSION}
    assert "no-cache" in response["Cache-Control"]


def test_asking_for_health_changes_nothing(client):
    assert client.post("/healthz").status_code == 405


@pytest.fixture
def two_workers():
    for queue in ("default", "measure"):
        Worker.objects.create(
            name=f"{queue}@here",
            queues=[queue],
            host="here",
            process_id=1,
            seen_at=timezone.now(),
        )


@pytest.mark.django_db
@pytest.mark.usefixtures("two_workers")
def test_a_site_with_all_its_parts_is_ready(rf):
    response = health.readyz(rf.get("/readyz"))

    assert response.status_code == 200
    assert set(json.loads(response.content)["parts"].values()) == {"ok"}


@pytest.mark.django_db
@pytest.mark.usefixtures("two_workers")
def test_a_site_without_its_database_is_not_ready(rf, monkeypatch):
    monkeypatch.setattr(health, "database_answers", lambda: False)

    assert parts_not_ready(rf) == {"database": "unreachable"}


@pytest.mark.django_db
def test_a_connection_that_is_closed_is_a_database_that_does_not_answer():
    def broken(*_):
        raise InterfaceError("connection already closed")

    with connection.execute_wrapper(broken):
        assert not health.database_answers()
        assert set(health.worker_states().values()) == {"missing"}


@pytest.mark.django_db
@pytest.mark.usefixtures("two_workers")
def test_a_site_whose_measuring_worker_fell_silent_is_not_ready(rf):
    silent_since = timezone.now() - timedelta(minutes=5)
    Worker.objects.filter(name="measure@here").update(seen_at=silent_since)

    assert parts_not_ready(rf) == {"worker_measure": "missing"}


@pytest.mark.django_db
@pytest.mark.usefixtures("two_workers")
def test_a_site_below_its_floor_of_free_disk_is_not_ready(rf, settings):
    settings.FREE_DISK_FLOOR_BYTES = 2**62

    assert parts_not_ready(rf) == {"disk": "full"}


def parts_not_ready(rf):
    response = health.readyz(rf.get("/readyz"))
    assert response.status_code == 503
    states = json.loads(response.content)["parts"]
    return {part: state for part, state in states.items() if state != "ok"}
