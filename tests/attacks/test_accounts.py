"""Attacks on accounts: guesses, stolen and made-up keys, and what tells who has one."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, User
from hardware.models import HardwareProfile
from tests.api.scripts import BASE, assert_problem, script_of
from tests.attacks.browsing import browser_of, log_in, plain
from tests.people import PASSWORD, a_model, a_profile, admin, member, owner, stranger

pytestmark = [pytest.mark.django_db, pytest.mark.one_back_end]


def test_b04_a_token_of_any_wrong_kind_opens_nothing():
    profile = a_profile()
    address = f"{BASE}/profiles/{profile.pk}/"
    issue = ApiToken.objects.issue
    past = timezone.now() - timedelta(seconds=1)
    _, good = issue(owner=owner(), name="a", scope="write")
    _, expired = issue(owner=owner(), name="b", scope="write", expires_at=past)
    revoked_token, revoked = issue(owner=owner(), name="c", scope="write")
    revoked_token.revoke()
    _, foreign = issue(owner=stranger(), name="d", scope="write")
    client = browser_of()

    def status(path, header=""):
        return client.delete(path, HTTP_AUTHORIZATION=header).status_code

    assert status(address, f"Bearer {expired}") == 401
    assert status(address, f"Bearer {revoked}") == 401
    assert status(address, f"Bearer {good[:-1]}") == 401
    assert status(address, f"Bearer {ApiToken.objects.first().digest}") == 401
    assert status(address, f"Basic {good}") == 401
    assert status(f"{address}?token={good}&access_token={good}") == 401
    assert status(f"{address}?Authorization=Bearer+{good}") == 401
    assert status(address, f"Bearer {foreign}") == 404
    User.objects.filter(username="owner").update(is_active=False)
    assert status(address, f"Bearer {good}") == 401
    assert HardwareProfile.objects.filter(pk=profile.pk).exists()


def test_b05_a_session_ends_with_its_account_and_with_its_log_out():
    keeper, other = browser_of(), browser_of()
    owner()
    log_in(keeper)
    log_in(other)
    stolen = keeper.cookies["sessionid"].value

    keeper.post(reverse("account_logout"))
    thief = browser_of()
    thief.cookies["sessionid"] = stolen
    with_stolen = thief.get("/accounts/").status_code
    User.objects.update(is_active=False)

    assert with_stolen == 302
    assert other.get("/accounts/").status_code == 302


def test_b06_a_session_key_from_before_the_log_in_is_worthless():
    owner()
    victim = browser_of()
    victim.cookies["sessionid"] = "a" * 32

    log_in(victim)

    assert victim.cookies["sessionid"].value != "a" * 32


def test_b07_a_new_password_ends_all_other_sessions():
    owner()
    keeper, thief = browser_of(), browser_of()
    log_in(keeper)
    log_in(thief)
    new = "another horse 5 battery"

    keeper.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
    )

    assert thief.get("/accounts/").status_code == 302


def test_b08_a_log_in_does_not_tell_who_has_an_account():
    owner()

    known = log_in(browser_of(), password="wrong").content.decode()
    unknown = log_in(browser_of(), login="nobodyy", password="wrong").content.decode()

    assert plain(known) == plain(unknown)


def test_b09_nor_does_a_forgotten_password():
    EmailAddress.objects.create(user=owner(), email="owner@example.org", verified=True)
    address = reverse("account_reset_password")

    known = browser_of().post(address, {"email": "owner@example.org"})
    unknown = browser_of().post(address, {"email": "nobody@example.org"})

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


def test_b10_nor_does_a_sign_up_with_somebodys_address():
    EmailAddress.objects.create(user=owner(), email="owner@example.org", verified=True)
    passwords = {"password1": PASSWORD, "password2": PASSWORD}

    taken, free = (
        browser_of().post(
            reverse("account_signup"), {"username": name, "email": email, **passwords}
        )
        for name, email in (("one", "owner@example.org"), ("two", "free@example.org"))
    )

    assert (taken.status_code, taken["Location"]) == (free.status_code, free["Location"])


def test_b11_whoever_signs_up_with_anothers_address_gets_nothing_by_it():
    EmailAddress.objects.create(user=owner(), email="owner@example.org", verified=True)
    impostor = browser_of()
    impostor.post(
        reverse("account_signup"),
        {
            "username": "impostor",
            "email": "owner@example.org",
            "password1": "impostors own password",
            "password2": "impostors own password",
        },
    )
    victim = browser_of()
    mail.outbox.clear()

    log_in(victim, login="owner@example.org")
    browser_of().post(reverse("account_reset_password"), {"email": "owner@example.org"})

    assert str(victim.session["_auth_user_id"]) == str(owner().pk)
    assert impostor.get(reverse("model-edit", args=[a_model().pk])).status_code == 404
    assert {to for one in mail.outbox for to in one.to} == {"owner@example.org"}
    assert not any("impostor" in one.body for one in mail.outbox)


def test_b12_a_made_up_key_resets_no_password():
    person = owner()
    client = browser_of()

    client.get(f"/accounts/password/reset/key/{person.pk.hex}-set-password/")
    answer = client.post(
        f"/accounts/password/reset/key/{person.pk.hex}-1-2/",
        {"password1": "x horse 6 battery", "password2": "x horse 6 battery"},
    )

    person.refresh_from_db()
    assert answer.status_code in {200, 302}
    assert person.check_password(PASSWORD)


def test_b20_an_administrators_password_alone_opens_no_admin():
    person = admin()
    Authenticator.objects.create(
        user=person, type=Authenticator.Type.TOTP, data={"secret": "JBSWY3DPEHPK3PXP"}
    )
    client = browser_of()

    answer = log_in(client, login="admin", next="/admin/")

    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    assert "_auth_user_id" not in client.session


def test_b21_the_admins_own_log_in_takes_no_password():
    admin()
    client = browser_of()

    client.post("/admin/login/", {"username": "admin", "password": PASSWORD, "next": "/admin/"})

    assert "_auth_user_id" not in client.session


def test_b22_a_script_cannot_go_round_the_second_factor():
    Authenticator.objects.create(user=owner(), type=Authenticator.Type.TOTP, data={"secret": "x"})

    answer = script_of().post(
        f"{BASE}/tokens/", {"username": "owner", "password": PASSWORD, "name": "x"}, format="json"
    )

    assert_problem(answer, 403)


@pytest.mark.parametrize("email", ["a@b.c\nBcc: x@y.z", "a@b.c\r\n\r\nhello", "a@b.c, x@y.z"])
def test_b23_no_address_smuggles_headers_into_our_mail(email):
    for name in ("account_signup", "account_reset_password"):
        typed = {"username": "new", "password1": PASSWORD, "password2": PASSWORD, "email": email}
        answer = browser_of().post(reverse(name), typed)
        assert answer.status_code == 200
    assert mail.outbox == []


@pytest.mark.parametrize(
    "name", ["\u202egnp", "a\x1bb", "a\nb", "<b>", "x" * 151, "аdmin/", "", " "]
)
def test_b29_no_user_name_can_deceive(name):
    browser_of().post(
        reverse("account_signup"), {"username": name, "password1": PASSWORD, "password2": PASSWORD}
    )

    assert not User.objects.exists()


def test_b30_a_deleted_account_leaves_no_door_open():
    person = member("leaver")
    client, script = browser_of(person), script_of(person)

    person.delete()

    assert client.get("/accounts/").status_code == 302
    assert script.get(f"{BASE}/me/").status_code == 401
