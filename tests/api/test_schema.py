"""The schema: complete, true to what the API answers, and readable without the outside world."""

import json
import re
from functools import cache
from io import StringIO

import pytest
import schemathesis
from django.core.management import call_command
from django.test import Client
from django.urls import resolve
from hypothesis import given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from benchmarks.models import Run
from carbonsite.wsgi import application
from tests.api.scripts import BASE, script_of
from tests.api.test_routes_by_role import routes_of_the_api
from tests.people import a_done_run, owner

pytestmark = pytest.mark.django_db
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@cache
def documented():
    """The schema as the site would serve it."""
    text = StringIO()
    call_command("spectacular", format="openapi-json", stdout=text)
    return json.loads(text.getvalue())


def test_the_schema_is_made_without_a_warning():
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=StringIO())


def test_each_call_documents_its_refusals():
    for path, calls in documented()["paths"].items():
        for method, call in calls.items():
            assert {"400", "401", "404", "429"} <= set(call["responses"]), (method, path)


def test_the_schema_is_served_as_json():
    answer = script_of().get(f"{BASE}/schema/?format=json")

    assert answer.json()["paths"].keys() == documented()["paths"].keys()


def test_the_page_of_the_api_asks_nothing_of_the_outside_world():
    page = Client().get("/api/docs/")
    script = Client().get("/api/docs/?script=")

    text = page.content.decode()
    assert page.status_code == script.status_code == 200
    assert "default-src 'self'" in page["Content-Security-Policy"]
    assert script["Content-Type"].startswith("application/javascript")
    assert "//" not in text.replace("<!-- -->", "").replace("</", "")
    assert "<style" not in text
    assert text.count("<script") == text.count("<script src=")


@cache
def described():
    """The site as the schema describes it, read once: that takes longer than most calls."""
    return schemathesis.openapi.from_wsgi(f"{BASE}/schema/?format=json", application)


CALLS = [
    (path, method.upper()) for path, calls in documented()["paths"].items() for method in calls
]


@pytest.mark.parametrize("path, method", CALLS)
def test_no_call_that_the_schema_allows_breaks_the_site(path, method):
    run = a_done_run()
    authorization = script_of(owner())._credentials["HTTP_AUTHORIZATION"]

    @given(case=described()[path][method].as_strategy())
    @settings(max_examples=12, deadline=None, derandomize=True, database=None)
    def answers_as_documented(case):
        case.call_and_validate(headers={"Authorization": authorization}, checks=CHECKS)

    answers_as_documented()

    assert Run.objects.filter(pk=run.pk).exists()


def test_the_schema_has_every_route_of_the_api():
    an_id = "0198f0a1-7c1e-7d44-9f2b-3a1f5c2e8b10"
    documented_calls = {
        (resolve(re.sub(r"{[^}]*}", an_id, path)).url_name, method) for path, method in CALLS
    }

    undocumented = {("api-schema", "GET"), ("api-docs", "GET")}
    assert documented_calls - undocumented == routes_of_the_api() - undocumented
