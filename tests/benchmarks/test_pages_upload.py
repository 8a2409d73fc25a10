"""The upload page: who may send what, and what is said when it may not be."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from benchmarks.models import ModelVersion, OnnxModel
from tests.external import zipped
from tests.people import a_model, a_ready_version, owner, stranger

pytestmark = pytest.mark.django_db

WANTS_JSON = {"Accept": "application/json"}


def onnx_file(name="digits.onnx", content=b"pretend"):
    return SimpleUploadedFile(name, content)


def form(**fields):
    return {"file": onnx_file(), "name": "Digits", "visibility": "private", **fields}


def test_the_limit_and_the_quota_are_said_beforehand(signed_in, settings):
    settings.MAX_UPLOAD_BYTES, settings.USER_QUOTA_BYTES = 2_000_000_000, 20_000_000_000

    page = signed_in.get("/models/new/").text

    assert ">2 GB</span>" in page
    assert ">20 GB</span> of your quota left" in page


def test_an_upload_becomes_a_model_that_is_being_inspected(
    signed_in, rung, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        response = signed_in.post("/models/new/", form(), follow=True)

    version = ModelVersion.objects.get()
    assert version.onnx_model.name == "Digits"
    assert rung == [("inspect_version", str(version.pk))]
    assert "Being inspected" in response.text


def test_a_model_without_a_name_is_named_after_its_file(signed_in):
    signed_in.post("/models/new/", form(name=""))

    assert OnnxModel.objects.get().name == "digits"


def test_accuracy_and_training_time_are_kept_in_their_units(signed_in):
    signed_in.post("/models/new/", form(accuracy_percent="76.1", training_time_h="1.5"))

    version = ModelVersion.objects.get()
    assert (version.accuracy_ratio, version.training_time_s) == (0.761, 5400)


def test_a_script_of_the_page_gets_the_address_to_go_to(signed_in):
    response = signed_in.post("/models/new/", form(), headers=WANTS_JSON)

    assert response.status_code == 201
    assert response.json() == {"url": f"/models/{OnnxModel.objects.get().pk}/"}


def test_an_empty_file_is_refused_with_a_sentence(signed_in):
    response = signed_in.post("/models/new/", form(file=onnx_file(content=b"")))

    assert response.status_code == 400
    assert "The file is empty (0 bytes)" in response.text
    assert not OnnxModel.objects.exists()


def test_no_file_at_all_is_refused_and_what_was_typed_is_kept(signed_in):
    response = signed_in.post("/models/new/", {"name": "Digits", "visibility": "public"})

    assert "Choose the .onnx file" in response.text
    assert 'value="Digits"' in response.text


def test_a_name_that_is_taken_leads_to_a_new_version(signed_in):
    taken = a_model(name="Digits")

    response = signed_in.post("/models/new/", form())

    assert "already have a model called “Digits”" in response.text
    assert f"/models/{taken.pk}/versions/new/" in response.text


def test_a_script_of_the_page_learns_of_a_taken_name_too(signed_in):
    taken = a_model(name="Digits")

    answer = signed_in.post("/models/new/", form(), headers=WANTS_JSON).json()

    assert answer["existing_url"] == f"/models/{taken.pk}/versions/new/"
    assert "already have a model" in answer["errors"]["name"][0]


def test_an_accuracy_of_more_than_everything_is_refused(signed_in):
    response = signed_in.post("/models/new/", form(accuracy_percent="101"))

    assert response.status_code == 400
    assert not OnnxModel.objects.exists()


def test_a_file_over_the_limit_is_refused_by_its_announced_length(signed_in, settings):
    settings.MAX_UPLOAD_BYTES = 10

    response = signed_in.post(
        "/models/new/", form(file=onnx_file(content=b"x" * 2_000_000)), headers=WANTS_JSON
    )

    assert response.status_code == 413
    assert "larger than you may upload" in response.json()["errors"]["file"][0]


def test_a_file_just_over_the_limit_is_refused_while_it_arrives(signed_in, settings):
    settings.MAX_UPLOAD_BYTES = 10

    response = signed_in.post("/models/new/", form(file=onnx_file(content=b"x" * 11)))

    assert response.status_code == 413
    assert "larger than you may upload" in response.text
    assert not OnnxModel.objects.exists()


def test_a_full_disk_is_said(signed_in, settings):
    settings.FREE_DISK_FLOOR_BYTES = 10**18

    assert signed_in.post("/models/new/", form()).status_code == 507


def test_a_request_without_a_length_is_refused(signed_in):
    response = signed_in.generic("POST", "/models/new/", CONTENT_LENGTH="")

    assert response.status_code == 411


def test_a_visitors_upload_goes_to_the_login_page_unread(client):
    body = Unreadable()

    response = client.post("/models/new/", **body.as_request())

    assert response.headers["Location"].startswith("/accounts/login/")


def test_an_upload_that_is_too_long_is_refused_unread(signed_in, settings):
    settings.MAX_UPLOAD_BYTES = 10

    response = signed_in.post("/models/new/", **Unreadable().as_request())

    assert response.status_code == 413


def test_a_script_whose_session_has_ended_is_told_so(client):
    response = client.post("/models/new/", form(), headers=WANTS_JSON)

    assert response.status_code == 401
    assert "Log in again" in response.json()["errors"]["file"][0]


def test_an_upload_without_the_csrf_token_is_refused():
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner())

    assert browser.post("/models/new/", form()).status_code == 403
    assert not OnnxModel.objects.exists()


def test_an_upload_with_the_token_in_a_header_is_taken():
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner())
    browser.get("/models/new/")
    token = browser.cookies["csrftoken"].value

    browser.post("/models/new/", form(), headers={"X-CSRFToken": token})

    assert OnnxModel.objects.exists()


def test_a_new_version_of_a_model_gets_the_next_number(signed_in):
    onnx_model = a_ready_version().onnx_model

    signed_in.post(f"/models/{onnx_model.pk}/versions/new/", {"file": onnx_file(), "label": "int8"})

    assert onnx_model.latest_version.title == "v2 int8"


def test_the_sample_model_comes_with_one_click_and_once(signed_in):
    first = signed_in.post("/models/sample/")
    second = signed_in.post("/models/sample/")

    assert first.headers["Location"] == second.headers["Location"]
    assert ModelVersion.objects.get().size_bytes > 100_000


def test_a_full_quota_is_said_where_the_sample_model_does_not_fit(signed_in, settings):
    settings.USER_QUOTA_BYTES = 10

    page = signed_in.post("/models/sample/", follow=True)

    assert page.status_code == 200
    assert "larger than you may upload now" in page.text
    assert not OnnxModel.objects.exists()


def test_the_state_of_an_inspection_is_polled_until_it_is_over(signed_in):
    version = a_ready_version(status="inspecting")
    address = f"/versions/{version.pk}/status/"

    assert signed_in.get(address).status_code == 200
    ModelVersion.objects.update(status="ready")
    over = signed_in.get(address)

    assert over.status_code == 286
    assert over.headers["HX-Refresh"] == "true"


def test_a_rejection_is_shown_in_its_own_words_and_as_text(signed_in):
    version = a_ready_version(status="rejected", rejection_reason="<b>Not ONNX</b>")

    page = signed_in.get(f"/models/{version.onnx_model.pk}/").text

    assert "&lt;b&gt;Not ONNX&lt;/b&gt;" in page
    assert "Upload a corrected file" in page


def test_a_stranger_learns_nothing_of_an_inspection(client):
    version = a_ready_version(status="inspecting")
    client.force_login(stranger())

    assert client.get(f"/versions/{version.pk}/status/").status_code == 404


class Unreadable:
    """A body that fails the test when a byte of it is read."""

    def as_request(self):
        return {
            "data": b"",
            "content_type": "multipart/form-data; boundary=x",
            "wsgi.input": self,
            "CONTENT_LENGTH": "200000000",
        }

    def read(self, *args):
        raise AssertionError("the body was read before the sender was known")

    readline = read


def test_a_model_comes_with_its_data_files(signed_in):
    files = [onnx_file("net.onnx"), onnx_file("net.onnx.data", b"weights")]

    signed_in.post("/models/new/", form(file=files, name=""))

    version = ModelVersion.objects.get()
    assert version.onnx_model.name == "net"
    assert [one.name for one in version.data_files.all()] == ["net.onnx.data"]


def test_a_zip_is_unpacked_and_names_the_model(signed_in):
    content = zipped({"model.onnx": b"pretend", "w": b"weights"})

    signed_in.post("/models/new/", form(file=onnx_file("ResNet 50.zip", content), name=""))

    version = ModelVersion.objects.get()
    assert version.onnx_model.name == "ResNet 50"
    assert (version.size_bytes, version.data_bytes) == (7, 7)


def test_files_without_a_model_are_refused_beside_the_field(signed_in):
    files = [onnx_file("a.bin"), onnx_file("b.bin")]

    response = signed_in.post("/models/new/", form(file=files), headers=WANTS_JSON)

    assert response.status_code == 400
    assert "You chose no .onnx file" in response.json()["errors"]["file"][0]
    assert not OnnxModel.objects.exists()


def test_several_files_are_held_to_one_limit(signed_in, settings):
    settings.MAX_UPLOAD_BYTES = 10
    files = [onnx_file("a.onnx", b"x" * 6), onnx_file("b", b"x" * 6)]

    assert signed_in.post("/models/new/", form(file=files)).status_code == 413
    assert not OnnxModel.objects.exists()


def test_the_page_says_how_weights_in_other_files_are_sent(signed_in):
    page = signed_in.get("/models/new/").text

    assert "choose them all together with the .onnx file, or one .zip of them" in page
    assert "multiple" in page
