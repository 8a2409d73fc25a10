"""Attacks on HTTP itself, as bytes to the real web server, behind a proxy and without one."""

import json
import os
import socket
import threading
import time

import pytest

from carbonsite import web_worker
from carbonsite.web_worker import PacedSender, PacedSocket, TooSlow
from tests.composed import NAME

pytestmark = pytest.mark.one_back_end
FORM = "Content-Type: application/x-www-form-urlencoded"
CSRF = "a" * 32


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../carbonsite/settings.py",
        "/static/%2e%2e/%2e%2e/secret_key",
        "/static/..%2f..%2fsecret_key",
        "/static/%5c..%5c..%5csecret_key",
        "/static//etc/passwd",
        "/static/%00",
        "/static/vendor/../../../secret_key",
        "/models/../../../etc/passwd",
        "/.env",
        "/.git/config",
        "/models/incoming/",
    ],
)
def test_a70_no_path_leads_out_of_the_static_files(door, path):
    answer = door.say("GET", path)

    assert answer.status in {400, 404}
    assert b"SECRET" not in answer.body
    assert b"root:" not in answer.body


@pytest.mark.parametrize(
    "hosts", [("evil.example",), ("evil.example", NAME), (f"{NAME}@evil.example",), ("",), ()]
)
def test_a71_a_lying_host_is_refused(door, hosts):
    lines = "".join(f"Host: {host}\r\n" for host in hosts)
    with door.wire() as wire:
        wire.send(f"GET / HTTP/1.1\r\n{lines}X-Forwarded-Proto: https\r\n\r\n".encode())
        answer = wire.answer()

    assert answer.status == 400
    assert b"ALLOWED_HOSTS" not in answer.body


def test_a72_without_a_proxy_no_forwarded_header_is_believed(bare_door):
    answer = bare_door.say(
        "GET",
        "/api/v1/",
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Port: 444",
        "Forwarded: host=evil.example;proto=https",
        "X-Original-URL: /admin/",
        "X-Rewrite-URL: /admin/",
        "X-Script-Name: /evil",
        "SCRIPT_NAME: /api",
        "PATH_INFO: /admin/",
    )

    assert answer.status == 200
    assert json.loads(answer.body)["models"] == f"http://{NAME}/api/v1/models/"


def test_a73_readers_are_counted_across_processes_whatever_they_say_of_their_address(bare_door):
    statuses = [
        bare_door.say("GET", "/api/v1/zones/?per_page=1", f"X-Forwarded-For: 203.0.113.{n}").status
        for n in range(12)
    ]

    assert sorted(statuses) == [200] * 5 + [429] * 7


def a_log_in(door, name, password, *lines):
    """Try to log in on the page; return the answer."""
    body = f"login={name}&password={password}&csrfmiddlewaretoken={CSRF}".encode()
    cookie = f"Cookie: csrftoken={CSRF}"
    return door.say("POST", "/accounts/login/", FORM, cookie, *lines, body=body)


def test_a74_passwords_are_not_guessed_whatever_the_guesser_says_of_its_address(
    bare_door, newcomer
):
    who = newcomer()

    statuses = [
        a_log_in(bare_door, who.name, f"guess-{n}", f"X-Forwarded-For: 203.0.113.{n}").status
        for n in range(12)
    ]
    right = a_log_in(bare_door, who.name, "correct+horse+4+battery").status

    assert statuses[0] == 200
    assert 302 not in [*statuses, right]


def test_a75_tokens_are_not_guessed_either(bare_door, newcomer):
    who = newcomer()
    asked = {"username": who.name, "password": "guess", "name": "x"}
    body = json.dumps(asked).encode()

    statuses = [
        bare_door.say("POST", "/api/v1/tokens/", "Content-Type: application/json", body=body).status
        for _ in range(12)
    ]

    assert statuses[0] == 400
    assert statuses[-1] == 429


@pytest.mark.parametrize(
    "path, lines",
    [
        ("/?" + "a" * 5000, ()),
        ("/?" + "&".join(f"a{n}" for n in range(1300)), ()),
        ("/", ("X-Long: " + "a" * 20_000,)),
        ("/", tuple(f"X-{n}: 1" for n in range(200))),
        ("/", ("Cookie: sessionid=" + "a" * 8000,)),
        ("/", ("Cookie: " + "; ".join(f"c{n}=1" for n in range(600)),)),
        ("/", ("X-Long: " + "a" * 300_000,)),
    ],
    ids=["line", "parameters", "header", "headers", "cookie", "cookies", "huge"],
)
def test_a76_what_is_far_too_long_is_refused_or_ignored(door, path, lines):
    with door.wire() as wire:
        try:
            wire.send(door.head("GET", path, *lines, "Connection: close"))
        except ConnectionError:
            return
        answer = wire.answer()

    # 0: hung up on while it still sent.
    assert answer.status in {0, 200, 400, 414, 431}


