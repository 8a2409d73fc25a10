"""Saved sizes and real inputs, as a script sees them."""

import hashlib

import numpy as np
import pytest

from benchmarks import input_choices
from benchmarks.models import InputSet, OnnxModel
from tests.api.scripts import BASE, assert_problem, script_of
from tests.arrays import an_image, an_npy, an_npz, an_upload
from tests.people import (
    a_profile,
    a_queued_run,
    a_ready_version,
    admin,
    an_input_set,
    anonymous,
    owner,
    stranger,
)

pytestmark = pytest.mark.django_db

IMAGE = {"name": "x", "dtype": "float32", "shape": ["batch", 3, "height", "width"]}
TOKENS = {"name": "tokens", "dtype": "int64", "shape": ["batch", "length"]}
MASK = {"name": "mask", "dtype": "int64", "shape": ["batch", "length"]}
LARGE = {"dims": {"height": 640, "width": 480}}
PAIR = np.ones((2, 9), np.int64)


def model_address(version):
    return f"{BASE}/models/{version.onnx_model_id}/"


def patched(version, inputs):
    return script_of(owner()).patch(model_address(version), {"inputs": inputs}, format="json")


def sent(version, *files, user=None, **fields):
    return script_of(user or owner()).post(
        f"{model_address(version)}inputs/", {"file": list(files), **fields}, format="multipart"
    )


def asked(version, user=None, **fields):
    profile = a_profile(user or owner(), visibility="public")
    body = {"version": str(version.pk), "profile": str(profile.pk), **fields}
    return script_of(user or owner()).post(f"{BASE}/runs/", body, format="json")


def test_sizes_are_saved_with_the_model_shown_and_cleared():
    version = a_ready_version(inputs=[IMAGE])
    script = script_of(owner())

    before = script.get(model_address(version)).json()["inputs"]
    saved = patched(version, LARGE).json()["inputs"]
    cleared = patched(version, None)

    assert (before, saved) == (None, LARGE)
    assert cleared.json()["inputs"] is None
    assert OnnxModel.objects.get().saved_inputs == {}


def test_renaming_leaves_what_is_saved():
    version = a_ready_version(inputs=[IMAGE])
    patched(version, LARGE)

    script_of(owner()).patch(model_address(version), {"name": "Renamed"}, format="json")

    assert OnnxModel.objects.get().saved_inputs == LARGE


@pytest.mark.parametrize(
    ("inputs", "field"),
    [
        ({"dims": {"depth": 3}}, "inputs.dims.depth"),
        ({"shapes": {"x": [1, 3]}}, "inputs.shapes.x"),
        ({"ranges": {"x": [2, 1]}}, "inputs.ranges.x"),
        ("large", "inputs"),
        ([], "inputs"),
    ],
)
def test_what_the_model_does_not_take_is_a_400_by_field(inputs, field):
    answer = patched(a_ready_version(inputs=[IMAGE]), inputs)

    assert assert_problem(answer, 400)["errors"][0]["field"] == field


def test_a_run_without_inputs_takes_what_is_saved_and_an_empty_one_the_guesses():
    version = a_ready_version(inputs=[IMAGE])
    patched(version, LARGE)

    assert asked(version).json()["settings"]["inputs"] == LARGE
    assert asked(version, inputs={}).json()["settings"]["inputs"] == {}


def test_an_archive_is_stored_and_described():
    content = an_npz(input=an_image(2), labels=np.array([1, 2]))

    answer = sent(a_ready_version(), an_upload(content, "photos.npz"), name="cats")

    assert answer.status_code == 201
    shown = answer.json()
    assert shown == {
        "id": str(InputSet.objects.get().pk),
        "name": "cats",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "tensors": [
            {"name": "input", "dtype": "float32", "shape": [2, 1, 28, 28]},
            {"name": "labels", "dtype": "int64", "shape": [2]},
        ],
        "has_labels": True,
        "created_at": shown["created_at"],
    }


def test_arrays_come_one_by_one_too():
    version = a_ready_version(inputs=[TOKENS, MASK])

    answer = sent(
        version, an_upload(an_npy(PAIR), "tokens.npy"), an_upload(an_npy(PAIR), "mask.npy")
    )

    assert [one["name"] for one in answer.json()["tensors"]] == ["mask", "tokens"]


