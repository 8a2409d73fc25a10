"""The parts of a site as docker-compose.yml starts them, as processes of this machine."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import yaml

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = {name: one for name, one in COMPOSE["services"].items() if one.get("build")}
WITHIN_S = 90
NAME = "carbonsite.example.org"
NEW_TOKEN = (
    "from tests.people import *; from accounts.models import ApiToken; user = owner(); "
    "a_profile(user); token, secret = ApiToken.objects.issue("
    "owner=user, name='compose', scope='write'); print(secret)"
)


def needs() -> dict[str, set[str]]:
    """For each service, what has to stand before it."""
    return {name: set(one.get("depends_on", ())) for name, one in COMPOSE["services"].items()}


def image_environment() -> dict[str, str]:
    """What the image sets, save where it finds its programs."""
    text = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2].replace("\\\n", "")
    (line,) = re.findall(r"^ENV (.*)$", text, re.MULTILINE)
    pairs = (one.split("=", 1) for one in line.split())
    return {name: value for name, value in pairs if name != "PATH"}


def production(folder: Path, *, database_url: str, redis_url: str) -> dict[str, str]:
    """The environment that image, compose file and .env give, for servers of this machine."""
    return {
        **{key: value for key, value in os.environ.items() if key in {"PATH", "LANG", "HOME"}},
        **image_environment(),
        **{key: str(value) for key, value in OURS["web"]["environment"].items()},
        "CARBONSITE_DATA": str(folder / "data"),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": uuid.uuid4().hex * 2,
        "ALLOWED_HOSTS": NAME,
        "HTTPS": "true",
        "PROXY_COUNT": "1",
        "LOG_FORMAT": "json",
        "LOG_REQUESTS": "true",
    }


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class Composed:
    """The services, each with its log; ``parts`` has those that run."""

    def __init__(self, folder: Path, environment: dict[str, str]):
        self.folder, self.environment, self.port = folder, environment, free_port()
        self.parts: dict[str, subprocess.Popen] = {}
        self.token = ""
        self.request_id = "none"

    def start(self, name: str) -> subprocess.Popen:
        """Start a service, or start it again."""
        command = self._here(OURS[name].get("command") or _default_command())
        with (self.folder / f"{name}.log").open("a") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment | {"COMPOSED_SERVICE": name},
                stderr=log,
                stdout=log,
            )
        self.parts[name] = process
        return process

    def end(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        """Send a service a signal, and wait until it has ended."""
        process = self.parts.pop(name)
        process.send_signal(how)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _here(self, command) -> list[str]:
        words = command.split() if isinstance(command, str) else list(command)
        program = Path(sys.executable).parent / words[0]
        moved = {
            "--bind=0.0.0.0:8000": f"--bind=127.0.0.1:{self.port}",
            "--schedule=/tmp/beat-schedule": f"--schedule={self.folder / 'beat-schedule'}",
        }
        return [str(program), *(moved.get(word, word) for word in words[1:])]

    def log(self, name: str) -> list[dict]:
        """The lines that a service has logged."""
        lines = (self.folder / f"{name}.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def call(self, method: str, path: str, body=None) -> dict:
        """Call the API as the owner."""
        headers = {"Authorization": f"Bearer {self.token}", "X-Request-ID": self.request_id}
        if isinstance(body, dict):
            body, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        elif body:
            body, headers["Content-Type"] = body
        return self.ask(f"/api/v1/{path}", method, headers, body)

    def ask(self, path: str, method: str = "GET", headers=None, body=None) -> dict:
        """Ask the web process as the proxy in front would."""
        known = {"Host": NAME, "X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}
        address = f"http://127.0.0.1:{self.port}{path}"
        request = Request(address, data=body, method=method, headers=known | (headers or {}))
        with urlopen(request, timeout=30) as response:
            return json.load(response)

    def is_ready(self) -> bool:
        """Whether all parts stand, by the site's own word."""
        try:
            return self.ask("/readyz")["status"] == "ok"
        except (URLError, ConnectionError):
            return False

    def manage(self, *arguments: str) -> str:
        """What a management command prints."""
        answer = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout.strip()


def multipart(content: bytes, *, name: str = "LeNet-5") -> tuple[bytes, str]:
    """The body and type of a form with a name and a file."""
    border = uuid.uuid4().hex
    parts = [
        f'--{border}\r\nContent-Disposition: form-data; name="name"\r\n\r\n{name}\r\n'.encode(),
        f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="a.onnx"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode(),
        content,
        f"\r\n--{border}--\r\n".encode(),
    ]
    return b"".join(parts), f"multipart/form-data; boundary={border}"


def wait_for(is_so, what: str = "it", within_s: float = WITHIN_S) -> None:
    """Wait until ``is_so()``, and fail when it takes too long."""
    deadline_s = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline_s, f"{what}: not within {within_s} s"
        time.sleep(0.1)


def _default_command() -> list[str]:
    return json.loads(re.findall(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.M)[-1])
