"""A model in several files, sent by a script: the field once for each, or a zip."""

import hashlib

import pytest

from benchmarks import inspection
from benchmarks.models import OnnxModel
from runner.sample_models import lenet5
from tests.api.scripts import BASE, an_onnx_file, assert_problem, script_of
from tests.external import MODEL, saved_apart, zipped
from tests.people import a_model, a_ready_version, owner

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def lenet():
    return saved_apart(lenet5(), location="weights.bin", size_threshold=0)


def sent(files, **fields):
    body = {"name": "LeNet-5", "file": files, **fields}
    return script_of(owner()).post(f"{BASE}/models/", body, format="multipart")


def as_files(contents):
    return [an_onnx_file(content, name) for name, content in contents.items()]


def as_zip(contents):
    return [an_onnx_file(zipped(contents), "net.zip")]


@pytest.mark.parametrize("pack", [as_files, as_zip])
def test_a_model_in_several_files_is_taken_and_described(pack, lenet):
    made = sent(pack(lenet))
    version_id = made.json()["latest_version"]["id"]
    inspection.inspect(version_id)
    version = script_of(owner()).get(f"{BASE}/versions/{version_id}/").json()

    assert made.status_code == 201, made.content
    assert version["status"] == "ready"
    assert version["data_files"] == [
        {
            "name": "weights.bin",
            "sha256": hashlib.sha256(lenet["weights.bin"]).hexdigest(),
            "size_bytes": len(lenet["weights.bin"]),
        }
    ]
    assert version["sha256"] == hashlib.sha256(lenet[MODEL]).hexdigest()
    assert version["size_bytes"] == len(lenet[MODEL])
    assert version["whole_bytes"] == sum(map(len, lenet.values()))


def test_a_model_in_one_file_has_no_data_files():
    version = sent(as_files({MODEL: lenet5()})).json()["latest_version"]

    assert version["data_files"] == []
    assert version["whole_bytes"] == version["size_bytes"]
    assert version["content_sha256"] == version["sha256"]


def test_a_next_version_may_come_in_several_files(lenet):
    onnx_model = a_model()

    answer = script_of(owner()).post(
        f"{BASE}/models/{onnx_model.pk}/versions/", {"file": as_files(lenet)}, format="multipart"
    )

    assert answer.status_code == 201, answer.content
    assert [one["name"] for one in answer.json()["data_files"]] == ["weights.bin"]


@pytest.mark.parametrize(
    "files, sentence",
    [
        ({"a.onnx": b"x", "b.onnx": b"y"}, "Upload each model by itself"),
        ({"a.bin": b"x", "b.bin": b"y"}, "no .onnx file"),
        ({MODEL: b"x", "net.zip": b"y"}, "either one .zip or the files"),
        ({"net.zip": b"not a zip"}, "no zip at all"),
    ],
)
def test_what_is_no_model_by_its_files_is_a_400_of_the_file(files, sentence):
    problem = assert_problem(sent(as_files(files)), 400)

    assert problem["errors"][0]["field"] == "file"
    assert sentence in problem["errors"][0]["message"]
    assert not OnnxModel.objects.exists()


def test_all_files_together_are_held_to_the_limit(settings):
    settings.MAX_UPLOAD_BYTES = 1000

    assert_problem(sent(as_files({MODEL: b"x" * 600, "w": b"y" * 600})), 413)
    assert_problem(sent(as_zip({MODEL: b"x" * 600, "w": b"y" * 600})), 413)
    assert not OnnxModel.objects.exists()


def test_a_list_of_models_asks_once_for_all_their_data_files(django_assert_max_num_queries, lenet):
    for number in range(3):
        sent(as_files(lenet), name=f"net {number}")
    script = script_of(owner())
    script.get(f"{BASE}/models/")

    with django_assert_max_num_queries(10):
        found = script.get(f"{BASE}/models/").json()

    assert found["count"] == 3


def test_a_retry_with_the_same_key_takes_the_files_once(lenet):
    key = {"HTTP_IDEMPOTENCY_KEY": "upload-1"}
    body = {"name": "LeNet-5", "file": as_zip(lenet)}
    first = script_of(owner()).post(f"{BASE}/models/", body, format="multipart", **key)
    body = {"name": "LeNet-5", "file": as_zip(lenet)}

    second = script_of(owner()).post(f"{BASE}/models/", body, format="multipart", **key)

    assert first.json()["id"] == second.json()["id"]
    assert OnnxModel.objects.count() == 1


def test_strangers_learn_of_a_public_models_files_what_they_learn_of_its_own():
    version = a_ready_version(onnx_model=a_model(visibility="public"))

    shown = script_of().get(f"{BASE}/versions/{version.pk}/").json()

    assert "file" not in shown
    assert shown["data_files"] == []
