"""What goes into the audit log, and who reads it there."""

import pytest
from django.urls import reverse

from accounts import audit
from accounts.models import ApiToken, AuditEntry
from benchmarks.models import OnnxModel
from tests.people import PASSWORD, a_profile, a_ready_version, admin, owner, stranger

pytestmark = pytest.mark.django_db


def noted():
    return [(one.action, one.actor_name, one.subject) for one in AuditEntry.objects.order_by("at")]


def log_in(client, password=PASSWORD):
    return client.post(reverse("account_login"), {"login": "owner", "password": password})


def test_a_log_in_is_noted_with_its_address(client):
    owner()

    log_in(client)

    assert noted() == [("logged_in", "owner", "")]
    assert AuditEntry.objects.get().address == "127.0.0.1"


def test_a_failed_log_in_is_noted_under_the_name_that_was_tried_and_never_the_password(client):
    owner()

    log_in(client, password="wrong horse")

    assert noted() == [("log_in_failed", "", "owner")]
    assert "wrong horse" not in str(AuditEntry.objects.values())


def test_behind_a_proxy_the_visitors_address_is_noted(client, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    owner()

    client.post(
        reverse("account_login"),
        {"login": "owner", "password": PASSWORD},
        headers={"X-Forwarded-For": "10.9.9.9, 198.51.100.7"},
    )

    assert AuditEntry.objects.get().address == "198.51.100.7"


def test_a_token_made_and_revoked_is_noted_without_its_secret(client):
    client.force_login(owner())
    AuditEntry.objects.all().delete()

    client.post(reverse("tokens"), {"name": "robot", "scope": "read", "lifetime": "never"})
    token = ApiToken.objects.get()
    client.post(reverse("token-revoke", args=[token.pk]))

    assert [action for action, _, _ in noted()] == ["token_made", "token_revoked"]
    assert all(subject == str(token) for _, _, subject in noted())


def test_making_a_model_public_is_noted_once(client):
    model = a_ready_version().onnx_model
    client.force_login(model.owner)
    AuditEntry.objects.all().delete()
    address = reverse("model-edit", args=[model.pk])

    for _ in range(2):
        client.post(address, {"name": model.name, "visibility": "public"})

    assert OnnxModel.objects.get().visibility == "public"
    assert [action for action, _, _ in noted()] == ["visibility_changed"]
    assert "private to public" in noted()[0][2]


def test_making_a_profile_private_by_the_api_is_noted(client):
    profile = a_profile(owner(), visibility="public")
    client.force_login(profile.owner)
    AuditEntry.objects.all().delete()

    client.patch(
        f"/api/v1/profiles/{profile.pk}/",
        {"visibility": "private"},
        content_type="application/json",
    )

    assert [action for action, _, _ in noted()] == ["visibility_changed"]


def test_people_see_their_own_activity_and_nobody_elses(client):
    stranger()
    client.post(reverse("account_login"), {"login": "stranger", "password": PASSWORD})
    client.logout()
    owner()
    log_in(client)

    page = client.get(reverse("account-settings")).content.decode()

    assert page.count("Logged in</td>") + page.count("Logged in\n") == 1


def test_the_log_cannot_be_changed_in_the_admin(client):
    client.force_login(admin())
    entry = audit.note(audit.Action.LOGGED_IN, actor=owner())
    address = reverse("admin:accounts_auditentry_change", args=[entry.pk])

    assert client.get(address).status_code == 200
    assert client.post(address, {"subject": "forged"}).status_code == 403
    assert (
        client.post(
            reverse("admin:accounts_auditentry_delete", args=[entry.pk]), {"post": "yes"}
        ).status_code
        == 403
    )
    assert client.get(reverse("admin:admin_logentry_changelist")).status_code == 200
