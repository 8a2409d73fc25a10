"""The demo is the article's: its laptop, its models, measured and never simulated."""

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from benchmarks.management.commands import make_demo
from benchmarks.models import ModelVersion, OnnxModel, Run
from tests import people

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def reference_rows():
    people.a_zone("IND", "India", g_per_kwh=713.36)
    people.a_zone("FRA", "France", g_per_kwh=44.0)
    people.a_processor("EPYC 7282", vendor="AMD", tdp_w=120)


@pytest.fixture
def data_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return tmp_path


def inspected(monkeypatch):
    """Let every uploaded version be inspected at once."""
    receive = make_demo.receive_model

    def receive_and_inspect(**details):
        version = receive(**details)
        ModelVersion.objects.filter(pk=version.pk).update(
            status="ready", inputs=people.INPUTS, outputs=people.OUTPUTS
        )
        version.refresh_from_db()
        return version

    monkeypatch.setattr(make_demo, "receive_model", receive_and_inspect)


def test_the_laptop_draws_what_the_article_says():
    laptop = make_demo.laptop(people.owner())

    assert laptop.cpu_power_w == 13
    assert laptop.total_power_w == 16
    assert laptop.zone_id == "IND"


def test_both_models_are_queued_on_both_machines(data_folder, monkeypatch):
    inspected(monkeypatch)

    call_command("make_demo")

    names = set(OnnxModel.objects.values_list("name", flat=True))
    assert names == {"LeNet-5", "MLP 784-512-256-120-84-10"}
    assert Run.objects.filter(status="queued").count() == 2 * 2 * make_demo.RUNS_PER_PROFILE
    first_four = Run.objects.order_by("queued_at")[:4]
    assert len({(run.version_id, run.profile_id) for run in first_four}) == 4


def test_a_second_demo_adds_nothing(data_folder, monkeypatch):
    inspected(monkeypatch)
    call_command("make_demo")
    run_count = Run.objects.count()

    call_command("make_demo")

    assert Run.objects.count() == run_count
    assert OnnxModel.objects.count() == 2


def test_the_password_that_is_printed_opens_the_account(data_folder, monkeypatch, capsys):
    inspected(monkeypatch)

    call_command("make_demo")

    password = (data_folder / "demo_password").read_text()
    assert f"Log in as demo with the password {password}" in capsys.readouterr().out
    assert User.objects.get(username="demo").check_password(password)
    assert (data_folder / "demo_password").stat().st_mode & 0o777 == 0o600


def test_without_a_worker_the_demo_says_so(data_folder, monkeypatch):
    monkeypatch.setattr(make_demo, "INSPECTION_DEADLINE_S", 0)

    with pytest.raises(CommandError, match="No worker inspects the models"):
        call_command("make_demo")
