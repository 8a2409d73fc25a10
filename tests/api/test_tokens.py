"""Tokens: how a script gets one, and what a bad one opens."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework.throttling import SimpleRateThrottle

from accounts.models import ApiToken, User
from tests.api.scripts import BASE, assert_problem, script_of
from tests.people import PASSWORD, a_profile, owner

pytestmark = pytest.mark.django_db

TOKENS = f"{BASE}/tokens/"


def asked_for(**fields):
    body = {"username": "owner", "password": PASSWORD, "name": "ci", **fields}
    return APIClient().post(TOKENS, body, format="json")


def me_with(authorization):
    return APIClient().get(f"{BASE}/me/", HTTP_AUTHORIZATION=authorization)


def a_token(**fields):
    return ApiToken.objects.issue(owner=owner(), name="ci", scope="write", **fields)


@pytest.mark.parametrize("login", ["owner", "owner@example.org"])
def test_a_password_buys_a_token_that_works(login):
    owner()

    answer = asked_for(username=login)

    assert answer.status_code == 201, answer.content
    assert set(answer.json()) == {"token", "name", "scope", "expires_at"}
    assert (answer.json()["scope"], answer.json()["expires_at"]) == ("write", None)
    assert me_with(f"Bearer {answer.json()['token']}").json()["username"] == "owner"


def test_a_token_can_be_asked_for_with_a_scope_and_an_end():
    owner()
    end = (timezone.now() + timedelta(days=1)).replace(microsecond=0)

    answer = asked_for(scope="read", expires_at=end.isoformat())

    assert answer.json()["scope"] == "read"
    assert ApiToken.objects.get().expires_at == end


def test_a_token_that_would_be_dead_from_the_start_is_refused():
    owner()

    answer = asked_for(expires_at="2020-01-01T00:00:00Z")

    assert assert_problem(answer, 400)["errors"][0]["field"] == "expires_at"


def test_a_wrong_password_and_an_unknown_name_sound_the_same():
    owner()

    wrong, unknown = asked_for(password="wrong"), asked_for(username="nobody")

    assert assert_problem(wrong, 400) == assert_problem(unknown, 400)
    assert wrong.json()["type"] == "wrong_credentials"
    assert not ApiToken.objects.exists()


def test_a_closed_account_gets_no_token():
    owner()
    User.objects.update(is_active=False)

    assert assert_problem(asked_for(), 400)["type"] == "wrong_credentials"


def test_a_second_factor_cannot_be_gone_around():
    Authenticator.objects.create(user=owner(), type=Authenticator.Type.TOTP, data={"secret": "x"})

    answer = asked_for()

    assert assert_problem(answer, 403)["type"] == "mfa_required"
    assert not ApiToken.objects.exists()


def test_asking_for_tokens_again_and_again_has_to_wait(monkeypatch):
    monkeypatch.setitem(SimpleRateThrottle.THROTTLE_RATES, "tokens", "2/min")
    owner()

    answers = [asked_for() for _ in range(3)]

    assert [one.status_code for one in answers] == [201, 201, 429]
    assert_problem(answers[-1], 429)
    assert 0 < int(answers[-1]["Retry-After"]) <= 60


def test_guessing_one_accounts_password_has_to_wait():
    owner()

    answers = [asked_for(password="wrong") for _ in range(11)]

    assert answers[0].status_code == 400
    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) > 0


def test_readers_who_ask_too_often_have_to_wait(monkeypatch):
    monkeypatch.setitem(SimpleRateThrottle.THROTTLE_RATES, "anon", "2/min")

    answers = [APIClient().get(f"{BASE}/") for _ in range(3)]

    assert [one.status_code for one in answers] == [200, 200, 429]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "Token"])
def test_both_schemes_carry_a_token_and_its_use_is_noted(scheme):
    token, secret = a_token()

    answer = me_with(f"{scheme} {secret}")

    token.refresh_from_db()
    assert answer.status_code == 200
    assert token.last_used_at is not None


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer cs_unknown", "Bearer a b", "Token \xff", "bearer " + "x" * 5000]
)
def test_a_bad_token_is_refused_even_where_none_is_needed(header):
    answer = APIClient().get(f"{BASE}/zones/", HTTP_AUTHORIZATION=header)

    assert_problem(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_an_expired_a_revoked_and_a_closed_accounts_token_are_refused():
    token, secret = a_token()
    _, expired = a_token(expires_at=timezone.now() - timedelta(seconds=1))
    revoked_token, revoked = a_token()
    revoked_token.revoke()

    assert me_with(f"Bearer {expired}").status_code == 401
    assert me_with(f"Bearer {revoked}").status_code == 401
    assert me_with(f"Bearer {secret}").status_code == 200
    User.objects.update(is_active=False)
    assert me_with(f"Bearer {secret}").status_code == 401


def test_no_token_says_how_to_send_one():
    answer = APIClient().get(f"{BASE}/me/")

    assert_problem(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_the_browsers_session_reads_freely_and_writes_with_csrf_only():
    profile = a_profile()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner())
    browser.cookies["csrftoken"] = "a" * 32
    address = f"{BASE}/profiles/{profile.pk}/"

    read = browser.get(address)
    bare = browser.delete(address)
    checked = browser.delete(address, headers={"X-CSRFToken": "a" * 32})

    assert read.status_code == 200
    assert_problem(bare, 403)
    assert checked.status_code == 204


def test_a_token_needs_no_csrf():
    profile = a_profile()
    script = script_of(owner())
    script.handler.enforce_csrf_checks = True

    assert script.delete(f"{BASE}/profiles/{profile.pk}/").status_code == 204
