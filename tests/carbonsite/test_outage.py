"""While the database or Redis is away: an answer that says so, and limits that still count."""

import pytest
from django.core.cache import cache, caches
from django.db import OperationalError
from django.test import override_settings
from django.urls import reverse

from tests.people import owner

# A port that nobody may listen on.
NO_REDIS = {
    "default": {
        "BACKEND": "carbonsite.cache.SteadyRedisCache",
        "LOCATION": "redis://127.0.0.1:1/0",
        "OPTIONS": {"socket_connect_timeout": 1},
    }
}


@pytest.fixture
def no_database(monkeypatch):
    def refuse(*_, **__):
        raise OperationalError("connection refused")

    monkeypatch.setattr("django.db.models.query.QuerySet._fetch_all", refuse)
    monkeypatch.setattr("django.db.models.sql.compiler.SQLCompiler.execute_sql", refuse)


@pytest.mark.django_db
@pytest.mark.usefixtures("no_database")
def test_a_page_without_its_database_says_when_to_come_back(client):
    client.raise_request_exception = False

    response = client.get(reverse("home"))

    assert response.status_code == 503
    assert response["Retry-After"] == "30"
    assert "cannot reach its database" in response.content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("no_database")
def test_the_api_without_its_database_answers_a_problem(client):
    client.raise_request_exception = False

    response = client.get("/api/v1/zones/")

    assert response.status_code == 503
    assert response["Content-Type"] == "application/problem+json"
    assert response["Retry-After"] == "30"
    assert response.json()["type"] == "unavailable"


@override_settings(CACHES=NO_REDIS)
def test_without_redis_the_cache_is_the_process_memory():
    caches["default"].set("seen", 1)
    cache.incr("seen")

    assert cache.get("seen") == 2
    assert cache.get_many(["seen"]) == {"seen": 2}


@pytest.mark.django_db
@override_settings(CACHES=NO_REDIS)
def test_without_redis_guessing_passwords_is_still_limited(client):
    owner()
    address = reverse("account_login")

    for _ in range(6):
        client.post(address, {"login": "owner", "password": "wrong"})
    answer = client.post(address, {"login": "owner", "password": "wrong"})

    assert "Too many failed login attempts" in answer.content.decode() or answer.status_code == 429
