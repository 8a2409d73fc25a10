"""Every page of the site, walked by every role; the API's table is in tests/api."""

import re

import pytest
from django.apps import apps
from django.contrib import admin as django_admin
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, resolve

from accounts.models import ApiToken
from tests.api.test_routes_by_role import Story
from tests.attacks.page_routes import ADMIN_PAGES, ADMIN_TABLES, PAGES
from tests.people import a_ready_version, admin, anonymous, owner, stranger

pytestmark = [pytest.mark.django_db, pytest.mark.one_back_end, pytest.mark.takes_rows_back]
ROLES = {"owner": owner, "stranger": stranger, "anonymous": anonymous, "admin": admin}
READABLE_WHEN_PUBLIC = {
    *("model", "model-history", "model-history-data", "model-history-csv"),
    *("version-status", "profile"),
    *("run", "run-status", "run-job", "run-countries", "run-countries-csv"),
    *("sweep", "sweep-status", "sweep-csv", "compare", "compare-csv"),
}
VALUE_BY_GROUP = {"code": "IND", "key": "1", "uidb36": "1", "slug": "processors"}
ACTION_BY_SUFFIX = {"changelist": "list"}


def leaves(resolver, before=""):
    """Yield (address with its placeholders, name) for each route below ``resolver``."""
    for one in resolver.url_patterns:
        address = before + str(one.pattern)
        if isinstance(one, URLPattern):
            yield address, one.name
        else:
            yield from leaves(one, address)


ROUTES = [(address, name) for address, name in leaves(get_resolver())]
OWN = {name: address for address, name in ROUTES if not re.match("api/|admin/", address)}
ADMIN = [(address, name) for address, name in ROUTES if address.startswith("admin/")]


class Site(Story):
    """The owner's things, and the address of each page about them."""

    def __init__(self):
        super().__init__()
        self.token, _ = ApiToken.objects.issue(owner=owner(), name="ci", scope="read")

    def page(self, address):
        """The address with the owner's ids in the place of its placeholders."""
        if "countries" in address:
            return "/" + address.replace("<uuid:pk>", str(self.finished_run_id("api-run-whatif")))
        id_by_folder = {
            "sweeps/": self.sweep.pk,
            "models/": self.version.onnx_model_id,
            "runs/": self.run.pk,
            "versions/": self.version.pk,
            "hardware/": self.profile.pk,
            "reference/processors/": self.processor.pk,
            "accounts/tokens/": self.token.pk,
        }
        for folder, pk in id_by_folder.items():
            if address.startswith(folder):
                address = address.replace("<uuid:pk>", str(pk))
        address = address.replace("<uuid:set_pk>", str(self.input_set.pk))
        address = address.replace("<int:pk>", "1").replace("^", "").removesuffix("$")
        for group, value in VALUE_BY_GROUP.items():
            address = re.sub(rf"\(\?P<{group}>[^)]*\)", value, address)
        more = f"?version={self.version.pk}" if address == "runs/sweep/new/" else ""
        if address.startswith("compare"):
            second = a_ready_version(onnx_model=self.version.onnx_model)
            more = f"?v={self.version.pk}&v={second.pk}"
        return f"/{address}{more}".replace("\\.", ".")


def admin_address(address):
    """The address of an admin's page about some row, which is there or not."""
    address = re.sub("<path:(object_id|content_type_id)>|<id>", "1", address)
    return "/" + address.replace("^", "").replace("$", "").replace("(?P<url>.*)", "nothing")


class Undone(Exception):
    """What a request has changed is taken back."""


def status_for(role, method, address):
    """The status of an empty request by ``role``, whose effects are taken back."""
    return answer_to(role, method, address).status_code


def answer_to(role, method, address):
    client = Client(raise_request_exception=False)
    person = ROLES[role]()
    if person.is_authenticated:
        client.force_login(person)
    answer = None
    try:
        with transaction.atomic():
            answer = getattr(client, method.lower())(address)
            raise Undone
    except Undone:
        return answer


def test_a30_no_page_is_missing_from_the_table():
    assert set(OWN) == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a31_each_role_gets_the_pages_it_may(name):
    site = Site()
    address = site.page(OWN[name])

    answered = {
        method: tuple(status_for(role, method, address) for role in ROLES)
        for method in ("GET", "POST")
    }

    assert resolve(address.partition("?")[0]).url_name == name
    assert answered == PAGES[name]


@pytest.mark.parametrize("name", sorted(READABLE_WHEN_PUBLIC))
def test_a32_what_is_public_is_read_by_all(name):
    site = Site()
    site.publish()

    statuses = {status_for(role, "GET", site.page(OWN[name])) for role in ROLES}

    assert statuses in ({200}, {286})


def test_a33_no_page_of_the_admin_is_missing_from_the_table():
    tables = {model._meta.label_lower.replace(".", "_") for model in django_admin.site._registry}
    others = {name for _, name in ADMIN if name and not name.startswith(tuple(tables))}

    assert tables == set(ADMIN_TABLES)
    assert others == ADMIN_PAGES


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a34_nobody_else_sees_a_page_of_the_admin(method):
    Site()
    addresses = [admin_address(address) for address, name in ADMIN if name != "login"]

    for address in addresses:
        for role in ("owner", "stranger", "anonymous"):
            answer = answer_to(role, method, address)
            assert answer.status_code == 302, (role, address)
            assert answer["Location"].startswith(("/accounts/login/", "/admin/login/", "/admin/"))
            assert not answer.content


@pytest.mark.parametrize("table", sorted(ADMIN_TABLES))
def test_a35_an_administrator_does_with_each_table_what_the_table_says(table):
    Site()
    model = apps.get_model(*table.split("_", 1))
    row = model._default_manager.first()
    done = set()

    for address, name in ADMIN:
        if not (name or "").startswith(f"{table}_"):
            continue
        action = name.removeprefix(f"{table}_")
        if row is None and "object_id" in address:
            done |= ADMIN_TABLES[table] & {action}
            continue
        address = "/" + address.replace("<path:object_id>", str(row.pk if row else ""))
        method = "GET" if action == "history" else "POST"
        if status_for("admin", method, address) in {200, 302}:
            done.add(ACTION_BY_SUFFIX.get(action, action))

    assert done == ADMIN_TABLES[table]


def test_a36_the_admin_shows_no_key_that_logs_in_as_somebody_else():
    from allauth.mfa.models import Authenticator
    from allauth.usersessions.models import UserSession

    Authenticator.objects.create(user=owner(), type="totp", data={"secret": "SEVENTEEN"})
    UserSession.objects.create(user=owner(), session_key="EIGHTEEN", ip="::1", user_agent="x")
    client = Client()
    client.force_login(admin())

    for row, where in (
        (Authenticator.objects.get(), "mfa/authenticator"),
        (UserSession.objects.get(session_key="EIGHTEEN"), "usersessions/usersession"),
    ):
        for address in (f"/admin/{where}/", f"/admin/{where}/{row.pk}/change/"):
            text = client.get(address).content.decode()
            assert "owner" in text
            assert "SEVENTEEN" not in text
            assert "EIGHTEEN" not in text
