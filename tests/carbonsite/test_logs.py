"""Lines of the log that tell which request they belong to, in the web server and beyond."""

import io
import json
import logging

import pytest
from django.http import HttpResponse
from pythonjsonlogger.json import JsonFormatter

from carbonsite import logs
from carbonsite.celery import app


@pytest.fixture
def answer():
    """What a view behind the middleware would put into its log lines."""
    return logs.RequestIdMiddleware(lambda request: HttpResponse(logs.request_id.get()))


def test_a_proxys_request_id_is_kept_and_answered(rf, answer):
    response = answer(rf.get("/", headers={"X-Request-ID": "proxy-7"}))

    assert response.content == b"proxy-7"
    assert response["X-Request-ID"] == "proxy-7"


@pytest.mark.parametrize("forged", ["a\tb", "x" * 65, 'quote"', ""])
def test_an_id_that_could_forge_a_line_is_replaced(rf, answer, forged):
    response = answer(rf.get("/", headers={"X-Request-ID": forged}))

    assert response.content.decode() != forged
    assert logs.ACCEPTABLE_ID.fullmatch(response.content.decode())


def test_no_address_begins_a_line_of_its_own(rf, answer, caplog):
    caplog.set_level(logging.INFO, "carbonsite.requests")

    answer(rf.get("/a%0d%0a2026-11-23 ERROR forged"))

    assert caplog.messages == ["GET /a%0D%0A2026-11-23%20ERROR%20forged 200"]


def test_no_id_is_left_for_the_next_request(rf, answer):
    answer(rf.get("/"))

    assert logs.request_id.get() == ""


def test_a_message_to_a_worker_carries_the_requests_id(rf):
    published = {}

    def view(request):
        logs.send_the_id_along(headers=published)
        return HttpResponse()

    logs.RequestIdMiddleware(view)(rf.get("/", headers={"X-Request-ID": "click-1"}))

    assert published == {logs.MESSAGE_HEADER: "click-1"}


def test_a_worker_takes_the_id_up_for_one_task():
    @app.task
    def say():
        return logs.request_id.get()

    said = say.apply(headers={logs.MESSAGE_HEADER: "click-2"}).get()

    assert (said, logs.request_id.get()) == ("click-2", "")


def test_a_line_for_programs_is_one_json_object_with_its_facts(settings):
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    facts = {**settings.LOGGING["formatters"]["json"]}
    facts.pop("()")
    handler.setFormatter(JsonFormatter(facts["format"], rename_fields=facts["rename_fields"]))
    handler.addFilter(logs.RequestIdFilter())
    record = logging.LogRecord("a", logging.INFO, "", 0, "Run %s\nended", ("7",), None)
    record.run_id = "7"

    handler.handle(record)

    lines = written.getvalue().splitlines()
    assert len(lines) == 1
    line = json.loads(lines[0])
    assert line["message"] == "Run 7\nended"
    assert (line["level"], line["logger"], line["run_id"]) == ("INFO", "a", "7")
    assert line["request_id"] == "-"