def test_a77_json_20_000_levels_deep_is_a_400(door, newcomer):
    who = newcomer()

    for text in ("[" * 20_000 + "]" * 20_000, '{"a":' * 20_000 + "1" + "}" * 20_000):
        kind = "Content-Type: application/json"
        answer = door.say("POST", "/api/v1/profiles/", who.bearer, kind, body=text.encode())
        assert answer.status == 400


@pytest.mark.parametrize(
    "path, lines, body",
    [
        ("/models/%00/", (), b""),
        ("/models/?q=%00", (), b""),
        ("/hardware/zones/?q=%00", (), b""),
        ("/reference/zones/%00/", (), b""),
        ("/models/?%00=1", (), b""),
        ("/models/", ("Cookie: sessionid=a\0b",), b""),
        ("/models/", ("X-Request-ID: a\0b",), b""),
        ("/accounts/login/", (FORM, f"Cookie: csrftoken={CSRF}"), b"login=%00&password=%00"),
        ("/accounts/password/reset/", (FORM, f"Cookie: csrftoken={CSRF}"), b"email=a%00%40b.c"),
        ("/api/v1/tokens/", ("Content-Type: application/json",), b'{"username": "a\\u0000"}'),
    ],
)
def test_a78_a_nul_byte_breaks_nothing(door, path, lines, body):
    method = "POST" if body else "GET"
    if FORM in lines:
        body += f"&csrfmiddlewaretoken={CSRF}".encode()

    answer = door.say(method, path, *lines, f"Origin: https://{NAME}", body=body)

    assert answer.status in {200, 302, 400, 404}


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "get", "G" * 60, "PATCH"])
def test_a79_a_method_that_no_page_has_does_nothing(door, method):
    answer = door.say(method, "/models/", "X-Secret: SEVENTEEN")

    assert answer.status in {400, 403, 405}
    assert b"SEVENTEEN" not in answer.body


def test_a80_no_header_turns_one_method_into_another(door, newcomer):
    who = newcomer()
    door.upload(who, b"mine", name="mine")
    (mine,) = json.loads(door.say("GET", "/api/v1/models/", who.bearer).body)["results"]
    address = f"/api/v1/models/{mine['id']}/"

    door.say("GET", f"{address}?_method=DELETE", who.bearer, "X-HTTP-Method-Override: DELETE")
    door.say("GET", address, who.bearer, "X-HTTP-Method: DELETE", "X-Method-Override: DELETE")

    assert door.say("GET", address, who.bearer).status == 200


PAGES = ["/", "/models/", "/hardware/", "/reference/", "/accounts/login/", "/accounts/signup/"]
PAGES += ["/api/docs/", "/api/v1/", "/api/v1/schema/", "/admin/login/", "/nothing/", "/healthz"]
PAGES += ["/accounts/password/reset/", "/models/new/", "/static/nothing.js", "/api/v1/nothing/"]


@pytest.mark.parametrize("path", PAGES)
def test_a81_every_answer_tells_the_browser_to_be_careful(door, path):
    headers = door.say("GET", path).headers

    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "object-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    if path not in {"/healthz"}:
        assert "max-age=31536000; includeSubDomains" in headers["strict-transport-security"]
    for name in ("x-powered-by", "access-control-allow-origin", "access-control-allow-credentials"):
        assert name not in headers


def test_a82_cookies_are_for_this_site_and_its_encrypted_lines_only(door, newcomer):
    who = newcomer()

    page = door.say("GET", "/accounts/login/").headers["set-cookie"]
    origin = f"Origin: https://{NAME}"
    session = a_log_in(door, who.name, "correct+horse+4+battery", origin).headers["set-cookie"]

    for cookie in (page, session):
        assert "Secure" in cookie
        assert "SameSite=Lax" in cookie
    assert "sessionid=" in session
    assert "HttpOnly" in session[session.index("sessionid=") :]


