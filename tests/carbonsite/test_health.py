"""What the site answers to a machine that asks how it is."""

import pytest

from carbonsite import health


def test_a_living_process_says_so_with_its_version(client):
    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.json() == {"status": "ok", "version": health.VERSION}
    assert "no-cache" in response["Cache-Control"]


def test_asking_for_health_changes_nothing(client):
    assert client.post("/healthz").status_code == 405


@pytest.mark.django_db
def test_a_site_with_database_and_broker_is_ready(rf):
    response = health.readyz(rf.get("/readyz"))

    assert response.status_code == 200


def test_a_site_without_its_database_is_not_ready(rf, monkeypatch):
    monkeypatch.setattr(health, "database_answers", lambda: False)

    response = health.readyz(rf.get("/readyz"))

    assert response.status_code == 503
    assert b'"database": "unreachable"' in response.content
