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
from tests.arrays import an_image, an_npz
from tests.people import (
    a_done_run,
    a_model,
    a_queued_run,
    a_ready_version,
    admin,
    an_input_set,
    anonymous,
    owner,
    stranger,
)

pytestmark = pytest.mark.django_db


def unzipped(content):
    """The files of a bundle by name, without its folder."""
    with ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len({name.split("/")[0] for name in names}) == 1
        return {name.split("/", 1)[1]: archive.read(name) for name in names}


def by_hand(folder):
    """What starting the engine in an unpacked bundle comes to."""
    return subprocess.run(
        [sys.executable, "-m", "runner", "job.json", "result.json"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


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

    done = by_hand(folder)

    assert done.returncode == 0, done.stderr
    result = read_answer((folder / "result.json").read_bytes(), kind="measure")
    assert isinstance(result, MeasurementResult)
    assert result.inputs[0].shape == (2, 1, 28, 28)


def test_the_bundle_holds_what_it_takes_and_no_byte_compiled_file(client):
    run = a_done_run(a_ready_version(content=b"the model"))
    client.force_login(owner())

    files = unzipped(bundle_of(client, run))

    assert files["model.onnx"] == b"the model"
    requirements = files["requirements.txt"].decode().splitlines()
    assert requirements[0] == "onnxruntime==1.32.0"
    assert [line.split("==")[0] for line in requirements] == ["onnxruntime", "onnx", "numpy"]
    digest = hashlib.sha256(b"the model").hexdigest()
    assert files["model.onnx.sha256"].decode() == f"{digest}  model.onnx\n"
    assert b"python -m runner job.json result.json" in files["README.md"]
    assert {"job.json", "runner/__main__.py", "runner/meters/rapl.py"} <= set(files)
    assert not [name for name in files if name.endswith(".pyc")]


def test_a_run_on_the_gpu_is_repeated_with_the_runtime_that_knows_one(client):
    software = {"onnxruntime": "1.32.0", "provider": "CUDAExecutionProvider"}
    run = a_done_run(measurement={"software": software})
    client.force_login(owner())

    files = unzipped(bundle_of(client, run))

    assert files["requirements.txt"].startswith(b"onnxruntime-gpu==1.32.0\n")


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

    assert r"# A & B \<net\> v1" in unzipped(bundle_of(client, run))["README.md"].decode()


def test_the_api_gives_the_job_and_its_address():
    run = a_done_run()
    script = script_of(owner())

    address = script.get(f"{BASE}/runs/{run.pk}/").json()["job_url"]
    job = script.get(address).json()

    assert address.endswith(f"{BASE}/runs/{run.pk}/job/")
    assert Job.from_json(json.dumps(job)) == Job.from_json(reproduction.job_text(run))


def a_fed_run(*, visibility="private", content=b"the arrays", model=b"the model"):
    """A run that was fed real inputs."""
    version = a_ready_version(onnx_model=a_model(visibility=visibility), content=model)
    input_set = an_input_set(version.onnx_model, content)
    values = {"values_name": input_set.name, "values_sha256": input_set.sha256}
    return a_done_run(version, input_set=input_set, **values)


def test_the_owners_bundle_feeds_the_real_inputs_again(client, tmp_path, settings):
    settings.MEASURING_S = 0.2
    content = an_npz(image=an_image(value=0.25))
    run = a_fed_run(content=content, model=lenet5())
    client.force_login(owner())
    for name, text in unzipped(bundle_of(client, run)).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text)

    done = by_hand(tmp_path)

    assert done.returncode == 0, done.stderr
    result = read_answer((tmp_path / "result.json").read_bytes(), kind="measure")
    assert (result.inputs[0].low, result.inputs[0].high) == (0.25, 0.25)


def test_the_bundle_with_real_inputs_says_which_they_are(client):
    run = a_fed_run()
    client.force_login(owner())

    files = unzipped(bundle_of(client, run))

    digest = hashlib.sha256(b"the arrays").hexdigest()
    assert files["values.npz"] == b"the arrays"
    assert files["values.npz.sha256"].decode() == f"{digest}  values.npz\n"
    assert "holds the real inputs that were fed, “photos”" in files["README.md"].decode()
    assert json.loads(files["job.json"])["values_path"] == "values.npz"


def test_real_inputs_are_no_more_public_than_on_their_own_page(client):
    run = a_fed_run(visibility="public")
    names_by_person = {
        person: set(reproduction.files_for(run, person()))
        for person in (owner, stranger, anonymous, admin)
    }
    client.force_login(stranger())

    readme = unzipped(bundle_of(client, run))["README.md"].decode()
    page = client.get(f"/runs/{run.pk}/").text

    assert names_by_person == {
        owner: {"model.onnx", "values.npz"},
        stranger: set(),
        anonymous: set(),
        admin: {"values.npz"},
    }
    assert "only the owner of the model\nmay download them" in readme
    assert "are for the owner of the model only" in page


def test_a_bundle_says_that_its_real_inputs_were_deleted(client):
    run = a_fed_run()
    run.input_set.delete()
    client.force_login(owner())

    files = unzipped(bundle_of(client, run))

    assert "values.npz" not in files
    assert "values.npz.sha256" in files
    assert "they have been deleted" in files["README.md"].decode()
    assert json.loads(files["job.json"])["values_path"] == "values.npz"
    assert "have been deleted here" in client.get(f"/runs/{run.pk}/").text


def test_a_job_leaves_the_state_of_this_machine_out():
    job = reproduction.job_plain(a_done_run())

    assert (job["best_sentinel_s"], job["limits"], job["values_path"]) == (None, None, None)
