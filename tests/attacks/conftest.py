"""The site behind its real web server, and two doors to it: with a proxy in front and without."""

import itertools
import json
import signal
import subprocess
import sys
from dataclasses import dataclass

import pytest
from django.core.signals import got_request_exception

from tests.attacks.wire import Answer, Wire, form, head
from tests.composed import NAME, ROOT, Composed, production, wait_for
from tests.faults import invariants

MAX_UPLOAD_BYTES = 2 * 1024 * 1024
QUOTA_BYTES = 6 * 1024 * 1024
# What a site may answer when it has no room or its database is away.
HONEST_FAULTS = {503, 507}
# Numbers for names: the site lives as long as the session does.
ATTACKERS = itertools.count(1)


class Insider:
    """A process with the site's own settings and data (tests/attacks/insider.py)."""

    def __init__(self, environment: dict[str, str]):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.attacks.insider"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, question: str, **arguments):
        """The value of one of the insider's functions.

        Raises:
            AssertionError: The function failed; the message is its traceback.
        """
        self.process.stdin.write(json.dumps([question, arguments]) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "failure" in answer:
            raise AssertionError(answer["failure"])
        return answer["value"]

    def leave(self) -> None:
        self.process.stdin.close()
        self.process.wait(10)


@dataclass(frozen=True, slots=True)
class Attacker:
    """Somebody with an account, who means no good."""

    name: str
    token: str
    session: str
    id: str

    @property
    def bearer(self) -> str:
        return f"Authorization: Bearer {self.token}"

    @property
    def cookie(self) -> str:
        return f"Cookie: sessionid={self.session}; csrftoken={'a' * 32}"


class Door(Composed):
    """A site's web server under attack; ``lines`` are what the proxy in front would add."""

    def __init__(self, folder, environment: dict[str, str], *, host: str, lines=()):
        super().__init__(folder, environment)
        self.host, self.lines = host, lines

    def open(self) -> None:
        """Start the web server and wait until it answers."""
        self.start("web")
        wait_for(self.is_open, "the web server")

    def is_open(self) -> bool:
        """Whether the process answers."""
        try:
            return self.say("GET", "/healthz").status == 200
        except ConnectionError:
            return False

    def wire(self) -> Wire:
        return Wire(self.port)

    def head(self, method: str, path: str, *lines: str) -> bytes:
        """The beginning of a request that came by the proxy."""
        return head(method, path, *self.lines, *lines, host=self.host)

    def say(self, method: str, path: str, *lines: str, body: bytes = b"") -> Answer:
        """Send one whole request and return its answer."""
        if body:
            lines = (*lines, f"Content-Length: {len(body)}")
        with self.wire() as wire:
            wire.send(self.head(method, path, *lines, "Connection: close"), body)
            return wire.answer()

    def upload(self, who: Attacker, content: bytes, *, name="model", file_name="m.onnx") -> Answer:
        """Send a model as a script does."""
        body, kind = form(("name", None, name.encode()), ("file", file_name, content))
        kind = f"Content-Type: {kind}"
        return self.say("POST", "/api/v1/models/", who.bearer, kind, body=body)

    def faults_answered(self) -> list[dict]:
        """Requests that were answered with a fault of ours."""
        return [
            line
            for line in self.log("web")
            if line.get("status", 0) >= 500 and line["status"] not in HONEST_FAULTS
        ]


@pytest.fixture(autouse=True)
def nothing_broken(request):
    """After each case within this process too: no fault of ours, and every file in its place.

    Its runs are rows that the case has made up; what they stand for did not happen.
    """
    marker = request.node.get_closest_marker("django_db")
    if marker is None:
        yield
        return
    request.getfixturevalue("transactional_db" if marker.kwargs.get("transaction") else "db")
    known, faults = invariants.broken_files(), []

    def note(sender, **_):
        faults.append(sys.exc_info()[1])

    got_request_exception.connect(note)
    yield
    got_request_exception.disconnect(note)
    if not request.node.get_closest_marker("breaks_a_page"):
        assert faults == []
    if not request.node.get_closest_marker("takes_rows_back"):
        assert [one for one in invariants.broken_files() if one not in known] == []


@pytest.fixture(scope="session")
def attacked(tmp_path_factory):
    """A site with its web server, on SQLite, and somebody inside."""
    folder = tmp_path_factory.mktemp("attacks")
    environment = production(folder, database_url="", redis_url="") | {
        "MAX_UPLOAD_BYTES": str(MAX_UPLOAD_BYTES),
        "USER_QUOTA_BYTES": str(QUOTA_BYTES),
        "FREE_DISK_FLOOR_BYTES": "0",
        "API_RATE_ANONYMOUS": "100000/min",
    }
    for name in ("DATABASE_URL", "REDIS_URL"):
        del environment[name]
    proxied = ("X-Forwarded-Proto: https", "X-Forwarded-For: 198.51.100.7")
    door = Door(folder, environment, host=NAME, lines=proxied)
    assert door.start("prepare").wait(90) == 0
    insider = Insider(environment)
    door.open()
    yield door, insider
    insider.leave()
    for part in list(door.parts):
        door.end(part, signal.SIGKILL)


@pytest.fixture
def insider(attacked):
    """Somebody inside the attacked site."""
    return attacked[1]


@pytest.fixture
def door(attacked):
    """The site; afterwards nothing may be broken, and no request answered with a fault."""
    door, insider = attacked
    yield door
    wait_for(lambda: insider.ask("part_bytes") == 0, "unfinished uploads to go", within_s=10)
    assert insider.ask("broken") == []
    assert door.faults_answered() == []


@pytest.fixture
def newcomer(insider):
    """A maker of users who have nothing yet."""

    def make(**fields) -> Attacker:
        name = f"attacker-{next(ATTACKERS)}"
        return Attacker(name=name, **insider.ask("new_user", name=name, **fields))

    return make


@pytest.fixture
def impatient_door(attacked, tmp_path_factory):
    """The same site, which gives an upload a second of grace below 1 MB/s."""
    door, _ = attacked
    folder = tmp_path_factory.mktemp("impatient")
    hurried = {"UPLOAD_GRACE_S": "1", "UPLOAD_SLOWEST_BYTES_PER_S": "1000000"}
    impatient = Door(folder, door.environment | hurried, host=NAME, lines=door.lines)
    impatient.open()
    yield impatient
    impatient.end("web", signal.SIGKILL)
    assert impatient.faults_answered() == []


@pytest.fixture
def bare_door(attacked, tmp_path_factory):
    """The same site without a proxy: plain HTTP, no forwarded header believed."""
    door, insider = attacked
    insider.ask("forget_counts")
    folder = tmp_path_factory.mktemp("bare")
    environment = {**door.environment, "HTTPS": "false", "PROXY_COUNT": "0"}
    environment["API_RATE_ANONYMOUS"] = "5/min"
    bare = Door(folder, environment, host=NAME)
    bare.open()
    yield bare
    bare.end("web", signal.SIGKILL)
    assert bare.faults_answered() == []
