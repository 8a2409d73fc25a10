"""Models in several files: taken loose or in a zip, stored, counted, measured and deleted whole."""

import hashlib
import io
import json
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from django.conf import settings as site_settings
from django.core.exceptions import ValidationError

from benchmarks import execution, inspection, parcels, reproduction
from benchmarks.data_files import DataFile
from benchmarks.factors import explained
from benchmarks.input_sets import receive_input_set
from benchmarks.models import ModelVersion, OnnxModel, Run
from benchmarks.received import received_from_bytes, remaining_quota_bytes, stored_bytes
from benchmarks.stored_files import stray_files
from benchmarks.submission import RunSettings, submit_run
from benchmarks.sweeps import SweepSettings, submit_sweep
from benchmarks.uploads import UploadTooLarge, delete_model, receive_model, receive_version
from runner.results import MeasurementResult, read_answer
from runner.sample_models import lenet5, mlp
from tests.arrays import an_npz
from tests.benchmarks.test_reproduction import by_hand, unzipped
from tests.external import MODEL, WAYS, saved_apart, zipped
from tests.faults.invariants import broken
from tests.people import a_done_run, a_profile, a_queued_run, owner, stranger
from tests.runner.classifiers import one_hot, shifting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_a_hurry")]
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def lenet():
    """LeNet-5 in two files."""
    return saved_apart(lenet5(), location="weights.bin", size_threshold=0)


def loose(contents):
    return [received_from_bytes(content, name) for name, content in contents.items()]


def as_zip(contents, **how):
    return [received_from_bytes(zipped(contents, **how), "net.zip")]


def upload(files, *, user=None, name="LeNet-5"):
    return receive_model(owner=user or owner(), name=name, visibility="private", uploaded=files)


def inspected(version):
    inspection.inspect(version.pk)
    version.refresh_from_db()
    return version


def stored_files():
    root = Path(site_settings.MEDIA_ROOT)
    return sorted(path for path in root.rglob("*") if path.is_file())


def refusal(files):
    with pytest.raises(ValidationError) as refused:
        upload(files)
    assert stored_files() == []
    assert not OnnxModel.objects.exists()
    (sentence,) = refused.value.message_dict["file"]
    assert sentence.endswith(".")
    return sentence


@pytest.mark.parametrize("send", [loose, as_zip, lambda one: as_zip(one, folder="net/v1/")])
def test_a_model_in_two_files_is_stored_inspected_and_measured(send, lenet):
    version = inspected(upload(send(lenet)))

    run = a_queued_run(version)
    execution.execute(run.pk)
    run.refresh_from_db()

    assert version.status == "ready", version.rejection_reason
    assert (version.original_name, version.parameter_count, version.mac_count) == (
        MODEL,
        44_426,
        281_640,
    )
    assert [one.name for one in version.data_files.all()] == ["weights.bin"]
    assert version.whole_bytes == sum(map(len, lenet.values()))
    assert (run.status, run.failure_message) == (Run.Status.DONE, "")
    assert run.measurement.composition["parameter_count"] == 44_426
    assert broken() == []


@pytest.mark.parametrize("way", WAYS)
def test_however_it_was_saved_it_is_ready(way):
    version = inspected(upload(as_zip(saved_apart(mlp(), **WAYS[way]))))

    assert (version.status, version.rejection_reason) == ("ready", "")
    assert version.parameter_count == 575_102


def test_data_files_lie_under_names_made_from_their_content(lenet):
    version = upload(loose(lenet))

    (data_file,) = version.data_files.all()
    digest = hashlib.sha256(lenet["weights.bin"]).hexdigest()
    assert data_file.file.name == f"{owner().pk}/{digest}.data"
    assert (data_file.sha256, data_file.size_bytes) == (digest, len(lenet["weights.bin"]))
    assert len(stored_files()) == 2


def test_the_same_bytes_are_stored_and_counted_once(lenet):
    first = upload(loose(lenet))
    second = receive_version(first.onnx_model, as_zip(lenet))

    assert len(stored_files()) == 2
    assert stored_bytes(owner()) == sum(map(len, lenet.values()))
    assert first.content_sha256 == second.content_sha256


def test_two_data_files_of_the_same_bytes_are_one_file():
    version = upload(loose({MODEL: b"m", "a": b"same", "b": b"same"}))

    assert len(stored_files()) == 2
    assert (stored_bytes(owner()), version.whole_bytes) == (5, 9)
    delete_model(version.onnx_model)
    assert stored_files() == []


