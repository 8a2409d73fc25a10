"""API tokens as their owner makes, sees and revokes them, on the pages and in the admin."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, token_digest
from tests import people

pytestmark = pytest.mark.django_db

# Session, user, tokens.
QUERY_COUNT = 3


@pytest.fixture
def at_home(client):
    client.force_login(people.owner())
    return client


def a_token(user=None, name="Nightly build", **fields):
    return ApiToken.objects.issue(
        owner=user or people.owner(), name=name, scope=ApiToken.Scope.READ, **fields
    )


def create_token(client, **fields):
    typed = {"name": "Laptop", "scope": "write", "lifetime": "90", **fields}
    return client.post(reverse("tokens"), typed)


def test_a_new_token_is_shown_once_and_stored_as_a_digest_only(at_home):
    page = create_token(at_home).content.decode()
    later = at_home.get(reverse("tokens")).content.decode()

    secret = re.search(r"cs_[\w-]{40,}", page)[0]
    token = ApiToken.objects.get(name="Laptop")
    assert token.digest == token_digest(secret)
    assert secret not in later
    assert secret not in str(ApiToken.objects.filter(pk=token.pk).values().get())


def test_a_new_token_comes_with_a_line_that_tries_it(at_home):
    page = create_token(at_home).content.decode()

    assert re.search(r"curl -H &quot;Authorization: Bearer cs_|curl -H \"Authorization", page)
    assert "http://testserver/api/v1/me/" in page
    assert 'data-copy="#curl"' in page


def test_the_page_with_the_secret_is_never_kept_by_a_cache(at_home):
    assert "no-store" in create_token(at_home)["Cache-Control"]


def test_a_token_has_the_scope_and_the_life_that_were_asked_for(at_home):
    create_token(at_home, scope="read", lifetime="30")

    token = ApiToken.objects.get(name="Laptop")
    assert not token.can_write
    assert abs(token.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)


def test_a_token_may_live_for_ever(at_home):
    create_token(at_home, lifetime="never")

    assert ApiToken.objects.get(name="Laptop").expires_at is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", "x" * 81), ("scope", "all"), ("lifetime", "1000"), ("name", "a\0b")],
)
def test_a_token_typed_wrongly_is_not_made(at_home, field, value):
    response = create_token(at_home, **{field: value})

    assert f'id="id_{field}_error"' in response.content.decode()
    assert not ApiToken.objects.exists()


def test_revoking_asks_first_and_then_closes_the_token(at_home):
    token, _ = a_token()
    address = reverse("token-revoke", args=[token.pk])

    question = at_home.get(address)
    still_usable = ApiToken.objects.get(pk=token.pk).is_usable
    answer = at_home.post(address, follow=True)

    assert "Revoke “Nightly build”?" in question.content.decode()
    assert still_usable
    assert not ApiToken.objects.get(pk=token.pk).is_usable
    assert "Whatever used it is locked out now" in answer.content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_strangers_token_is_not_there(client, method):
    token, _ = a_token()
    client.force_login(people.stranger())

    response = getattr(client, method)(reverse("token-revoke", args=[token.pk]))

    assert response.status_code == 404
    assert ApiToken.objects.get(pk=token.pk).is_usable


def test_the_list_shows_ones_own_tokens_with_their_state(at_home):
    a_token(name="Fresh")
    a_token(name="Old", expires_at=timezone.now() - timedelta(days=1))
    a_token(name="Closed")[0].revoke()
    a_token(people.stranger(), name="Not mine")

    page = at_home.get(reverse("tokens")).content.decode()

    for text in ("Fresh", "In use", "Old", "Expired", "Closed", "Revoked"):
        assert text in page
    assert "Not mine" not in page


def test_the_list_costs_the_same_queries_however_long(at_home, django_assert_num_queries):
    for number in range(5):
        a_token(name=f"Token {number}")

    at_home.get(reverse("tokens"))
    with django_assert_num_queries(QUERY_COUNT):
        at_home.get(reverse("tokens"))


def test_the_admin_sees_tokens_and_cannot_make_or_change_them(client):
    token, secret = a_token()
    client.force_login(people.admin())

    listed = client.get(reverse("admin:accounts_apitoken_changelist"))
    opened = client.get(reverse("admin:accounts_apitoken_change", args=[token.pk]))

    assert "Nightly build" in listed.content.decode()
    assert opened.status_code == 200
    assert secret not in opened.content.decode()
    assert client.get(reverse("admin:accounts_apitoken_add")).status_code == 403


def test_the_admin_revokes_many_tokens_at_once(client):
    tokens = [a_token(name=name)[0] for name in ("One", "Two")]
    client.force_login(people.admin())

    client.post(
        reverse("admin:accounts_apitoken_changelist"),
        {"action": "revoke", "_selected_action": [str(token.pk) for token in tokens]},
    )

    assert not ApiToken.objects.usable().exists()


@pytest.mark.parametrize("name", ["changelist", "add"])
def test_the_admin_looks_after_people(client, name):
    client.force_login(people.admin())

    assert client.get(reverse(f"admin:accounts_user_{name}")).status_code == 200
