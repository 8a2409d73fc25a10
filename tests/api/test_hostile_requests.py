"""Whatever a client makes of HTTP itself, the answer is a sentence and never a 500."""

import json
from io import BytesIO

import pytest
from django.test import RequestFactory

from carbonsite.wsgi import application
from tests.api.scripts import BASE, an_onnx_file, assert_problem, script_of
from tests.people import (
    owner,
)

pytestmark = pytest.mark.django_db


def send_json(client, method, address, text, content_type="application/json"):
    return client.generic(method, address, text, content_type=content_type)


@pytest.mark.parametrize(
    "parameter",
    [f"charset={name}" for name in ("utf-16", "base64", "idna", "rot13", "x-unknown")]
    + ["charset*=bogus''x"],
)
@pytest.mark.parametrize("address", [f"{BASE}/zones/", "/"])
def test_text_in_another_charset_is_refused(address, parameter):
    status, _ = answer_without_reading(
        address, CONTENT_TYPE=f"text/plain; {parameter}", QUERY_STRING="search=%41"
    )

    assert status == 415


NOWHERE = [
    "/api/",
    "/api/nothing",
    "/api/v1",
    "/api/v1/zones",
    "/api/v1/models/x/",
    "/api/v1/models/1/",
    "/api/v1/models/%00/",
    "/api/v1/zones/%00/",
    "/api/v1/zones/XXX/",
    "/api/v1/zones/" + "A" * 5000 + "/",
    "/api/v1/runs/00000000-0000-0000-0000-000000000000/",
    "/api/v2/",
    "/api/v1/../../etc/passwd",
    "/api/v1/%ff/",
]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH"])
def test_an_unknown_address_is_a_404_that_says_so(method):
    script = script_of(owner())

    for address in NOWHERE:
        answer = script.generic(method, address)
        assert answer.status_code in {404, 405}, address
        assert_problem(answer, answer.status_code)


def test_a_method_that_is_not_there_is_a_405():
    answer = script_of(owner()).put(f"{BASE}/zones/", {}, format="json")

    assert_problem(answer, 405)
    assert "GET" in answer["Allow"]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/xml", ""])
def test_an_upload_that_is_no_form_is_a_415(content_type):
    answer = send_json(script_of(owner()), "POST", f"{BASE}/models/", "{}", content_type)

    assert_problem(answer, 415)


def test_a_media_type_that_nobody_writes_is_a_406():
    assert_problem(script_of().get(f"{BASE}/zones/", HTTP_ACCEPT="application/xml"), 406)


MULTIPART = "multipart/form-data; boundary=b"
BAD_FORMS = {
    "no boundary": ("multipart/form-data", b"--b--"),
    "a boundary of another alphabet": ("multipart/form-data; boundary=\xff", b"x"),
    "rubbish": (MULTIPART, b"\x00\xff" * 100),
    "cut off": (
        MULTIPART,
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nab',
    ),
    "an unknown charset": (
        MULTIPART,
        b"--b\r\nContent-Disposition: form-data; name*=bogus''file; filename=x\r\n\r\n"
        b"ab\r\n--b--\r\n",
    ),
    "base64 that is none": (
        MULTIPART,
        b'--b\r\nContent-Disposition: form-data; name="name"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n!!!!!\r\n--b--\r\n",
    ),
    "a NUL in the name": (
        MULTIPART,
        b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\na\x00b\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nab\r\n--b--\r\n',
    ),
    "a thousand fields too many": (
        MULTIPART,
        b"".join(
            b'--b\r\nContent-Disposition: form-data; name="f%d"\r\n\r\nx\r\n' % number
            for number in range(1100)
        )
        + b"--b--\r\n",
    ),
    "two hundred files": (
        MULTIPART,
        b"".join(
            b'--b\r\nContent-Disposition: form-data; name="f%d"; filename="x"\r\n\r\nx\r\n' % number
            for number in range(200)
        )
        + b"--b--\r\n",
    ),
    "a text instead of a file": (
        MULTIPART,
        b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nx\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--\r\n',
    ),
}


