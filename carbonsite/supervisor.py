"""How several programs run as one: started, watched, started again, and ended together."""

import logging
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from logging.handlers import RotatingFileHandler
from pathlib import Path

from carbonsite import process_tree

TICK_S = 0.2
# Ctrl-C ends everything within 10 s: this long to end in order, then by force.
GRACE_S = 5
FORCE_S = 2
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30
# A program that ran this long has recovered: its next pause is short again.
RECOVERED_AFTER_S = 30
FAILURES_BEFORE_READY = 3
PROBE_EVERY_S = 0.5
LOG_BYTES = 5_000_000
LONGEST_LINE_BYTES = 64_000
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Program:
    """A command to keep running, or, unless ``is_lasting``, to run once."""

    name: str
    command: tuple[str, ...]
    is_lasting: bool = True
    descriptors: tuple[int, ...] = ()


@dataclass(slots=True)
class Child:
    """A program as it runs now, and how often it failed of late."""

    program: Program
    log: RotatingFileHandler
    process: subprocess.Popen[bytes] | None = None
    unfinished_line: bytes = b""
    started_at_s: float = 0.0
    due_at_s: float | None = None
    failure_count: int = 0

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


@dataclass(slots=True)
class Supervisor:
    """Runs programs until a signal says stop; ``run`` returns the exit status."""

    log_folder: Path
    is_ready: Callable[[], bool]
    on_ready: Callable[["Supervisor"], None]
    say: Callable[[str], None] = partial(print, flush=True)
    grace_s: float = GRACE_S
    children: list[Child] = field(default_factory=list)
    has_been_ready: bool = False
    stop_count: int = 0
    exit_status: int = 0
    _probe_due_s: float = 0.0
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def add(self, program: Program) -> None:
        """Run ``program`` from the next tick on."""
        self.log_folder.mkdir(parents=True, exist_ok=True)
        log = RotatingFileHandler(
            self.log_folder / f"{program.name}.log",
            maxBytes=LOG_BYTES,
            backupCount=1,
            delay=True,
        )
        self.children.append(Child(program, log, due_at_s=time.monotonic()))

    def run(self) -> int:
        """Keep the programs running; return when asked to stop, with none of them left."""
        process_tree.adopt_orphans()
        previous = {number: signal.signal(number, self._ask_to_stop) for number in STOP_SIGNALS}
        try:
            while not self.stop_count:
                self._start_due()
                self._read_output()
                self._note_deaths()
                self._note_readiness()
        finally:
            self._stop_all()
            for number, handler in previous.items():
                signal.signal(number, handler)
        return self.exit_status

    def _ask_to_stop(self, *_: object) -> None:
        self.stop_count += 1

    def _start_due(self) -> None:
        now = time.monotonic()
        for child in self.children:
            if child.due_at_s is not None and child.due_at_s <= now:
                self._start(child)

    def _start(self, child: Child) -> None:
        # In a session of its own, so that Ctrl-C reaches only this process, which then
        # ends the others in order. The parent-death signal follows the starting thread:
        # this is the main one.
        child.process = subprocess.Popen(
            child.program.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=process_tree.die_with_parent,
            pass_fds=child.program.descriptors,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        os.set_blocking(child.process.stdout.fileno(), False)
        self._selector.register(child.process.stdout, selectors.EVENT_READ, child)
        child.started_at_s, child.due_at_s = time.monotonic(), None

    def _read_output(self) -> None:
        for key, _ in self._selector.select(TICK_S):
            text = b""
            with suppress(BlockingIOError):
                text = os.read(key.fd, LONGEST_LINE_BYTES)
                if not text:
                    self._selector.unregister(key.fileobj)
                    key.fileobj.close()
            self._pass_on(key.data, text)

    def _pass_on(self, child: Child, text: bytes) -> None:
        *lines, rest = (child.unfinished_line + text).split(b"\n")
        if len(rest) > LONGEST_LINE_BYTES:
            lines, rest = [*lines, rest], b""
        child.unfinished_line = rest
        for line in lines:
            self._tell(child, line.decode(errors="replace"))

    def _tell(self, child: Child, line: str) -> None:
        self.say(f"{child.program.name:<8} | {line}")
        stamped = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}"
        child.log.emit(logging.makeLogRecord({"msg": stamped}))

    def _note_deaths(self) -> None:
        for child in self.children:
            if child.process is None or child.is_alive:
                continue
            status, child.process = child.process.returncode, None
            if child.program.is_lasting:
                self._plan_restart(child, status)
            elif status:
                self._tell(child, f"ended with {describe(status)}")

    def _plan_restart(self, child: Child, status: int) -> None:
        now = time.monotonic()
        if now - child.started_at_s > RECOVERED_AFTER_S:
            child.failure_count = 0
        child.failure_count += 1
        if not self.has_been_ready and child.failure_count >= FAILURES_BEFORE_READY:
            self._give_up(child)
            return
        pause_s = min(FIRST_PAUSE_S * 2 ** (child.failure_count - 1), LONGEST_PAUSE_S)
        child.due_at_s = now + pause_s
        self._tell(child, f"ended with {describe(status)}; starting it again in {pause_s:g} s")

    def _give_up(self, child: Child) -> None:
        if not self.stop_count:
            log = self.log_folder / f"{child.program.name}.log"
            self.say(f"The site cannot start: {child.program.name} keeps ending. Why is in {log}")
        self.exit_status, self.stop_count = 1, 1

    def _note_readiness(self) -> None:
        if self.has_been_ready or self.stop_count or time.monotonic() < self._probe_due_s:
            return
        if self.is_ready():
            self.has_been_ready = True
            self.on_ready(self)
        self._probe_due_s = time.monotonic() + PROBE_EVERY_S

    def _stop_all(self) -> None:
        for child in self.children:
            if child.is_alive:
                child.process.terminate()
        self._read_until_gone(self.grace_s, stop_count=self.stop_count)
        deadline_s = time.monotonic() + FORCE_S
        while process_tree.kill_descendants(os.getpid()) and time.monotonic() < deadline_s:
            self._read_output()
        self._read_output()
        for child in self.children:
            if child.process is not None:
                child.process.wait()
            child.log.close()
        process_tree.reap_orphans()

    def _read_until_gone(self, timeout_s: float, *, stop_count: int) -> None:
        """Wait until every child has ended, the time is up, or someone insists."""
        deadline_s = time.monotonic() + timeout_s
        while any(child.is_alive for child in self.children):
            if time.monotonic() > deadline_s or self.stop_count > stop_count:
                return
            self._read_output()


def describe(status: int) -> str:
    """Return an exit status in words: "status 3" or "SIGKILL"."""
    return signal.Signals(-status).name if status < 0 else f"status {status}"
