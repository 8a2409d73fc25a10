"""What holds after every fault, whatever it was; run on the site's own data."""

import hashlib
import os
from pathlib import Path

from django.conf import settings
from django.db.models import Count

from accounts.models import User
from benchmarks.folders import incoming_folder, work_folder
from benchmarks.models import Estimate, Measurement, Run
from benchmarks.received import stored_bytes


def broken() -> list[str]:
    """Return a sentence for each thing that does not hold."""
    return [*_runs(), *_results(), *broken_files()]


def broken_files() -> list[str]:
    """Return a sentence for each stored file, quota or leftover that is not as it should be."""
    return [*_files(), *_leftovers()]


def _runs():
    for run in Run.objects.exclude(status__in=["done", "failed", "cancelled"]):
        yield f"run {run.pk} has not ended: {run.status}"
    for run in Run.objects.filter(claim_token__isnull=False):
        yield f"run {run.pk} is over and still claimed"


def _results():
    measured = set(Measurement.objects.values_list("run_id", flat=True))
    done = set(Run.objects.done().values_list("pk", flat=True))
    if measured != done:
        yield f"runs done without a result, or with one and not done: {measured ^ done}"
    headlines = Estimate.objects.filter(is_headline=True).values("run").annotate(n=Count("pk"))
    if {row["run"]: row["n"] for row in headlines} != dict.fromkeys(done, 1):
        yield "a done run has no estimate, or two"


def _files():
    stored = [
        path
        for path in Path(settings.MEDIA_ROOT).rglob("*")
        if path.is_file() and path.parent != incoming_folder()
    ]
    for path in stored:
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.stem:
            yield f"{path.name} is not what its name says"
    on_disk = sum(path.stat().st_size for path in stored)
    counted = sum(stored_bytes(user) for user in User.objects.all())
    if on_disk != counted:
        yield f"{on_disk} bytes are stored, and {counted} counted against quotas"


def _leftovers():
    yield from (f"left behind: {path}" for path in incoming_folder().glob("*.part"))
    yield from (f"left behind: {path}" for path in work_folder().iterdir())
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
            where = os.readlink(process / "cwd")
        except OSError:
            continue
        if b"runner" in command and where.startswith(str(settings.DATA_DIR)):
            yield f"a child still runs: {process.name}"
