"""docker-compose.yml, valid by its schema; and what it starts, started here without Docker.

The same commands, settings and order of starting, against a real PostgreSQL and a real Redis.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from contextlib import ExitStack, contextmanager
from graphlib import TopologicalSorter
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import psycopg
import pytest
import yaml

from runner.sample_models import lenet5

ROOT = Path(__file__).resolve().parent.parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = {name: one for name, one in COMPOSE["services"].items() if one.get("build")}
WITHIN_S = 90
NAME = "carbonsite.example.org"
REQUEST_ID = f"compose-{uuid.uuid4().hex}"
NEW_TOKEN = (
    "from tests.people import *; from accounts.models import ApiToken; user = owner(); "
    "a_profile(user); token, secret = ApiToken.objects.issue("
    "owner=user, name='compose', scope='write'); print(secret)"
)


def test_the_compose_file_is_valid_by_the_compose_specification():
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--builtin-schema", "vendor.compose-spec", "docker-compose.yml"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stdout


def test_every_service_of_ours_starts_after_what_it_needs():
    order = list(TopologicalSorter(_needs()).static_order())

    assert order.index("postgres") < order.index("prepare") < order.index("web")
    assert order.index("redis") < order.index("worker-measure")


def test_containers_of_ours_can_write_nowhere_but_into_their_volume():
    for name, service in OURS.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["volumes"] == ["data:/data"], name


def test_redis_keeps_its_messages_and_evicts_none():
    command = COMPOSE["services"]["redis"]["command"]

    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_images_are_pinned_and_run_without_root():
    dockerfile = (ROOT / "Dockerfile").read_text()
    used = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    used += [one["image"] for one in COMPOSE["services"].values() if "build" not in one]

    assert all(re.search(r":\d+\.\d+", image) for image in used), used
    assert re.search(r"^USER carbonsite$", dockerfile, re.MULTILINE)
    assert "HEALTHCHECK" in dockerfile


@pytest.mark.servers
@pytest.mark.slow
def test_the_services_started_in_their_order_do_the_main_job(composed):
    version = composed.call("POST", "models/", _multipart(lenet5()))["latest_version"]
    wait_for(lambda: composed.call("GET", f"versions/{version['id']}/")["status"] == "ready")
    profile = composed.call("GET", "profiles/")["results"][0]

    asked = {"version": version["id"], "profile": profile["id"], "effort": "quick"}
    run = composed.call("POST", "runs/", asked)
    wait_for(lambda: composed.call("GET", f"runs/{run['id']}/")["status"] == "done")

    ended = [line for line in composed.log("worker-measure") if line.get("ending")]
    assert [line["run_id"] for line in ended] == [run["id"]]
    assert ended[0]["request_id"] == REQUEST_ID


class Composed:
    """The services as processes of this machine, each with its log."""

    def __init__(self, folder, environment, port):
        self.folder, self.environment, self.port = folder, environment, port
        self.token = ""

    def start(self, name):
        command = self._here(OURS[name].get("command") or _default_command())
        with (self.folder / f"{name}.log").open("w") as log:
            return subprocess.Popen(command, cwd=ROOT, env=self.environment, stderr=log, stdout=log)

    def _here(self, command):
        words = command.split() if isinstance(command, str) else list(command)
        program = Path(sys.executable).parent / words[0]
        moved = {
            "--bind=0.0.0.0:8000": f"--bind=127.0.0.1:{self.port}",
            "--schedule=/tmp/beat-schedule": f"--schedule={self.folder / 'beat-schedule'}",
        }
        return [str(program), *(moved.get(word, word) for word in words[1:])]

    def log(self, name):
        lines = (self.folder / f"{name}.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def call(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}", "X-Request-ID": REQUEST_ID}
        if isinstance(body, dict):
            body, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        elif body:
            body, headers["Content-Type"] = body
        return self.ask(f"/api/v1/{path}", method, headers, body)

    def ask(self, path, method="GET", headers=None, body=None):
        known = {"Host": NAME, "X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}
        request = Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=body,
            method=method,
            headers=known | (headers or {}),
        )
        with urlopen(request, timeout=20) as response:
            return json.load(response)

    def is_ready(self):
        try:
            return self.ask("/readyz")["status"] == "ok"
        except (URLError, HTTPError, ConnectionError):
            return False


@pytest.fixture
def composed(tmp_path):
    with ExitStack() as stack:
        environment = stack.enter_context(_production(tmp_path))
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        services = Composed(tmp_path, environment, port)
        for name in TopologicalSorter(_needs()).static_order():
            if name not in OURS:
                continue
            process = services.start(name)
            if OURS[name].get("restart") == "no":
                assert process.wait(WITHIN_S) == 0, (tmp_path / f"{name}.log").read_text()
            else:
                stack.callback(_end, process)
        wait_for(services.is_ready)
        services.token = _manage(environment, "shell", "-c", NEW_TOKEN).splitlines()[-1]
        _manage(environment, "check", "--deploy", "--fail-level", "WARNING")
        yield services


@contextmanager
def _production(folder):
    """The environment that the compose file and its .env give, for servers of this machine."""
    name = f"carbonsite_compose_{os.getpid()}"
    server = urlsplit(os.environ["DATABASE_URL"])
    given = {
        **{key: value for key, value in os.environ.items() if key in {"PATH", "LANG", "HOME"}},
        **{key: str(value) for key, value in OURS["web"]["environment"].items()},
        "CARBONSITE_DATA": str(folder / "data"),
        "DATABASE_URL": server._replace(path=f"/{name}").geturl(),
        "REDIS_URL": os.environ["REDIS_URL"],
        "SECRET_KEY": uuid.uuid4().hex * 2,
        "ALLOWED_HOSTS": NAME,
        "HTTPS": "true",
        "PROXY_COUNT": "1",
        "LOG_FORMAT": "json",
    }
    with psycopg.connect(server._replace(path="/postgres").geturl(), autocommit=True) as door:
        door.execute(f"DROP DATABASE IF EXISTS {name}")
        door.execute(f"CREATE DATABASE {name}")
        yield given
        door.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _needs():
    return {name: set(one.get("depends_on", ())) for name, one in COMPOSE["services"].items()}


def _default_command():
    return json.loads(re.findall(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.M)[-1])


def _end(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _manage(environment, *arguments):
    answer = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def _multipart(content):
    border = uuid.uuid4().hex
    parts = [
        f'--{border}\r\nContent-Disposition: form-data; name="name"\r\n\r\nLeNet-5\r\n'.encode(),
        f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="a.onnx"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode(),
        content,
        f"\r\n--{border}--\r\n".encode(),
    ]
    return b"".join(parts), f"multipart/form-data; boundary={border}"


def wait_for(is_so):
    deadline_s = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < deadline_s, f"not within {WITHIN_S} s"
        time.sleep(0.2)
