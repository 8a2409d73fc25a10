"""What a run is repeated with elsewhere: complete, the same every time, and the model only for
whoever uploaded it."""

import hashlib
import io
import json
import os
import subprocess
import sys
from zipfile import ZipFile

import pytest

from benchmarks import reproduction
from benchmarks.execution import job_of
from runner.job import InputChoices, Job
from runner.results import MeasurementResult, read_answer
from runner.sample_models import lenet5
from tests.api.scripts import BASE, script_of
from tests.people import a_done_run, a_model, a_queued_run, a_ready_version, owner, stranger

pytestmark = pytest.mark.django_db


def unzipped(content):
    """The files of a bundle by name, without its folder."""
    with ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len({name.split("/")[0] for name in names}) == 1
        return {name.split("/", 1)[1]: archive.read(name) for name in names}


def bundle_of(client, run):
    answer = client.get(f"/runs/{run.pk}/bundle.zip")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def test_the_job_file_is_the_runs_with_the_model_beside_it():
    choices = {"ranges": {"input": [0, 2]}}
    run = a_done_run(batch_size=4, effort="careful", input_choices=choices)

    job = Job.from_json(reproduction.job_text(run))

    assert (job.onnx_path, job.progress_path) == ("model.onnx", None)
    assert (job.batch_size, job.effort, job.seed) == (4, "careful", job_of(run).seed)
    assert job.inputs == InputChoices.from_plain(choices)


def test_the_owners_bundle_repeats_the_run(client, tmp_path, settings):
    settings.MEASURING_S = 0.2
    run = a_queued_run(a_ready_version(content=lenet5()), batch_size=2, effort="quick")
    client.force_login(owner())
    with ZipFile(io.BytesIO(bundle_of(client, run))) as archive:
        archive.extractall(tmp_path / "unpacked")
    (folder,) = (tmp_path / "unpacked").iterdir()

    done = subprocess.run(
        [sys.executable, "-m", "runner", "job.json", "result.json"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    result = read_answer((folder / "result.json").read_bytes(), kind="measure")
    assert isinstance(result, MeasurementResult)
    assert result.inputs[0].shape == (2, 1, 28, 28)


def test_the_bundle_holds_what_it_takes_and_no_byte_compiled_file(client):
    run = a_done_run(a_ready_version(content=b"the model"))
    client.force_login(owner())

    files = unzipped(bundle_of(client, run))

    assert files["model.onnx"] == b"the model"
    assert files["requirements.txt"] == b"onnxruntime==1.32.0\nnumpy\n"
    digest = hashlib.sha256(b"the model").hexdigest()
    assert files["model.onnx.sha256"].decode() == f"{digest}  model.onnx\n"
    assert b"python -m runner job.json result.json" in files["README.md"]
    assert {"job.json", "runner/__main__.py", "runner/meters/rapl.py"} <= set(files)
    assert not [name for name in files if name.endswith(".pyc")]


def test_the_same_run_gives_the_same_bytes(client):
    run = a_done_run()
    client.force_login(owner())

    assert bundle_of(client, run) == bundle_of(client, run)


def test_others_get_a_public_runs_bundle_without_the_model(client):
    run = a_done_run(a_ready_version(onnx_model=a_model(visibility="public")))
    client.force_login(stranger())

    files = unzipped(bundle_of(client, run))

    assert "model.onnx" not in files
    assert b"Only its owner may download the model" in files["README.md"]
    assert "model.onnx.sha256" in files


def test_a_private_run_is_reproduced_by_its_owner_only(client):
    run = a_done_run()
    client.force_login(stranger())

    assert client.get(f"/runs/{run.pk}/bundle.zip").status_code == 404
    assert client.get(f"/runs/{run.pk}/job.json").status_code == 404


def test_the_page_of_a_run_offers_the_bundle_and_the_command(client):
    run = a_done_run()
    client.force_login(owner())

    page = client.get(f"/runs/{run.pk}/").text
    job = client.get(f"/runs/{run.pk}/job.json")

    assert f"/runs/{run.pk}/bundle.zip" in page
    assert "-m runner job.json result.json" in page
    assert job["Content-Disposition"] == 'attachment; filename="job.json"'
    assert json.loads(job.content)["onnx_path"] == "model.onnx"


def test_a_run_without_a_result_is_reproduced_with_the_sites_runtime(client):
    run = a_queued_run()
    client.force_login(owner())

    files = unzipped(bundle_of(client, run))

    installed = reproduction.installed_version("onnxruntime")
    assert files["requirements.txt"].decode().startswith(f"onnxruntime=={installed}\n")
    assert b"This run has no result to compare with." in files["README.md"]


def test_a_model_name_is_text_in_the_readme(client):
    run = a_done_run(a_ready_version(onnx_model=a_model(name="A & B <net>")))
    client.force_login(owner())

    assert "# A & B <net> v1" in unzipped(bundle_of(client, run))["README.md"].decode()


def test_the_api_gives_the_job_and_its_address():
    run = a_done_run()
    script = script_of(owner())

    address = script.get(f"{BASE}/runs/{run.pk}/").json()["job_url"]
    job = script.get(address).json()

    assert address.endswith(f"{BASE}/runs/{run.pk}/job/")
    assert Job.from_json(json.dumps(job)) == Job.from_json(reproduction.job_text(run))
