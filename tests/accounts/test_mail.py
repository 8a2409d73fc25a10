"""The mail that people get, and what they are told when none goes out."""

import pytest
from allauth.account import app_settings
from allauth.account.models import EmailAddress
from django.core import mail
from django.urls import reverse

from accounts.adapter import UNSENT
from accounts.models import User
from tests import people
from tests.composed import free_port

pytestmark = pytest.mark.django_db
DAYS = 3


def sign_up(client, email):
    typed = {"username": "newcomer", "email": email}
    passwords = {"password1": people.PASSWORD, "password2": people.PASSWORD}
    return client.post(reverse("account_signup"), typed | passwords, follow=True)


def ask_for_a_new_password(client, email):
    return client.post(reverse("account_reset_password"), {"email": email}, follow=True)


def confirmed_owner():
    person = people.owner()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


def the_mail():
    (sent,) = mail.outbox
    # Every mail of ours: whose it is, in plain words, and none of the library's own.
    assert sent.subject.startswith("[carbonsite] ")
    assert sent.body.startswith("Hello,\n\nsomebody, most likely you, ")
    assert "carbonsite on testserver" in sent.body
    assert "If " in sent.body
    assert "do nothing" in sent.body
    assert "Thank you for using" not in sent.body
    assert "{" not in sent.body
    assert all(len(line) <= 110 or "://" in line for line in sent.body.splitlines())
    return sent


def test_whoever_signs_up_is_asked_to_confirm_the_address(client):
    sign_up(client, "newcomer@example.org")

    sent = the_mail()
    assert sent.subject == "[carbonsite] Please confirm your e-mail address"
    assert "http://testserver/accounts/confirm-email/" in sent.body
    # A name is anybody's choice, and would reach an address that is perhaps not theirs.
    assert "newcomer" not in sent.body


def test_whoever_forgot_the_password_gets_a_link_and_their_name(client):
    confirmed_owner()

    ask_for_a_new_password(client, "owner@example.org")

    sent = the_mail()
    assert sent.subject == "[carbonsite] Choose a new password"
    assert 'your account "owner"' in sent.body
    assert "http://testserver/accounts/password/reset/key/" in sent.body


def test_whoever_has_no_account_is_told_so_by_mail(client):
    ask_for_a_new_password(client, "nobody@example.org")

    sent = the_mail()
    assert sent.subject == "[carbonsite] There is no account with this address"
    assert "http://testserver/accounts/signup/" in sent.body


def test_links_live_as_long_as_the_mails_say(settings):
    assert DAYS == app_settings.EMAIL_CONFIRMATION_EXPIRE_DAYS
    assert settings.PASSWORD_RESET_TIMEOUT == DAYS * 24 * 3600


@pytest.fixture
def no_mail_server(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()


@pytest.mark.usefixtures("no_mail_server")
def test_without_a_mail_server_a_sign_up_is_taken_and_says_what_is_missing(client):
    answer = sign_up(client, "newcomer@example.org")

    assert answer.status_code == 200
    assert UNSENT in answer.content.decode()
    assert User.objects.filter(username="newcomer").exists()


@pytest.mark.usefixtures("no_mail_server")
@pytest.mark.parametrize("email", ["owner@example.org", "nobody@example.org"])
def test_without_a_mail_server_a_reset_says_the_same_to_all(client, email):
    confirmed_owner()

    answer = ask_for_a_new_password(client, email)

    assert answer.status_code == 200
    assert UNSENT in answer.content.decode()
