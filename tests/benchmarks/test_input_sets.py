"""Real inputs: stored once, checked by their headers, counted, and gone with their model."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings as site_settings
from django.core.exceptions import ValidationError

from benchmarks.input_sets import delete_input_set, receive_input_set
from benchmarks.models import InputSet
from benchmarks.received import UploadTooLarge, received_from_bytes, remaining_quota_bytes
from benchmarks.uploads import delete_model
from tests.arrays import an_image, an_npy, an_npz
from tests.people import a_model, a_ready_version, owner

pytestmark = pytest.mark.django_db(transaction=True)

TOKENS = {"name": "tokens", "dtype": "int64", "shape": ["batch", "length"]}
MASK = {"name": "mask", "dtype": "int64", "shape": ["batch", "length"]}
ODD = {"name": "images/x:0", "dtype": "int64", "shape": ["batch"]}
PAIR = np.ones((1, 4), dtype=np.int64)


def received(**content_by_name):
    return [received_from_bytes(content, name) for name, content in content_by_name.items()]


def receive(version, files, name=""):
    files = [received_from_bytes(content, file_name) for file_name, content in files.items()]
    return receive_input_set(version.onnx_model, files, name)


def stored_files():
    root = Path(site_settings.MEDIA_ROOT)
    return sorted(path.name for path in root.rglob("*") if path.is_file())


def refusal(version, files, name=""):
    with pytest.raises(ValidationError) as refused:
        receive(version, files, name)
    return refused.value.message_dict


def test_an_archive_is_stored_as_it_came_under_its_files_name():
    content = an_npz(input=an_image(2))

    found = receive(a_ready_version(), {"photos.npz": content})

    assert (found.name, found.size_bytes, found.has_labels) == ("photos", len(content), False)
    assert found.tensors == [{"name": "input", "dtype": "float32", "shape": [2, 1, 28, 28]}]
    assert Path(found.file.path).read_bytes() == content
    assert found.file.name == f"{owner().pk}/{found.sha256}.npz"


def test_arrays_sent_one_by_one_become_one_archive():
    version = a_ready_version(inputs=[TOKENS, MASK])

    found = receive(version, {"tokens.npy": an_npy(PAIR), "mask.npy": an_npy(PAIR * 0)})

    with np.load(found.file.path) as arrays:
        assert {name: arrays[name].tolist() for name in arrays.files} == {
            "mask": [[0, 0, 0, 0]],
            "tokens": [[1, 1, 1, 1]],
        }
    with zipfile.ZipFile(found.file.path) as archive:
        assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}


def test_a_lone_array_is_for_the_lone_input_whatever_it_is_called():
    found = receive(a_ready_version(), {"cat.npy": an_npy(an_image())})

    assert [one["name"] for one in found.tensors] == ["input"]
    assert found.name == "cat"


def test_a_file_name_stands_for_an_input_that_no_file_can_be_called():
    version = a_ready_version(inputs=[ODD, TOKENS])

    found = receive(
        version, {"images_x_0.npy": an_npy(np.ones(1, np.int64)), "tokens.npy": an_npy(PAIR)}
    )

    assert [one["name"] for one in found.tensors] == ["images/x:0", "tokens"]


def test_labels_are_kept_and_are_no_input():
    content = an_npz(input=an_image(2), labels=np.array([3, 4]))

    found = receive(a_ready_version(), {"test.npz": content})

    assert found.has_labels
    assert {one["name"] for one in found.tensors} == {"input", "labels"}


def test_the_same_bytes_sent_again_are_stored_once():
    version, content = a_ready_version(), an_npz(input=an_image())

    first, second = (receive(version, {"a.npz": content}) for _ in range(2))

    assert first == second
    assert InputSet.objects.count() == 1


def test_another_file_of_the_same_name_is_numbered():
    version = a_ready_version()

    names = [
        receive(version, {"a.npz": an_npz(input=an_image(value=value))}).name
        for value in (0.1, 0.2, 0.3)
    ]

    assert names == ["a", "a 2", "a 3"]


def test_a_name_of_ones_own_that_is_taken_is_refused():
    version = a_ready_version()
    receive(version, {"a.npz": an_npz(input=an_image())}, name="cats")

    told = refusal(version, {"b.npz": an_npz(input=an_image(2))}, name="cats")

    assert told == {"name": ["This model has inputs called “cats” already. Choose another name."]}
    assert len(stored_files()) == 2


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "Choose an .npz file"),
        ({"a.npz": b""}, "“a.npz” is empty (0 bytes)"),
        ({"a.npz": b"Dear Sir or Madam"}, "neither an .npz nor an .npy file"),
        ({"a.npz": b"PK\x03\x04 and no more"}, ".npz file"),
        ({"a.npz": an_npz(input=an_image()), "b.npy": an_npy(PAIR)}, "not both"),
        ({"input.npy": an_npy(PAIR), "input.npz": an_npy(PAIR)}, "Two files are for"),
        ({"a.npz": an_npz(image=an_image())}, "image"),
        ({"a.npz": an_npz(input=an_image().astype(np.float64))}, "float64"),
        ({"a.npz": an_npz(input=np.ones((1, 3, 28, 28), np.float32))}, "[1, 3, 28, 28]"),
        ({"a.npz": an_npz(input=np.array([{}], dtype=object))}, "objects"),
        ({"input.npy": an_npy(np.array([{}], dtype=object), allow_pickle=True)}, "objects"),
        ({"input.npy": an_npy(an_image())[:100]}, "“input”"),
    ],
)
def test_what_cannot_be_fed_is_refused_in_a_sentence_and_not_stored(files, sentence):
    version = a_ready_version()

    told = refusal(version, files)

    assert sentence in told["file"][0]
    assert stored_files() == [Path(version.file.name).name]
    assert not InputSet.objects.exists()


def test_a_model_that_is_not_read_yet_takes_arrays_that_are_whole():
    onnx_model = a_model()

    found = receive_input_set(onnx_model, received(**{"x.npy": an_npy(PAIR)}))

    assert [one["name"] for one in found.tensors] == ["x"]


def test_a_name_that_no_input_has_is_refused_before_any_input_is_known():
    with pytest.raises(ValidationError, match="far too long"):
        receive_input_set(a_model(), received(**{"x.npz": an_npz(**{"x" * 5000: PAIR})}))


def test_real_inputs_count_towards_the_quota(settings):
    settings.USER_QUOTA_BYTES = 100_000
    version = a_ready_version()
    before = remaining_quota_bytes(owner())

    found = receive(version, {"a.npz": an_npz(input=an_image())})

    assert remaining_quota_bytes(owner()) == before - found.size_bytes


def test_arrays_put_together_that_exceed_the_quota_are_refused(settings):
    version = a_ready_version(inputs=[TOKENS, MASK])
    settings.USER_QUOTA_BYTES = version.size_bytes + 300

    with pytest.raises(UploadTooLarge):
        receive(version, {"tokens.npy": an_npy(PAIR), "mask.npy": an_npy(PAIR)})

    assert stored_files() == [Path(version.file.name).name]


def test_the_files_go_with_the_model():
    version = a_ready_version()
    receive(version, {"a.npz": an_npz(input=an_image())})

    delete_model(version.onnx_model)

    assert stored_files() == []


def test_a_file_that_another_model_has_too_stays():
    content = an_npz(input=an_image())
    first = receive(a_ready_version(), {"a.npz": content})
    second = receive(a_ready_version(), {"a.npz": content})

    delete_input_set(first)

    assert Path(second.file.path).read_bytes() == content
    delete_input_set(second)
    assert not Path(second.file.path).exists()


def test_the_same_arrays_make_the_same_archive():
    files = {"tokens.npy": an_npy(PAIR), "mask.npy": an_npy(PAIR)}
    version, other = (a_ready_version(inputs=[TOKENS, MASK]) for _ in range(2))

    first, second = receive(version, files), receive(other, dict(reversed(files.items())))

    assert first.sha256 == second.sha256


def test_an_archive_of_ours_says_its_sizes_in_front():
    found = receive(a_ready_version(), {"cat.npy": an_npy(an_image())})

    with zipfile.ZipFile(io.BytesIO(Path(found.file.path).read_bytes())) as archive:
        assert archive.testzip() is None
