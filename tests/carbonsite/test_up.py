"""``manage.py up``: the whole site with one command, gone without a trace when it ends."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from carbonsite.management.commands import up
from carbonsite.process_tree import descendants
from tests.carbonsite.test_supervisor import is_alive, wait_for
from tests.own_sites import own_environment

ROOT = Path(__file__).resolve().parent.parent.parent
READY_WITHIN_S = 120
END_WITHIN_S = 10
UNDER_WAY = (
    "from benchmarks.models import Run; "
    "print('under way:', Run.objects.filter(status='measuring').count())"
)
# web, its two processes, two workers, beat
PROCESS_COUNT = 6


class Site:
    """A site started by ``up``, and everything it has said."""

    def __init__(self, environment, port):
        self.environment = environment
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", f"--port={port}"],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.stdout:
            self.said += line

    def wait_until_ready(self):
        deadline_s = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline_s and self.process.poll() is None:
            if ready := re.search(r"carbonsite is ready: (\S+)", self.said):
                return ready.group(1)
            time.sleep(0.1)
        return pytest.fail(f"The site did not get ready. It said:\n{self.said}")

    def descendants(self):
        return descendants(self.process.pid)


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


@pytest.fixture
def environment(tmp_path):
    with own_environment(tmp_path / "data", purpose="up") as own:
        yield own


@pytest.fixture
def site(environment, taken_port):
    one = Site(environment, taken_port)
    yield one
    for pid in [*one.descendants(), one.process.pid]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    one.process.wait()


def manage(environment, *arguments):
    """What a management command prints, and its exit status."""
    answer = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=READY_WITHIN_S,
    )
    return answer.stdout + answer.stderr, answer.returncode


def statuses(url):
    """How the runs on the site's public models stand."""
    with urlopen(f"{url}api/v1/runs/") as response:
        return [run["status"] for run in json.load(response)["results"]]


def test_a_site_starts_measures_and_ends_without_a_trace(site, taken_port):
    url = site.wait_until_ready()

    assert f"Port {taken_port} is taken; using" in site.said
    assert manage(site.environment, "make_demo")[1] == 0
    wait_for(lambda: "done" in statuses(url), "the first measurement")
    wait_for(lambda: "measuring" in statuses(url), "the next measurement")
    processes = site.descendants()
    assert len(processes) >= PROCESS_COUNT

    began_s = time.monotonic()
    site.process.send_signal(signal.SIGINT)

    assert site.process.wait(END_WITHIN_S) == 0
    assert time.monotonic() - began_s < END_WITHIN_S
    assert [pid for pid in processes if is_alive(pid)] == []
    said, _ = manage(site.environment, "shell", "-c", UNDER_WAY)
    assert said.strip().endswith("under way: 0")


LINES = {
    "default  | 2026-11-23 22:00:00,123 INFO benchmarks.submission 1f2e Queued run 7": False,
    "measure  | 2026-11-23 22:00:00,123 DEBUG benchmarks.execution - Nothing waits": False,
    'web      | {"at": "2026-11-23 22:00:00,123", "level": "INFO", "message": "Queued"}': False,
    "measure  | 2026-11-23 22:00:00,123 WARNING benchmarks.cage - The cage is incomplete": True,
    'web      | {"at": "2026-11-23 22:00:00,123", "level": "ERROR", "message": "INFO"}': True,
    "web      | Traceback (most recent call last):": True,
    "web      | Subject: [carbonsite] Choose a new password": True,
    "carbonsite is ready: http://127.0.0.1:8000/  (Ctrl-C ends it)": True,
}


@pytest.mark.parametrize("line", LINES)
def test_a_terminal_shows_what_somebody_has_to_know(line, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)

    up.say(line)

    assert (line in capsys.readouterr().out) is LINES[line]


@pytest.mark.parametrize("line", LINES)
def test_a_program_that_collects_lines_gets_them_all(line, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)

    up.say(line)

    assert line in capsys.readouterr().out
