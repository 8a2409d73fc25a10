"""Models and versions as the API gives them: names, units, nulls."""

import pytest

from benchmarks.models import ModelVersion, OnnxModel
from tests.api.scripts import BASE, an_onnx_file, assert_problem, script_of
from tests.people import (
    a_model,
    a_ready_version,
    owner,
)

pytestmark = pytest.mark.django_db

VERSION_FIELDS = {
    "id",
    "model",
    "label",
    "status",
    "rejection_reason",
    "sha256",
    "size_bytes",
    "opset",
    "producer",
    "parameter_count",
    "mac_count",
    "flop_count",
    "node_count",
    "operators",
    "inputs",
    "outputs",
    "accuracy_ratio",
    "training_time_s",
    "created_at",
}


def test_a_model_is_uploaded_and_shown_with_its_version(rung, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        made = script_of(owner()).post(
            f"{BASE}/models/",
            {"name": "LeNet-5", "file": an_onnx_file(), "visibility": "public"},
            format="multipart",
        )

    answer = made.json()
    assert made.status_code == 201
    assert (answer["name"], answer["visibility"]) == ("LeNet-5", "public")
    assert answer["url"] == f"http://testserver/models/{answer['id']}/"
    version = answer["latest_version"]
    assert set(version) >= VERSION_FIELDS
    assert (version["status"], version["size_bytes"]) == ("inspecting", 18)
    assert all(version[name] is None for name in ("opset", "producer", "operators", "inputs"))
    assert [one["id"] for one in answer["versions"]] == [version["id"]]
    assert rung == [("inspect_version", version["id"])]


def test_the_next_version_is_uploaded_under_its_model():
    onnx_model = a_model()
    a_ready_version(onnx_model=onnx_model)

    made = script_of(owner()).post(
        f"{BASE}/models/{onnx_model.pk}/versions/",
        {
            "file": an_onnx_file(b"another"),
            "label": "int8",
            "accuracy_ratio": 0.97,
            "training_time_s": 3600,
        },
        format="multipart",
    )
    model = script_of(owner()).get(f"{BASE}/models/{onnx_model.pk}/").json()

    assert made.status_code == 201
    assert made.json()["model"] == str(onnx_model.pk)
    assert (made.json()["label"], made.json()["accuracy_ratio"]) == ("int8", 0.97)
    assert model["latest_version"]["id"] == made.json()["id"]
    assert [one["number"] for one in model["versions"]] == [2, 1]


def test_a_ready_version_tells_what_its_file_holds():
    version = a_ready_version()

    answer = script_of(owner()).get(f"{BASE}/versions/{version.pk}/").json()

    assert set(answer) >= VERSION_FIELDS
    assert answer["parameter_count"] == 44_426
    assert answer["operators"]["Conv"] == 2
    assert answer["inputs"] == [
        {"name": "input", "dtype": "float32", "shape": ["batch", 1, 28, 28]}
    ]
    assert answer["rejection_reason"] is None


def test_a_rejected_version_says_why():
    version = a_ready_version(
        status=ModelVersion.Status.REJECTED,
        rejection_code="not_onnx",
        rejection_reason="This is not an ONNX file.",
    )

    answer = script_of(owner()).get(f"{BASE}/versions/{version.pk}/").json()

    assert (answer["status"], answer["rejection_reason"]) == (
        "rejected",
        "This is not an ONNX file.",
    )


def test_a_model_is_renamed_published_and_deleted():
    version = a_ready_version()
    address = f"{BASE}/models/{version.onnx_model_id}/"
    script = script_of(owner())

    changed = script.patch(address, {"name": "New", "visibility": "public"}, format="json")
    seen = script_of().get(address)
    deleted = script.delete(address)

    assert (changed.json()["name"], changed.json()["visibility"]) == ("New", "public")
    assert seen.status_code == 200
    assert deleted.status_code == 204
    assert not OnnxModel.objects.exists()


def test_a_name_that_is_taken_is_refused_by_field():
    a_model(name="LeNet-5")
    other = a_model(name="Other")

    answer = script_of(owner()).patch(
        f"{BASE}/models/{other.pk}/", {"name": "LeNet-5"}, format="json"
    )

    assert assert_problem(answer, 400)["errors"][0]["field"] == "name"
