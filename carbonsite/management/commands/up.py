"""``manage.py up``: the whole site with one command, until Ctrl-C."""

import fcntl
import os
import re
import sys
from functools import partial
from typing import TextIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.core.management.color import color_style

from carbonsite import listening, preparation, programs
from carbonsite.supervisor import Supervisor

PORT = 8000
# A line of the log below a warning, as settings.LOGGING writes it: after the time, or in JSON.
ALL_IS_WELL = re.compile(r"^\w+ *\| (?:\S+ \S+ (?:DEBUG|INFO) |\{.*\"level\": \"(?:DEBUG|INFO)\")")


class Command(BaseCommand):
    help = "Prepare the site and run it: web, workers and clock. Ctrl-C ends everything."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=PORT, help="or the next free one after it")
        parser.add_argument(
            "--demo", action="store_true", help="add a demo account with measured models"
        )

    def handle(self, *, host, port, demo, **options):
        refuse_open_doors(host)
        os.chdir(settings.BASE_DIR)
        with lock_data_folder():
            preparation.prepare(self.stdout.write)
            try:
                listener = listening.listen(host, port)
            except listening.CannotListen as error:
                raise CommandError(str(error)) from error
            with listener:
                self._note_port(listener, wanted=port)
                sys.exit(supervise(listener, with_demo=demo))

    def _note_port(self, listener, *, wanted):
        port = listener.getsockname()[1]
        if wanted not in {0, port}:
            self.stdout.write(f"Port {wanted} is taken; using {port} instead.")


def supervise(listener, *, with_demo) -> int:
    """Run the site's programs until a signal ends them; return the exit status."""

    def on_ready(supervisor):
        supervisor.say(f"carbonsite is ready: {listening.url_of(listener)}  (Ctrl-C ends it)")
        supervisor.say(f"What it does from now on is in {supervisor.log_folder}")
        # Only now: two cores start the web server faster when it has them to itself.
        behind = programs.background(settings.DATA_DIR)
        for program in [*behind, programs.demo()] if with_demo else behind:
            supervisor.add(program)

    host_header = settings.ALLOWED_HOSTS[0].lstrip(".*") or "localhost"
    supervisor = Supervisor(
        log_folder=settings.DATA_DIR / "log",
        say=say,
        is_ready=partial(listening.answers, listener, path="/healthz", host_header=host_header),
        on_ready=on_ready,
    )
    supervisor.add(programs.web(listener.fileno()))
    return supervisor.run()


def say(line: str) -> None:
    """Print what a program said; its warnings in yellow, where the terminal has colours.

    A person at a terminal is spared the lines that only say that all goes well; programs that
    collect what is printed get every line, and the log folder has them in any case.
    """
    if sys.stdout.isatty() and ALL_IS_WELL.search(line):
        return
    print(color_style().WARNING(line) if " WARNING " in line else line, flush=True)


def refuse_open_doors(host: str) -> None:
    """Raise CommandError for an address that strangers reach, unless names are set for it."""
    if not listening.is_loopback(host) and settings.ALLOWED_HOSTS == settings.LOOPBACK_HOSTS:
        raise CommandError(
            f"{host} can be reached from other machines, and ALLOWED_HOSTS is not set. "
            "Set it to the names under which the site will be visited, as in "
            "ALLOWED_HOSTS=carbonsite.example.org ./run --host 0.0.0.0"
        )


def lock_data_folder() -> TextIO:
    """Return the open lock of the data folder; it is released when its process ends.

    Raises CommandError when another ``up`` holds it.
    """
    lock = (settings.DATA_DIR / "up.lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise CommandError(
            f"carbonsite already runs on {settings.DATA_DIR}. End that one first, or give this "
            "one a data folder of its own: CARBONSITE_DATA=/path/to/folder ./run"
        ) from None
    return lock