def test_a83_plain_http_is_sent_on_and_to_nowhere_else(door):
    with door.wire() as wire:
        wire.send(f"GET //evil.example/%2f..?a=b HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        answer = wire.answer()

    assert answer.status == 301
    assert answer.headers["location"].startswith(f"https://{NAME}/")


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_a84_no_other_sites_script_may_read_an_answer(door, newcomer, method):
    who = newcomer()

    answer = door.say(
        method,
        "/api/v1/me/",
        who.cookie,
        "Origin: https://evil.example",
        "Access-Control-Request-Method: DELETE",
        "Access-Control-Request-Headers: authorization",
    )

    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a85_another_sites_form_is_refused_in_spite_of_the_cookie(door, newcomer):
    who = newcomer()
    body = f"name=x&scope=write&lifetime=30&csrfmiddlewaretoken={CSRF}".encode()
    path = "/accounts/tokens/"

    foreign = door.say("POST", path, FORM, who.cookie, "Origin: https://evil.example", body=body)
    bare = door.say("POST", path, FORM, who.cookie, body=body)
    own = door.say("POST", path, FORM, who.cookie, f"Origin: https://{NAME}", body=body)

    assert (foreign.status, bare.status, own.status) == (403, 403, 200)


def test_a86_a_client_that_hangs_up_in_its_head_is_let_go(door):
    with door.wire() as wire:
        wire.send(b"GET / HTTP/1.1\r\nHo")
        wire.socket.shutdown(socket.SHUT_WR)
        began_s = time.monotonic()
        answer = wire.answer()

    assert answer.status in {0, 400}
    assert time.monotonic() - began_s < 5


def test_a87_who_sends_too_slowly_is_cut_off(monkeypatch):
    monkeypatch.setattr(web_worker, "PATIENCE_S", 0.2)
    ours, theirs = socket.socketpair()
    paced = PacedSocket(ours)

    theirs.send(b"a" * 100)
    first = paced.recv(1000)
    began_s = time.monotonic()
    with pytest.raises(TooSlow):
        paced.recv(1000)

    assert first == b"a" * 100
    assert time.monotonic() - began_s < 5


def test_a88_bytes_earn_patience_and_waiting_spends_it(monkeypatch):
    monkeypatch.setattr(web_worker, "PATIENCE_S", 0.5)
    ours, theirs = socket.socketpair()
    paced = PacedSocket(ours)

    theirs.send(b"a" * 4096)
    paced.recv(4096)
    full_s = paced._left_s
    theirs.send(b"a")
    # As if the last byte had been waited for.
    paced._left_s = 0.0
    with pytest.raises(TooSlow):
        paced.recv(1)

    assert full_s == pytest.approx(0.5, abs=0.05)
    theirs.send(b"a" * 1000)
    paced.start_again()
    assert len(paced.recv(1000)) == 1000


def test_a210_who_reads_too_slowly_is_cut_off(monkeypatch, tmp_path):
    monkeypatch.setattr(web_worker, "PATIENCE_S", 0.2)
    answer = tmp_path / "answer"
    answer.write_bytes(bytes(20_000_000))
    ours, theirs = socket.socketpair()

    began_s = time.monotonic()
    with pytest.raises(TooSlow):
        PacedSender(ours).sendall(answer.read_bytes())
    with pytest.raises(TooSlow), answer.open("rb") as file:
        PacedSender(ours).sendfile(file)

    assert time.monotonic() - began_s < 10
    assert theirs.recv(100) == bytes(100)


def test_a211_who_reads_on_gets_the_whole_answer(monkeypatch, tmp_path):
    monkeypatch.setattr(web_worker, "PATIENCE_S", 5)
    answer = tmp_path / "answer"
    answer.write_bytes(os.urandom(3_000_000))
    ours, theirs = socket.socketpair()
    read = []
    reader = threading.Thread(target=lambda: read.append(theirs.makefile("rb").read()))
    reader.start()

    paced = PacedSender(ours)
    paced.sendall(b"head")
    with answer.open("rb") as file:
        paced.sendfile(file, offset=10, count=2_000_000)
    paced.shutdown(socket.SHUT_WR)
    reader.join(20)

    assert read == [b"head" + answer.read_bytes()[10:2_000_010]]


def test_a89_the_process_serves_on_after_all_this(door):
    assert door.say("GET", "/").status == 200
    lines = (door.folder / "web.log").read_text().splitlines()
    # gunicorn's own, and Django's of an answer 500; it tells of what it refuses in that way too.
    faults = [one for one in lines if one.startswith("Traceback") or '"status_code": 500' in one]
    assert faults == []
