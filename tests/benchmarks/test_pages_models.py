"""The list of models, and what their owner may change."""

import pytest

from benchmarks.forms import ModelForm
from benchmarks.models import OnnxModel
from tests.people import a_done_run, a_model, a_ready_version, owner, stranger, teammate

pytestmark = pytest.mark.django_db


def test_the_list_shows_ones_own_models_with_their_newest_grams(client):
    a_done_run(mean_s=0.001)
    client.force_login(owner())

    page = client.get("/models/").text

    assert "LeNet-5" in page
    assert "3.17 µg" in page


def test_a_stranger_sees_public_models_only(client):
    a_model(name="Secret")
    a_model(name="Shared", visibility="public")
    client.force_login(stranger())

    page = client.get("/models/?show=public").text

    assert "Shared" in page
    assert "Secret" not in page


def test_an_empty_list_offers_the_sample(client):
    client.force_login(owner())

    assert "Try the sample model" in client.get("/models/").text


def test_the_list_is_searched_by_name_and_says_when_nothing_fits(client):
    a_model(name="ResNet-50")
    client.force_login(owner())

    assert "ResNet-50" in client.get("/models/?q=resnet").text
    assert "No model here" in client.get("/models/?q=bert").text


@pytest.mark.parametrize("sort", ["updated", "run", "grams", "name", "nonsense"])
def test_the_list_can_be_sorted(client, sort):
    a_done_run()
    client.force_login(owner())

    assert "LeNet-5" in client.get(f"/models/?sort={sort}").text


def test_the_list_asks_the_same_number_of_questions_however_long(client, django_assert_num_queries):
    a_done_run()
    client.force_login(owner())
    with django_assert_num_queries(8):
        client.get("/models/")
    for number in range(6):
        a_done_run(a_ready_version(onnx_model=a_model(name=f"Model {number}")))

    with django_assert_num_queries(8):
        client.get("/models/")


def test_the_owner_renames_and_shares_a_model(client):
    onnx_model = a_model()
    client.force_login(owner())

    client.post(f"/models/{onnx_model.pk}/edit/", {"name": "Digits", "visibility": "public"})

    onnx_model.refresh_from_db()
    assert (onnx_model.name, onnx_model.visibility) == ("Digits", "public")


def test_a_name_is_not_given_twice(client):
    a_model(name="Taken")
    onnx_model = a_model(name="Mine")
    client.force_login(owner())

    page = client.post(f"/models/{onnx_model.pk}/edit/", {"name": "Taken", "visibility": "private"})

    assert "already have another model called “Taken”" in page.text
    assert "Rename or share Mine" in page.text


def test_deleting_says_first_what_goes_with_the_model(client):
    run = a_done_run()
    client.force_login(owner())

    page = client.get(f"/models/{run.version.onnx_model.pk}/delete/").text

    assert "1 version" in page
    assert "1 run " in page


def test_the_owner_deletes_a_model(client):
    onnx_model = a_ready_version().onnx_model
    client.force_login(owner())

    response = client.post(f"/models/{onnx_model.pk}/delete/", follow=True)

    assert not OnnxModel.objects.exists()
    assert "has been deleted" in response.text


@pytest.mark.parametrize("page", ["edit", "delete", "run", "versions/new"])
@pytest.mark.parametrize("visibility", ["private", "public"])
def test_nobody_else_changes_or_runs_a_model(client, page, visibility):
    onnx_model = a_ready_version(onnx_model=a_model(visibility=visibility)).onnx_model
    client.force_login(teammate())

    assert client.get(f"/models/{onnx_model.pk}/{page}/").status_code == 404
    assert client.post(f"/models/{onnx_model.pk}/{page}/").status_code == 404
    assert OnnxModel.objects.exists()


@pytest.mark.parametrize("page", ["edit", "delete", "run", "versions/new"])
def test_a_visitor_is_asked_to_log_in(client, page):
    onnx_model = a_model(visibility="public")

    response = client.get(f"/models/{onnx_model.pk}/{page}/")

    assert response.headers["Location"].startswith("/accounts/login/?next=/models/")


def test_a_new_name_leaves_what_was_saved_meanwhile():
    onnx_model = a_model()
    form = ModelForm({"name": "Digits", "visibility": "public"}, instance=onnx_model)
    OnnxModel.objects.update(saved_inputs={"dims": {"batch": 2}})

    assert form.is_valid()
    form.save()

    stored = OnnxModel.objects.get()
    assert (stored.name, stored.visibility) == ("Digits", "public")
    assert stored.saved_inputs == {"dims": {"batch": 2}}