@pytest.mark.parametrize("content_type, body", BAD_FORMS.values(), ids=BAD_FORMS.keys())
def test_a_form_that_is_none_is_a_400(content_type, body):
    answer = script_of(owner()).generic("POST", f"{BASE}/models/", body, content_type=content_type)

    assert_problem(answer, 400)


def test_a_form_whose_boundary_is_too_long_is_refused():
    content_type = "multipart/form-data; boundary=" + "b" * 500

    answer = script_of(owner()).generic("POST", f"{BASE}/models/", b"x", content_type=content_type)

    assert_problem(answer, answer.status_code)
    assert answer.status_code in {400, 415}


def test_a_request_without_a_body_is_refused():
    assert_problem(script_of(owner()).generic("POST", f"{BASE}/models/", b""), 400)


def test_an_empty_file_is_refused_in_words():
    answer = script_of(owner()).post(
        f"{BASE}/models/", {"name": "x", "file": an_onnx_file(b"")}, format="multipart"
    )

    (error,) = assert_problem(answer, 400)["errors"]
    assert error["field"] == "file"
    assert "empty" in error["message"]


def test_a_file_over_the_limit_is_a_413(settings):
    settings.MAX_UPLOAD_BYTES = 10

    answer = script_of(owner()).post(
        f"{BASE}/models/", {"name": "x", "file": an_onnx_file(b"x" * 11)}, format="multipart"
    )

    assert_problem(answer, 413)


def test_a_full_disk_is_a_507(settings):
    settings.FREE_DISK_FLOOR_BYTES = 2**62

    answer = script_of(owner()).post(
        f"{BASE}/models/", {"name": "x", "file": an_onnx_file()}, format="multipart"
    )

    assert_problem(answer, 507)


class UnreadBody(BytesIO):
    """A body that fails the test when it is read."""

    def read(self, *size):
        raise AssertionError("the body was read")

    readline = read


def answer_without_reading(address, **headers):
    """Send a request whose body must not be read; return its status and its JSON."""
    environ = RequestFactory()._base_environ(
        **{"PATH_INFO": address, "REQUEST_METHOD": "POST", "CONTENT_TYPE": MULTIPART, **headers}
    )
    environ["wsgi.input"] = UnreadBody()
    seen = []
    content = b"".join(application(environ, lambda status, headers: seen.append(status)))
    return int(seen[0].split()[0]), json.loads(content)


@pytest.mark.parametrize(
    "authorization, status", [(None, 401), ("Bearer cs_bad", 401), ("read", 403), ("write", 413)]
)
def test_who_may_not_upload_hears_it_before_the_body_is_read(settings, authorization, status):
    settings.MAX_UPLOAD_BYTES = 1000
    headers = {"CONTENT_LENGTH": str(10**9)}
    if authorization in {"read", "write"}:
        authorization = script_of(owner(), scope=authorization)._credentials["HTTP_AUTHORIZATION"]
    if authorization:
        headers["HTTP_AUTHORIZATION"] = authorization

    answered, problem = answer_without_reading(f"{BASE}/models/", **headers)

    assert (answered, problem["status"]) == (status, status)


def test_a_body_of_unknown_length_is_a_411():
    answered, _ = answer_without_reading(f"{BASE}/models/", HTTP_TRANSFER_ENCODING="chunked")

    assert answered == 411


def test_a_lying_host_is_refused_in_the_apis_own_shape():
    assert_problem(script_of().get(f"{BASE}/zones/", HTTP_HOST="evil.example"), 400)


def test_a_fault_of_ours_is_told_in_the_apis_own_shape(monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("hardware.api.views.match_processors", broken)
    script = script_of()
    script.raise_request_exception = False

    answer = script.get(f"{BASE}/processors/match/?name=M1")

    assert_problem(answer, 500)
    assert b"secret" not in answer.content
