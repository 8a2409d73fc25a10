"""Links that open something by themselves: signed ones, spoilt, old, used up or another's."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail, signing
from django.urls import reverse

from tests.api.scripts import BASE
from tests.attacks.browsing import browser_of
from tests.people import (
    PASSWORD,
    a_done_run,
    a_model,
    a_ready_version,
    an_input_set,
    owner,
    stranger,
)

pytestmark = [pytest.mark.django_db, pytest.mark.one_back_end]
FOUR_DAYS_S = 4 * 24 * 3600
NEW_PASSWORD = "another horse 5 battery"


def an_unconfirmed_address():
    """An address that its owner has not confirmed, and the link by which they would."""
    person = owner()
    EmailAddress.objects.create(user=person, email=person.email, verified=False, primary=True)
    client = browser_of(person)
    client.post(reverse("account_email"), {"email": person.email, "action_send": ""})
    return EmailAddress.objects.get(), the_link()


def the_link():
    return re.search(r"https?://\S+", mail.outbox[-1].body)[0].replace("http://testserver", "")


def later(monkeypatch, seconds):
    """Have so much time pass for whatever is signed."""
    now_s = signing.time.time()
    monkeypatch.setattr(signing.time, "time", lambda: now_s + seconds)


def is_confirmed(link):
    browser_of().post(link)
    return EmailAddress.objects.get(email="owner@example.org").verified


SPOILT = {
    "another signature": lambda key, pk: f"{key[:-1]}{'A' if key[-1] != 'A' else 'B'}",
    "another row": lambda key, pk: signing.b64_encode(b"2").decode() + key[key.index(":") :],
    "a later time": lambda key, pk: re.sub(":[^:]+:", ":zzzzzz:", key, count=1),
    "no signature": lambda key, pk: key.rpartition(":")[0],
    "signed for something else": lambda key, pk: signing.dumps(pk, salt="another"),
    "signed with another key": lambda key, pk: signing.dumps(pk, key="guess", salt="account"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_b33_a_spoilt_link_confirms_no_address(how):
    row, link = an_unconfirmed_address()
    key = link.rstrip("/").rpartition("/")[2]

    spoilt = SPOILT[how](key, row.pk)

    assert spoilt != key
    assert not is_confirmed(link.replace(key, spoilt))
    assert is_confirmed(link)


def test_b34_an_old_link_confirms_no_address(monkeypatch):
    _, link = an_unconfirmed_address()

    later(monkeypatch, FOUR_DAYS_S)

    assert not is_confirmed(link)


def a_reset_link():
    EmailAddress.objects.create(user=owner(), email="owner@example.org", verified=True)
    browser_of().post(reverse("account_reset_password"), {"email": "owner@example.org"})
    return the_link()


def reset_by(link, password):
    client = browser_of()
    page = client.get(link, follow=True)
    address = page.redirect_chain[-1][0] if page.redirect_chain else link
    return client.post(address, {"password1": password, "password2": password})


def test_b35_a_reset_link_works_once():
    link = a_reset_link()

    reset_by(link, NEW_PASSWORD)
    reset_by(link, "yet another horse 6 battery")

    assert owner().check_password(NEW_PASSWORD)


def test_b36_a_reset_link_is_for_its_own_account_and_not_for_ever(settings):
    link = a_reset_link()
    uid, _, key = link.rstrip("/").rpartition("/")[2].partition("-")

    reset_by(link.replace(uid, stranger().pk.hex), NEW_PASSWORD)
    reset_by(link.replace(key, key[:-1] + ("a" if key[-1] != "a" else "b")), NEW_PASSWORD)
    # As if it had come to its end.
    settings.PASSWORD_RESET_TIMEOUT = -1
    reset_by(link, NEW_PASSWORD)

    assert owner().check_password(PASSWORD)
    assert stranger().check_password(PASSWORD)


def test_b37_no_answer_leads_to_where_files_are_stored():
    run = a_done_run(a_ready_version(onnx_model=a_model(visibility="public")))
    version, onnx_model = run.version, run.version.onnx_model
    input_set = an_input_set(onnx_model)
    client = browser_of(owner())
    page = onnx_model.get_absolute_url()
    shown = "".join(
        client.get(address).content.decode()
        for address in (
            *(page, f"{page}inputs/", run.get_absolute_url(), "/models/"),
            *(f"{BASE}/versions/{version.pk}/", f"{BASE}/models/{onnx_model.pk}/"),
            f"{BASE}/runs/{run.pk}/",
        )
    )

    for stored in (version.file.name, input_set.file.name):
        assert stored not in shown
        for folder in ("/", "/media/", "/models/", "/static/", "/var/models/"):
            assert client.get(f"{folder}{stored}").status_code == 404
