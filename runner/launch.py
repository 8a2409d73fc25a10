"""The parent's side of a child: start it with little, watch it, end it in time."""

import contextlib
import math
import os
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from runner.channel import PARENT_PID_VARIABLE, Complaints, Listener
from runner.endings import failure_of_exit
from runner.errors import Nonsense
from runner.given_files import NO_FILE
from runner.job import Job
from runner.limits import PROFILE_NAME, MemoryRule
from runner.results import Failure, Progress, Result, read_answer
from runner.text_locale import child_locale

TICK_S = 0.2
SHORT_TICK_S = 0.02
KIB = 1024

# Given the progress so far (None before the first word); a text stops the child, as the reason.
OnTick = Callable[[Progress | None], str | None]


class Child:
    """One running `python -m runner --caged`, in its own process group.

    The child dies with the thread that started it, so start and watch it from one thread.
    """

    def __init__(
        self,
        job: Job,
        process: "subprocess.Popen[bytes]",
        listener: Listener,
        complaints: Complaints,
        *,
        memory_limit_bytes: int,
    ) -> None:
        self.job = job
        self._process = process
        self._listener = listener
        self._complaints = complaints
        self._last_progress: Progress | None = None
        self._deadline_s = time.monotonic() + job.effective_limits.wall_s
        self._stopped: Failure | None = None
        self._answer: bytes | None = None
        self._memory_limit_bytes = memory_limit_bytes
        self._peak_bytes = 0

    @classmethod
    def start(cls, job: Job, work_dir: Path) -> "Child":
        """Start the child in ``work_dir``, an existing folder that is its alone.

        Raises OSError when no process can be started.
        """
        work_dir = work_dir.resolve()
        (work_dir / "job.json").write_text(job.to_json(), encoding="utf-8")
        listener, complaints = Listener(), Complaints()
        files = [_open_for(path) for path in job.files]
        opened = [one for one in files if one != NO_FILE]
        file_bytes = sum(os.fstat(one).st_size for one in opened)
        try:
            process = subprocess.Popen(
                _command(work_dir, listener.descriptor, files),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints.write_end,
                cwd=work_dir,
                env=child_environment(work_dir),
                pass_fds=[listener.descriptor, *opened],
                start_new_session=True,
            )
        except OSError:
            listener.close()
            complaints.close()
            raise
        finally:
            complaints.close_write_end()
            for descriptor in opened:
                os.close(descriptor)
        limit_bytes = MemoryRule().limit_bytes(job, file_bytes=file_bytes)
        return cls(job, process, listener, complaints, memory_limit_bytes=limit_bytes)

    @property
    def pid(self) -> int:
        """The child's process id, which is its group's too."""
        return self._process.pid

    def poll(self) -> bool:
        """Whether the child has ended; one that is past its time is ended here."""
        self._complaints.listen()
        if not self._has_ended() and time.monotonic() > self._deadline_s:
            self.kill(_out_of_time(self.job))
        return self._has_ended()

    def wait(self, timeout_s: float) -> None:
        """Wait until the child ends, at most ``timeout_s``."""
        if self._has_ended():
            return
        try:
            descriptor = os.pidfd_open(self.pid)
        # Kernels before 5.3 and other systems have no such thing, and some containers forbid it.
        except (OSError, AttributeError):
            time.sleep(min(timeout_s, SHORT_TICK_S))
            return
        try:
            select.select([descriptor], [], [], timeout_s)
        finally:
            os.close(descriptor)

    def progress(self) -> Progress | None:
        """What the child last said, None before its first word."""
        text = self._listener.progress()
        if text is not None:
            with contextlib.suppress(Nonsense):
                self._last_progress = Progress.from_json(text)
        return self._last_progress

    def kill(self, why: Failure | None = None) -> None:
        """End the child and all that it started, at once; ``why`` becomes its outcome."""
        if not self._has_ended():
            self._stopped = why or Failure("killed", "The measurement was stopped.")
        self._end_group()

    def outcome(self) -> Result | Failure:
        """Wait for the child to end, and return what came of it."""
        while not self.poll():
            self.wait(TICK_S)
        exit_status = self._end_group()
        if self._stopped is not None:
            return self._stopped
        if exit_status != 0:
            ratio = self._peak_bytes / self._memory_limit_bytes
            return failure_of_exit(exit_status, self._complaints.text(), memory_ratio=ratio)
        return self._read_outcome()

    def _read_outcome(self) -> Result | Failure:
        if self._answer is None:
            return Failure("no_result", "The measurement ended without a result. Run it again.")
        try:
            return read_answer(self._answer, kind=self.job.kind)
        except Nonsense as error:
            return Failure(
                "nonsense_result",
                f"The measurement's result cannot be trusted and was thrown away ({error}).",
            )

    def _has_ended(self) -> bool:
        if self._process.returncode is not None:
            return True
        # WNOWAIT leaves the child unreaped, so its id, the group's too, is not given away.
        if hasattr(os, "waitid"):
            flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
            return os.waitid(os.P_PID, self._process.pid, flags) is not None
        return self._process.poll() is not None

    def _end_group(self) -> int:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._reap()
        if self._listener.is_open:
            self._complaints.listen()
            self._answer = self._listener.answer()
            self._complaints.close()
            self._listener.close()
        return self._process.wait()

    def _reap(self) -> None:
        """Wait for the child's end, and note the most memory that it held, 0 where not known."""
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        # A child begins with its parent's peak: only what is above that is its own.
        self._peak_bytes = usage.ru_maxrss * KIB if usage.ru_maxrss > _own_peak_kib() else 0


