"""``manage.py make_demo``: an account with the article's two models, measured here for real."""

import secrets
import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from benchmarks.models import ModelVersion, OnnxModel, Run
from benchmarks.submission import RunSettings, submit_run
from benchmarks.uploads import VersionDetails, receive_model, received_from_bytes
from hardware.models import HardwareProfile, Processor, Zone
from runner.sample_models import lenet5, mlp

USERNAME = "demo"
RUNS_PER_PROFILE = 3
INSPECTION_DEADLINE_S = 120
POLL_S = 0.3
MODELS = {
    "LeNet-5": ("lenet5.onnx", lenet5),
    "MLP 784-512-256-120-84-10": ("mlp.onnx", mlp),
}


class Command(BaseCommand):
    help = (
        "Add a demo account with the article's two models, two machines, and measurements "
        "of each on each. Safe to run again. Needs running workers."
    )

    def handle(self, **_options):
        owner = self._owner()
        profiles = [laptop(owner), cloud_server(owner)]
        versions = [ready(version(owner, name)) for name in MODELS]
        submitted_count = submit_missing(owner, versions, profiles)
        if submitted_count:
            self.stdout.write(f"{submitted_count} measurements are queued, about 7 s each.")

    def _owner(self):
        """Return the demo user; their password is kept in the data folder."""
        note = settings.DATA_DIR / "demo_password"
        owner = User.objects.filter(username=USERNAME).first()
        if owner is None or not note.is_file():
            owner = owner or User(username=USERNAME)
            password = secrets.token_urlsafe(9)
            note.touch(mode=0o600)
            note.write_text(password)
            owner.set_password(password)
            owner.save()
        self.stdout.write(f"Log in as {USERNAME} with the password {note.read_text()}")
        return owner


def laptop(owner) -> HardwareProfile:
    """The article's machine: 13 W of CPU and 8 GB of RAM, in India."""
    return profile(
        owner,
        "Apple M1 laptop, India",
        zone=Zone.objects.get(code="IND"),
        cpu_name="Apple M1",
        cpu_tdp_w=13,
        ram_gb=8,
    )


def cloud_server(owner) -> HardwareProfile:
    return profile(
        owner,
        "Cloud server, France",
        zone=Zone.objects.get(code="FRA"),
        pue=1.1,
        cpu=Processor.objects.get(kind="cpu", vendor="AMD", name="EPYC 7282"),
        ram_gb=32,
    )


def profile(owner, name: str, **values) -> HardwareProfile:
    public = {**values, "visibility": HardwareProfile.Visibility.PUBLIC}
    found, _ = HardwareProfile.objects.get_or_create(owner=owner, name=name, defaults=public)
    return found


def version(owner, name: str) -> ModelVersion:
    """Return the first version of the sample model called ``name``, uploading it if need be."""
    existing = ModelVersion.objects.filter(
        onnx_model__owner=owner, onnx_model__name=name, number=1
    ).first()
    if existing is not None:
        return existing
    file_name, build = MODELS[name]
    return receive_model(
        owner=owner,
        name=name,
        visibility=OnnxModel.Visibility.PUBLIC,
        uploaded=received_from_bytes(build(), file_name),
        details=VersionDetails(label="from the article"),
    )


def ready(one: ModelVersion) -> ModelVersion:
    """Return the version once a worker has inspected it; CommandError when none does."""
    deadline_s = time.monotonic() + INSPECTION_DEADLINE_S
    while one.status == ModelVersion.Status.INSPECTING:
        if time.monotonic() > deadline_s:
            raise CommandError("No worker inspects the models. Start the site, then try again.")
        time.sleep(POLL_S)
        one.refresh_from_db()
    if not one.is_ready:
        raise CommandError(f"{one} was rejected: {one.rejection_reason}")
    return one


def submit_missing(owner, versions, profiles) -> int:
    """Queue what is missing of the demo's runs and return how many.

    Round by round, so that every line of the charts soon has its first point.
    """
    missing_count = {
        (one, machine): RUNS_PER_PROFILE - kept_runs(one, machine).count()
        for one in versions
        for machine in profiles
    }
    rounds = [
        pair
        for round_number in range(RUNS_PER_PROFILE)
        for pair, count in missing_count.items()
        if round_number < count
    ]
    quick = RunSettings(effort=Run.Effort.QUICK)
    for one, machine in rounds:
        submit_run(owner=owner, version=one, profile=machine, settings=quick)
    return len(rounds)


def kept_runs(one: ModelVersion, machine: HardwareProfile):
    """Runs of a version on a machine that have a result or will have one."""
    return Run.objects.filter(version=one, profile=machine).exclude(
        status__in=[Run.Status.FAILED, Run.Status.CANCELLED]
    )