def test_what_is_no_array_is_a_400_of_the_file():
    answer = sent(a_ready_version(), an_upload(b"Dear Sir", "letter.npz"))

    (error,) = assert_problem(answer, 400)["errors"]
    assert error["field"] == "file"
    assert "“letter.npz”" in error["message"]


def test_a_request_without_a_file_is_a_400():
    answer = sent(a_ready_version())

    assert assert_problem(answer, 400)["errors"][0]["field"] == "file"


def test_a_file_over_the_quota_is_a_413(settings):
    version = a_ready_version()
    settings.USER_QUOTA_BYTES = version.size_bytes + 10

    assert_problem(sent(version, an_upload(an_npz(input=an_image()), "a.npz")), 413)


def test_the_same_key_gives_the_same_inputs_back():
    version = a_ready_version()
    address = f"{model_address(version)}inputs/"

    ids = {
        script_of(owner())
        .post(
            address,
            {"file": an_upload(an_npz(input=an_image(value=value)), "a.npz")},
            format="multipart",
            HTTP_IDEMPOTENCY_KEY="one",
        )
        .json()["id"]
        for value in (0.1, 0.2)
    }

    assert len(ids) == InputSet.objects.count() == 1


def test_inputs_are_listed_to_their_owner_and_to_staff():
    input_set = an_input_set(a_ready_version(onnx_model=None).onnx_model)
    OnnxModel.objects.update(visibility="public")
    address = f"{BASE}/models/{input_set.onnx_model_id}/inputs/"

    lists = [script_of(user).get(address) for user in (owner(), admin(), stranger(), anonymous())]

    assert [answer.status_code for answer in lists] == [200, 200, 404, 404]
    assert [one["name"] for one in lists[0].json()["results"]] == [input_set.name]


def test_a_run_is_fed_them_with_the_batch_that_they_hold():
    version = a_ready_version()
    arrays = [{"name": "input", "dtype": "float32", "shape": [5, 1, 28, 28]}]
    input_set = an_input_set(version.onnx_model, tensors=arrays)

    settings = asked(version, values=str(input_set.pk)).json()["settings"]
    refused = asked(version, values=str(input_set.pk), batch_size=2)

    assert settings["batch_size"] == 5
    assert settings["values"] == str(input_set.pk)
    assert settings["values_name"] == input_set.name
    assert settings["values_sha256"] == input_set.sha256
    assert assert_problem(refused, 400)["errors"][0]["field"] == "batch_size"


def test_null_values_are_made_up():
    settings = asked(a_ready_version(), values=None).json()["settings"]

    assert (settings["values"], settings["values_name"]) == (None, None)


def test_somebody_elses_inputs_are_as_good_as_none():
    others = an_input_set(a_ready_version(stranger()).onnx_model)

    answer = asked(a_ready_version(), values=str(others.pk))

    assert assert_problem(answer, 400)["errors"][0]["field"] == "values"


def test_deleted_inputs_leave_their_name_with_the_run():
    version = a_ready_version()
    input_set = an_input_set(version.onnx_model)
    run = a_queued_run(
        version, input_set=input_set, values_name=input_set.name, values_sha256=input_set.sha256
    )
    script = script_of(owner())

    gone = script.delete(f"{model_address(version)}inputs/{input_set.pk}/")
    settings = script.get(f"{BASE}/runs/{run.pk}/").json()["settings"]

    assert gone.status_code == 204
    assert (settings["values"], settings["values_name"]) == (None, input_set.name)


def test_used_bytes_count_real_inputs():
    version = a_ready_version()
    input_set = an_input_set(version.onnx_model)

    used = script_of(owner()).get(f"{BASE}/me/").json()["used_bytes"]

    assert used == version.size_bytes + input_set.size_bytes


def test_a_version_shows_what_is_declared_and_not_what_is_guessed():
    hint = {"sizes": [None, None, 224, 224], "size_whys": ["", "", "usual", "usual"]}
    version = a_ready_version(inputs=[{**IMAGE, "hint": hint}])

    (shown,) = script_of(owner()).get(f"{BASE}/versions/{version.pk}/").json()["inputs"]

    assert shown == IMAGE


def test_saved_sizes_that_a_version_does_not_take_are_left_out_of_its_runs():
    version = a_ready_version(inputs=[IMAGE])
    input_choices.save(version.onnx_model, LARGE)
    later = a_ready_version(onnx_model=version.onnx_model, inputs=[TOKENS])

    assert asked(later).json()["settings"]["inputs"] == {}