def run(
    job: Job, work_dir: Path, *, on_tick: OnTick | None = None, tick_s: float = TICK_S
) -> Result | Failure:
    """Do ``job`` in a child and return what came of it.

    ``on_tick`` is called about every ``tick_s``; when it returns a text the child is killed and
    the outcome is a Failure with the code ``stopped`` and that text. Whatever ends this
    function, an exception of ``on_tick`` included, ends the child.
    """
    child = Child.start(job, work_dir)
    try:
        while not child.poll():
            reason = on_tick(child.progress()) if on_tick else None
            if reason is not None:
                child.kill(Failure("stopped", reason))
            else:
                child.wait(tick_s)
        return child.outcome()
    finally:
        child.kill()
        (work_dir / PROFILE_NAME).unlink(missing_ok=True)


def _own_peak_kib() -> float:
    """The most memory that this process has held since it began to be this program.

    getrusage's peak has in it that of whoever started this process, which no child begins with.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return math.inf
    return next((float(line.split()[1]) for line in lines if line.startswith("VmHWM:")), math.inf)


def _open_for(path: str) -> int:
    """The file at ``path``, open for reading only; NO_FILE where there is no plain file to open."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return NO_FILE
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return NO_FILE


def _command(work_dir: Path, channel: int, files: Sequence[int]) -> list[str]:
    given = ",".join(map(str, files))
    return [*python_command(), "--caged", str(work_dir / "job.json"), str(channel), given]


def python_command() -> list[str]:
    """Return how `python -m runner` is called by a program."""
    # -P and -s: neither the work folder nor a user's site-packages may supply modules.
    return [sys.executable, "-P", "-s", "-m", "runner"]


def child_environment(work_dir: Path) -> dict[str, str]:
    """Everything that the child may know of its surroundings: no secrets, no settings."""
    language = child_locale()
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
        "PYTHONUTF8": "1",
        "PYTHONHASHSEED": "0",
        "HOME": str(work_dir),
        "TMPDIR": str(work_dir),
        "LC_ALL": language,
        "LANG": language,
        "ORT_DISABLE_TELEMETRY": "1",
        # numpy would start a thread per core, which the model's own figures then include.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        PARENT_PID_VARIABLE: str(os.getpid()),
    }


def _out_of_time(job: Job) -> Failure:
    wall_s = job.effective_limits.wall_s
    if job.kind == "inspect":
        return Failure(
            "out_of_time",
            f"Reading the file took longer than the {wall_s:.3g} s allowed, so it was stopped. "
            "The model is too large or too intricate for carbonsite.",
        )
    if job.kind == "profile":
        return Failure(
            "out_of_time",
            f"Running it once more, without optimisations, took longer than the {wall_s:.3g} s "
            "allowed for that.",
        )
    if job.kind == "evaluate":
        return Failure(
            "out_of_time",
            f"Running the evaluation set took longer than the {wall_s:.3g} s allowed for that. Use "
            "fewer items.",
        )
    return Failure(
        "out_of_time",
        f"The model had not finished after the {wall_s:.3g} s allowed and was stopped. "
        "Try smaller inputs, a smaller batch or the quick effort.",
    )
