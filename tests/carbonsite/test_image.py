"""The Dockerfile, as far as it can be held to its word without an engine."""

import json
import os
import re
import subprocess
import sys
import threading
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import PurePosixPath

import pytest

from tests.composed import NAME, OURS, ROOT, Composed, image_environment, production

pytestmark = pytest.mark.one_back_end
SECRETS = ("SECRET", "PASSWORD", "TOKEN", "KEY=")
# Nothing of a site that runs here, of its history or of its developers' machines.
NEVER_COPIED = (".git/HEAD", ".env", ".venv/bin/python", "var/secret_key", "node_modules/x/y.js")
NEVER_COPIED += ("var/carbonsite.sqlite3", "benchmarks/__pycache__/x.pyc", "tests/conftest.py")
# What this machine needs otherwise than a container.
MOVED = ("--bind=", "--schedule=")


def instructions():
    """The Dockerfile as (stage number, instruction, its words), comments and line ends aside."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    stage, found = -1, []
    for line in text.replace("\\\n", "").splitlines():
        name, _, rest = line.strip().partition(" ")
        stage += name == "FROM"
        if name:
            found.append((stage, name, rest.strip()))
    return found


def of_kind(kind, stage=None):
    return [rest for at, name, rest in instructions() if name == kind and stage in {None, at}]


LAST = max(at for at, _, _ in instructions())


def is_ignored(path):
    """Whether .dockerignore keeps a file out."""
    parts = PurePosixPath(path).parts
    beginnings = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    for pattern in (ROOT / ".dockerignore").read_text().split():
        anywhere = pattern.removeprefix("**/")
        tried = parts if anywhere != pattern else beginnings
        if any(fnmatch(one, anywhere) for one in tried):
            return True
    return False


def test_every_instruction_is_one_that_is_needed():
    known = {"FROM", "RUN", "COPY", "WORKDIR", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK"}

    # ADD fetches and unpacks; ONBUILD and SHELL surprise.
    assert {name for _, name, _ in instructions()} == known | {"CMD"}


def test_what_is_copied_is_there_and_not_ignored():
    names = [re.search(r" AS (\S+)", one)[1] for one in of_kind("FROM") if " AS " in one]

    for rest in of_kind("COPY"):
        *options_and_sources, _ = rest.split()
        stages = [one.removeprefix("--from=") for one in options_and_sources if "--from=" in one]
        if stages:
            assert stages[0] in names
            continue
        for source in options_and_sources:
            assert (ROOT / source).exists(), source
            assert not is_ignored(source), source


@pytest.mark.parametrize("path", NEVER_COPIED)
def test_what_is_private_stays_out_of_the_image(path):
    assert is_ignored(path)


@pytest.mark.parametrize("path", ["manage.py", "carbonsite/settings.py", "static/js/chart.js"])
def test_what_is_ours_comes_into_the_image(path):
    assert not is_ignored(path)


def test_packages_come_by_their_hashes_alone():
    (install,) = [one for one in of_kind("RUN") if "pip install" in one]
    files = re.findall(r"-r (\S+)", install)

    assert "--require-hashes" in install
    assert "requirements.txt" in files
    for file in files:
        text = re.sub(r"^\s*#.*\n", "", (ROOT / file).read_text(), flags=re.MULTILINE)
        packages = text.replace("\\\n", "").splitlines()
        assert packages
        assert all("==" in one and "--hash=sha256:" in one for one in packages if one.strip())


def test_it_runs_as_somebody_who_owns_nothing_but_the_data():
    kinds = [name for at, name, _ in instructions() if at == LAST]
    (user,) = of_kind("USER", LAST)
    made = " ".join(of_kind("RUN", LAST))

    assert re.search(rf"useradd .*--uid [1-9]\d{{3,}} .*{user}", made)
    assert f"install -d -o {user} -g {user} /data" in made
    assert not {"RUN", "COPY"} & set(kinds[kinds.index("USER") :])


def test_no_secret_is_baked_in():
    for rest in of_kind("ENV") + of_kind("RUN"):
        assert not any(word in rest for word in SECRETS), rest


def test_its_settings_are_those_that_the_tests_start_the_site_with(tmp_path):
    started_with = production(tmp_path, database_url="x", redis_url="y")

    assert image_environment()["ORT_DISABLE_TELEMETRY"] == "1"
    assert image_environment().items() <= started_with.items() | {
        ("CARBONSITE_DATA", "/data"),
    }
    for service in OURS.values():
        assert set(service["environment"]) <= set(started_with)


@pytest.mark.parametrize("name", OURS)
def test_the_tests_start_each_service_by_its_own_command(name, tmp_path, monkeypatch):
    commands = []
    monkeypatch.setattr(
        "tests.composed.subprocess.Popen", lambda command, **_: commands.append(command)
    )

    Composed(tmp_path, {}).start(name)

    command = OURS[name].get("command") or json.loads(of_kind("CMD")[0])
    wanted = command.split() if isinstance(command, str) else command
    (used,) = commands
    assert used[0].endswith(f"/{wanted[0]}")
    assert os.access(used[0], os.X_OK)
    assert len(used) == len(wanted)
    for here, there in zip(used[1:], wanted[1:], strict=True):
        assert here == there or there.startswith(MOVED) and here.startswith(MOVED)


@pytest.mark.parametrize(("status", "exit_status"), [(200, 0), (503, 1)])
def test_its_health_check_asks_under_the_sites_own_name(status, exit_status):
    asked = []

    class Site(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers["Host"]))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        answer = run_the_health_check(server.server_address[1])
        server.shutdown()

    assert (answer.returncode != 0) == exit_status
    assert asked == [("/healthz", NAME)]


def run_the_health_check(port):
    """Do what the image's health check does, on another port."""
    command = json.loads(of_kind("HEALTHCHECK")[0].partition("CMD ")[2])
    *_, code = command
    return subprocess.run(
        [sys.executable, "-c", code.replace(":8000/", f":{port}/")],
        env={**os.environ, "ALLOWED_HOSTS": f"{NAME},www.example.org"},
        capture_output=True,
        check=False,
        timeout=30,
    )
