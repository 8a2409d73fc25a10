"""Pages that take much arithmetic: how often one visitor gets them."""

import pytest
from rest_framework.throttling import SimpleRateThrottle

from tests.people import a_done_run, a_model, a_ready_version, owner

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def two_a_minute(monkeypatch):
    """A site that answers two such questions a minute, and four of somebody logged in."""
    rates = {**SimpleRateThrottle.THROTTLE_RATES, "anon": "2/min", "user": "4/min"}
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", rates)


@pytest.fixture
def runs():
    onnx_model = a_model(visibility="public")
    return [a_done_run(a_ready_version(onnx_model=onnx_model)) for _ in range(2)]


def addresses_of(runs):
    query = "&".join(f"v={run.version_id}" for run in runs)
    return [
        f"/compare/?{query}",
        f"/compare.csv?{query}",
        f"/runs/{runs[0].pk}/countries/",
        f"/runs/{runs[0].pk}/countries.csv",
    ]


def statuses(client, *addresses):
    return [client.get(address).status_code for address in addresses]


def test_a_stranger_gets_so_many_a_minute_whichever_they_are(client, runs):
    assert statuses(client, *addresses_of(runs)) == [200, 200, 429, 429]


def test_asking_the_api_for_the_same_counts_too(client, runs):
    versions = "&".join(f"version={run.version_id}" for run in runs)
    calls = [
        f"/api/v1/compare/?{versions}",
        f"/api/v1/runs/{runs[0].pk}/countries/",
        f"/api/v1/runs/{runs[1].pk}/difference/?before={runs[0].pk}",
    ]

    assert statuses(client, *calls, addresses_of(runs)[0]) == [200, 200, 429, 429]


def test_the_refusal_says_why_and_when_to_come_again(client, runs):
    address = addresses_of(runs)[0]
    for _ in range(2):
        client.get(address)

    refused = client.get(address)

    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 60
    assert "worked out anew each time" in refused.text
    assert "Wait a minute, then load the page again. Once logged in," in refused.text
    assert "/accounts/login/?next=%2Fcompare%2F%3Fv%3D" in refused.text
    assert "guessers" not in refused.text


def test_other_pages_and_other_addresses_are_not_held_up(client, runs):
    address = addresses_of(runs)[0]
    for _ in range(3):
        client.get(address)

    assert statuses(client, "/", "/models/", runs[0].get_absolute_url()) == [200, 200, 200]
    assert client.get(address, REMOTE_ADDR="203.0.113.9").status_code == 200


def test_whoever_has_logged_in_gets_more(client, runs):
    client.force_login(owner())

    assert statuses(client, *addresses_of(runs), addresses_of(runs)[0]) == [200] * 4 + [429]


def test_another_way_of_asking_is_no_question(client, runs):
    address = addresses_of(runs)[0]

    assert [client.post(address).status_code for _ in range(3)] == [405] * 3
    assert client.get(address).status_code == 200
