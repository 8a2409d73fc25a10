"""The account pages as people meet them: signing up, logging in, looking after the account."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.totp.internal.auth import TOTP
from django.core import mail
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import User
from accounts.templatetags.browsers import browser_name
from tests import people

pytestmark = pytest.mark.django_db

A_CREDENTIAL = {"clientExtensionResults": {"credProps": {"rk": True}}}
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
NEW_PASSWORD = "another horse 5 battery"


def sign_up(client, **fields):
    typed = {
        "username": "newcomer",
        "email": "",
        "password1": people.PASSWORD,
        "password2": people.PASSWORD,
        **fields,
    }
    return client.post(reverse("account_signup"), typed)


def log_in(client, *, login="owner", password=people.PASSWORD):
    return client.post(reverse("account_login"), {"login": login, "password": password})


@pytest.fixture
def at_home(client):
    """A client in which the owner has logged in and just proved again who they are."""
    people.owner()
    log_in(client)
    client.post(reverse("account_reauthenticate"), {"password": people.PASSWORD})
    return client


def code_now(secret):
    """What an authenticator app shows for ``secret`` at this moment."""
    counters = list(totp.yield_hotp_counters_from_time())
    return totp.format_hotp_value(totp.hotp_value(secret, counters[len(counters) // 2]))


def assert_carries_our_look(response):
    page = response.content.decode()
    assert response.status_code == 200
    assert 'class="wordmark"' in page
    # The policy of the site forbids both, and the browser would drop them.
    assert not re.search(r"<[^>]* (style|on[a-z]+)=", page)
    assert not re.search(r"<style|<script(?![^>]*(src=|application/json))", page)


@pytest.mark.parametrize("name", ["account_login", "account_signup", "account_reset_password"])
def test_the_pages_for_newcomers_open_without_an_account(client, name):
    assert_carries_our_look(client.get(reverse(name)))


@pytest.mark.parametrize(
    "name",
    [
        *("account_reset_password_done", "account_reset_password_from_key_done"),
        *("account_inactive", "account_email_verification_sent"),
    ],
)
def test_the_pages_that_only_tell_something_open(client, name):
    assert_carries_our_look(client.get(reverse(name)))


@pytest.mark.parametrize(
    "name",
    [
        *("account-settings", "tokens", "account_email", "account_change_password"),
        *("account_logout", "account_reauthenticate", "mfa_index", "mfa_list_webauthn"),
        *("mfa_add_webauthn", "mfa_activate_totp", "usersessions_list"),
    ],
)
def test_every_page_of_ones_own_account_opens(at_home, name):
    assert_carries_our_look(at_home.get(reverse(name)))


@pytest.mark.parametrize(
    "name",
    ["account-settings", "tokens", "account_change_password", "mfa_index", "usersessions_list"],
)
def test_whoever_is_not_logged_in_is_sent_to_log_in_and_back(client, name):
    address = reverse(name)

    response = client.get(address)

    assert response.status_code == 302
    assert response.url == f"{reverse('account_login')}?next={address}"


def test_signing_up_needs_no_email(client):
    response = sign_up(client)

    assert response.status_code == 302
    assert User.objects.get(username="newcomer").email == ""
    assert client.session["_auth_user_id"]


def test_signing_up_with_an_email_keeps_it_and_asks_to_confirm_it(client):
    sign_up(client, email="newcomer@example.org")

    address = EmailAddress.objects.get(user__username="newcomer")
    assert (address.email, address.verified) == ("newcomer@example.org", False)
    assert mail.outbox[0].to == ["newcomer@example.org"]


def test_the_link_in_the_mail_confirms_the_address(client):
    sign_up(client, email="newcomer@example.org")
    link = re.search(r"https?://\S+", mail.outbox[0].body)[0]

    page = client.get(link)
    client.post(link)

    assert_carries_our_look(page)
    assert EmailAddress.objects.get(user__username="newcomer").verified


def test_signing_up_says_its_rules_beforehand(client):
    page = client.get(reverse("account_signup")).content.decode()

    assert "Only needed to reset a forgotten password." in page
    assert "at least 8 characters" in page


def test_a_sign_up_that_fails_says_why_and_keeps_what_was_typed(client):
    page = sign_up(client, password2="something else").content.decode()

    assert "You must type the same password each time." in page
    assert 'value="newcomer"' in page
    assert not User.objects.filter(username="newcomer").exists()


def test_logging_in_works_by_name_and_by_email(client):
    person = people.owner()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)

    for login in ("owner", "owner@example.org"):
        response = log_in(client, login=login)
        assert response.url == reverse("home")
        client.post(reverse("account_logout"))


def test_a_wrong_password_logs_nobody_in(client):
    people.owner()

    response = log_in(client, password="wrong")

    assert_carries_our_look(response)
    assert "not correct" in response.content.decode()
    assert "_auth_user_id" not in client.session


def test_logging_out_ends_the_session(at_home):
    at_home.post(reverse("account_logout"))

    assert "_auth_user_id" not in at_home.session


def test_a_changed_password_replaces_the_old_one(at_home):
    typed = {"oldpassword": people.PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

    at_home.post(reverse("account_change_password"), typed)

    assert people.owner().check_password(NEW_PASSWORD)


def test_a_forgotten_password_is_reset_by_the_link_in_the_mail(client):
    person = people.owner()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)

    client.post(reverse("account_reset_password"), {"email": person.email})
    link = re.search(r"https?://\S+", mail.outbox[0].body)[0]
    page = client.get(link, follow=True)
    typed = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    done = client.post(page.redirect_chain[-1][0], typed, follow=True)

    assert_carries_our_look(page)
    assert_carries_our_look(done)
    assert people.owner().check_password(NEW_PASSWORD)


def test_a_spoilt_reset_link_says_what_to_do(client):
    address = reverse("account_reset_password_from_key", args=["abc", "def"])

    response = client.get(address)

    assert_carries_our_look(response)
    assert "This link no longer works" in response.content.decode()


def test_a_reset_does_not_tell_whether_an_address_has_an_account(client):
    person = people.owner()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)

    answers = [
        client.post(reverse("account_reset_password"), {"email": email}, follow=True)
        for email in (person.email, "nobody@example.org")
    ]

    assert answers[0].redirect_chain == answers[1].redirect_chain
    assert "If that address belongs to an account" in answers[1].content.decode()


def test_somebody_without_password_can_set_one(at_home):
    person = people.owner()
    person.set_unusable_password()
    person.save()
    at_home.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")

    assert_carries_our_look(at_home.get(reverse("account_set_password")))


def test_an_email_can_be_added_later(at_home):
    typed = {"email": "later@example.org", "action_add": ""}

    response = at_home.post(reverse("account_email"), typed, follow=True)

    assert_carries_our_look(response)
    assert "Not confirmed" in response.content.decode()
    assert mail.outbox[0].to == ["later@example.org"]


def test_an_authenticator_app_is_switched_on_by_its_code(at_home, settings):
    # The test may begin in one half-minute and end in the next.
    settings.MFA_TOTP_TOLERANCE = 1
    address = reverse("mfa_activate_totp")
    page = at_home.get(address)
    secret = page.context["form"].secret

    at_home.post(address, {"code": code_now(secret)})

    assert_carries_our_look(page)
    assert Authenticator.objects.filter(type="totp", user=people.owner()).exists()


def test_a_wrong_code_is_refused_next_to_its_field(at_home):
    address = reverse("mfa_activate_totp")
    at_home.get(address)

    response = at_home.post(address, {"code": "000000"})

    assert_carries_our_look(response)
    assert 'id="id_code_error"' in response.content.decode()
    assert not Authenticator.objects.filter(user=people.owner()).exists()


def test_with_a_second_factor_the_password_alone_does_not_log_in(client):
    TOTP.activate(people.owner(), totp.generate_totp_secret())

    response = client.post(
        reverse("account_login"), {"login": "owner", "password": people.PASSWORD}, follow=True
    )

    assert_carries_our_look(response)
    assert "Code from your app" in response.content.decode()
    assert "_auth_user_id" not in client.session


def test_with_a_second_factor_every_page_about_it_opens(at_home):
    TOTP.activate(people.owner(), totp.generate_totp_secret())
    RecoveryCodes.activate(people.owner())

    for name in (
        *("account-settings", "mfa_index", "mfa_deactivate_totp", "mfa_view_recovery_codes"),
        *("mfa_generate_recovery_codes", "mfa_reauthenticate"),
    ):
        assert_carries_our_look(at_home.get(reverse(name)))


def test_with_a_passkey_every_page_about_it_opens(at_home):
    passkey = Authenticator.objects.create(
        user=people.owner(),
        type=Authenticator.Type.WEBAUTHN,
        data={"name": "Laptop", "credential": A_CREDENTIAL},
    )

    listed = at_home.get(reverse("mfa_list_webauthn"))

    assert_carries_our_look(listed)
    assert "Laptop" in listed.content.decode()
    assert_carries_our_look(at_home.get(reverse("mfa_index")))
    assert_carries_our_look(at_home.get(reverse("mfa_edit_webauthn", args=[passkey.pk])))
    assert_carries_our_look(at_home.get(reverse("mfa_remove_webauthn", args=[passkey.pk])))


def test_the_sessions_page_marks_this_browser(at_home):
    response = at_home.get(reverse("usersessions_list"))

    assert_carries_our_look(response)
    assert "This one" in response.content.decode()


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Linux",
        ),
        (f"Mozilla/5.0 (Windows NT 10.0) {CHROME} Edg/140.0", "Edge on Windows"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {CHROME}", "Chrome on Mac"),
        ("", "An unknown browser"),
    ],
)
def test_a_session_names_its_browser_in_words(user_agent, name):
    assert browser_name(user_agent) == name


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "429", "500"])
def test_every_error_page_says_what_to_do(rf, name):
    page = render_to_string(f"{name}.html", request=rf.get("/nowhere/"))

    assert 'class="wordmark"' in page
    assert "To the first page" in page


def test_an_address_that_is_not_there_gets_our_error_page(at_home):
    response = at_home.get("/nowhere/")

    assert response.status_code == 404
    assert "Nothing here that you can see" in response.content.decode()