def test_other_owners_share_nothing(lenet):
    upload(loose(lenet))
    upload(loose(lenet), user=stranger())

    assert len(stored_files()) == 4
    assert stored_bytes(owner()) == stored_bytes(stranger()) == sum(map(len, lenet.values()))


def test_deleting_a_model_leaves_nothing_and_keeps_what_others_need(lenet):
    first, second = upload(loose(lenet), name="one"), upload(loose(lenet), name="two")

    delete_model(first.onnx_model)
    assert len(stored_files()) == 2
    delete_model(second.onnx_model)

    assert stored_files() == []
    assert not DataFile.objects.exists()


def test_the_sweep_of_strays_keeps_data_files(lenet):
    upload(loose(lenet))

    assert stray_files(older_than=-DAY) == []
    DataFile.objects.all().delete()
    assert [name.rpartition(".")[2] for name in stray_files(older_than=-DAY)] == ["data"]


def test_the_quota_is_for_all_files_together(lenet, settings):
    whole_bytes = sum(map(len, lenet.values()))
    settings.USER_QUOTA_BYTES = whole_bytes - 1

    for send in (loose, as_zip):
        with pytest.raises(UploadTooLarge):
            upload(send(lenet))

    assert stored_files() == []
    assert remaining_quota_bytes(owner()) == whole_bytes - 1


def test_versions_that_differ_in_their_data_alone_are_not_the_same(lenet):
    other = {**lenet, "weights.bin": lenet["weights.bin"][::-1]}
    first = upload(loose(lenet))
    second = receive_version(first.onnx_model, loose(other))
    ModelVersion.objects.update(status="ready")

    before = a_done_run(first, mean_s=0.001)
    after = a_done_run(second, before.profile, mean_s=0.002)
    parts = explained(before, after, factors="stored").parts

    assert first.sha256 == second.sha256
    assert first.content_sha256 != second.content_sha256
    assert [part.label for part in parts][:1] == ["Model"]


def test_a_version_in_one_file_is_known_by_its_own_hash():
    version = upload(received_from_bytes(lenet5(), "lenet5.onnx"))

    assert version.content_sha256 == version.sha256
    assert version.whole_bytes == version.size_bytes


def test_a_model_whose_data_did_not_come_says_which_file_is_missing(lenet):
    version = inspected(upload(loose({MODEL: lenet[MODEL]})))

    assert (version.status, version.rejection_code) == ("rejected", "external_data")
    assert "“weights.bin”, which was not uploaded with it" in version.rejection_reason


def test_a_file_that_the_model_does_not_use_is_named(lenet):
    version = inspected(upload(loose({**lenet, "notes.txt": b"hello"})))

    assert (version.status, version.rejection_code) == ("rejected", "unused_data")
    assert "“notes.txt”" in version.rejection_reason


def test_data_that_is_cut_short_is_refused(lenet):
    cut = {**lenet, "weights.bin": lenet["weights.bin"][:-1]}

    version = inspected(upload(as_zip(cut)))

    assert (version.status, version.rejection_code) == ("rejected", "external_data_misfit")


def test_two_models_at_once_are_refused():
    two = {"a.onnx": b"x", "b.ONNX": b"y"}

    assert "“a.onnx” and “b.ONNX”" in refusal(loose(two))
    assert "The zip holds 2 .onnx files" in refusal(as_zip(two))


def test_files_without_a_model_among_them_are_refused():
    none = {"a.bin": b"x", "b.bin": b"y"}

    assert "You chose no .onnx file" in refusal(loose(none))
    assert "The zip holds no .onnx file" in refusal(as_zip(none))
    assert "The zip holds no .onnx file" in refusal(as_zip({}))


def test_data_outside_of_the_models_folder_is_refused():
    assert "“data/w” lies outside" in refusal(as_zip({"net/model.onnx": b"x", "data/w": b"y"}))


def test_a_name_that_is_none_behind_its_folder_is_refused():
    assert "“C:w” in the zip" in refusal(as_zip({"net/model.onnx": b"x", "net/C:w": b"y"}))


def test_a_zip_among_others_or_in_a_zip_is_refused():
    nested = {MODEL: b"x", "more.zip": zipped({"w": b"y"})}

    assert "either one .zip or the files" in refusal(loose(nested))
    assert "“more.zip” is a zip in itself" in refusal(as_zip(nested))


def test_two_files_of_one_name_are_refused():
    twice = [received_from_bytes(b"x", name) for name in (MODEL, "w", "w")]

    assert "Two files are called “w”" in refusal(twice)


def test_an_empty_data_file_is_refused_by_name():
    assert "“w” is empty (0 bytes)" in refusal(loose({MODEL: b"x", "w": b""}))


