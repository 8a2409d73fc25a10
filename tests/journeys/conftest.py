"""A whole site of its own for the journeys: web, workers and clock, and a real browser."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, Queue

import pytest

ROOT = Path(__file__).parent.parent.parent
READY = re.compile(r"carbonsite is ready: (\S+)")
READY_WITHIN_S = 120
ENDS_WITHIN_S = 15
ADMIN = "admin"
ADMIN_PASSWORD = "correct horse 4 battery"


@dataclass(frozen=True, slots=True)
class Site:
    """A running site, and the environment of its commands."""

    url: str
    environment: dict[str, str]

    def at(self, host):
        """The same site by another of its names."""
        return replace(self, url=self.url.replace("127.0.0.1", host))

    def manage(self, *arguments, **extra):
        """Run a management command on the site's data."""
        subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment | extra,
            check=True,
            capture_output=True,
        )


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The site as ``./run`` starts it, on a folder of its own and in more of a hurry."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.journeys.settings",
        "CARBONSITE_DATA": str(tmp_path_factory.mktemp("site")),
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up", "--port", "0"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = _lines_of(process)
    try:
        site = Site(_wait_for_url(lines), environment)
        site.manage(
            "createsuperuser",
            "--noinput",
            DJANGO_SUPERUSER_USERNAME=ADMIN,
            DJANGO_SUPERUSER_PASSWORD=ADMIN_PASSWORD,
            DJANGO_SUPERUSER_EMAIL="admin@example.org",
        )
        yield site
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(ENDS_WITHIN_S)


def _lines_of(process):
    lines = Queue()

    def read():
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def _wait_for_url(lines):
    said = []
    while True:
        try:
            line = lines.get(timeout=READY_WITHIN_S)
        except Empty:
            pytest.fail("the site did not start in time:\n" + "".join(said))
        if line is None:
            pytest.fail("the site ended before it was ready:\n" + "".join(said))
        said.append(line)
        if found := READY.search(line):
            return found[1].rstrip("/")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {
        **browser_type_launch_args,
        "executable_path": shutil.which("chromium"),
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }


@pytest.fixture
def visitor(site, page):
    """A browser at the site's door; complaints of its console fail the test."""
    complaints = []
    page.on("console", lambda message: _note(complaints, message))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_default_timeout(20_000)
    page.goto(site.url)
    yield page
    assert complaints == []


def _note(complaints, message):
    # A 404 that a test asks for is reported by the browser too: the test says it expects it.
    if message.type == "error" and "404" not in message.text:
        complaints.append(message.text)