def test_too_many_data_files_are_refused(monkeypatch):
    monkeypatch.setattr(parcels, "MAX_DATA_FILE_COUNT", 2)

    sentence = refusal(as_zip({MODEL: b"x", **{f"w{n}": b"y" for n in range(3)}}))

    assert "3 data files, and 2 are taken" in sentence


def test_a_model_file_that_no_program_reads_is_refused_with_what_to_do(monkeypatch):
    monkeypatch.setattr(parcels, "MAX_ONNX_BYTES", 10)

    assert "save_as_external_data" in refusal(received_from_bytes(b"x" * 11, MODEL))


def test_a_zip_that_is_none_is_refused():
    assert "is damaged, or no zip" in refusal([received_from_bytes(b"PK\x03\x04", "net.zip")])


def test_a_zip_that_calls_itself_a_model_is_inspected_as_one():
    version = inspected(upload(received_from_bytes(zipped({"w": b"x"}), "model.onnx")))

    assert "This is a ZIP archive" in version.rejection_reason


def test_a_sweep_measures_it_too(lenet):
    version = inspected(upload(loose(lenet)))
    sweep = submit_sweep(
        owner=owner(),
        version=version,
        profile=a_profile(),
        settings=SweepSettings([1, 2], [1], effort="quick"),
    )

    for run in sweep.runs.all():
        execution.execute(run.pk)

    assert set(sweep.runs.values_list("status", flat=True)) == {Run.Status.DONE}


def test_the_owners_bundle_repeats_the_run(client, tmp_path, lenet):
    run = a_queued_run(inspected(upload(loose(lenet))), effort="quick")
    client.force_login(owner())
    answer = client.get(f"/runs/{run.pk}/bundle.zip")
    with ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        archive.extractall(tmp_path / "unpacked")
    (folder,) = (tmp_path / "unpacked").iterdir()

    done = by_hand(folder)

    assert done.returncode == 0, done.stderr
    assert json.loads((folder / "job.json").read_text())["data_paths"] == {
        "weights.bin": "data-1.bin"
    }
    result = read_answer((folder / "result.json").read_bytes(), kind="measure")
    assert isinstance(result, MeasurementResult)


def test_its_accuracy_is_measured_with_the_weights_of_its_data_file():
    version = inspected(upload(loose(saved_apart(shifting(64)))))
    items = np.arange(128) % 64
    labels = np.where(items < 16, items, (items + 1) % 64)
    content = an_npz(x=one_hot(items, count=64), labels=labels)
    input_set = receive_input_set(version.onnx_model, [received_from_bytes(content, "set.npz")])
    chosen = RunSettings(effort="quick", values=input_set, measures_accuracy=True)
    run = submit_run(owner=owner(), version=version, profile=a_profile(), settings=chosen)

    execution.execute(run.pk)

    run.refresh_from_db()
    assert (run.status, run.failure_message) == (Run.Status.DONE, "")
    assert run.evaluation.failure_message == ""
    # All but the items of the first 16 classes, twice each.
    assert (run.evaluation.correct_count, run.evaluation.item_count) == (96, 128)
    assert ModelVersion.objects.get().evaluation == run.evaluation


def test_others_get_no_data_with_a_public_runs_bundle(client, lenet):
    version = inspected(upload(loose(lenet)))
    OnnxModel.objects.update(visibility="public")
    run = a_done_run(version)
    client.force_login(stranger())

    files = unzipped(b"".join(client.get(f"/runs/{run.pk}/bundle.zip").streaming_content))

    assert "data-1.bin" not in files
    digest = hashlib.sha256(lenet["weights.bin"]).hexdigest()
    assert f"{digest}  data-1.bin" in files["model.onnx.sha256"].decode()
    assert "| `data-1.bin` | weights.bin |" in files["README.md"].decode()
    assert set(reproduction.files_for(run, owner())) == {"model.onnx", "data-1.bin"}


def test_a_name_of_the_models_cannot_take_a_files_place_in_a_bundle(client):
    version = upload(as_zip({MODEL: b"x", "runner/__main__.py": b"import os"}))
    run = a_done_run(version)
    client.force_login(owner())

    files = unzipped(b"".join(client.get(f"/runs/{run.pk}/bundle.zip").streaming_content))

    assert files["data-1.bin"] == b"import os"
    assert files["runner/__main__.py"] != b"import os"


def test_the_page_of_a_model_shows_its_files_and_the_size_of_all(client, lenet):
    version = inspected(upload(loose(lenet)))
    client.force_login(owner())

    page = client.get(version.onnx_model.get_absolute_url()).text

    assert "in 2 files" in page
    assert "weights.bin, " in page
