"""The pages on which one sets what a model is fed, and sends real inputs."""

import numpy as np
import pytest
from django.utils import timezone

from benchmarks import input_choices
from benchmarks.models import InputSet, OnnxModel, Run
from tests.arrays import an_image, an_npy, an_npz, an_upload
from tests.people import (
    a_done_run,
    a_profile,
    a_queued_run,
    a_ready_version,
    admin,
    an_input_set,
    stranger,
)

pytestmark = pytest.mark.django_db

HINTED = {
    "name": "x",
    "dtype": "float32",
    "shape": ["batch", 3, "height", "width"],
    "hint": {
        "sizes": [None, None, 224, 224],
        "size_whys": ["", "", "image height, 224 is usual", "image width, 224 is usual"],
        "low": 0,
        "high": 255,
        "range_why": "scaled by 1/255 in the graph",
    },
}
TOKENS = {"name": "tokens", "dtype": "int64", "shape": ["batch", "length"]}
MASK = {"name": "mask", "dtype": "int64", "shape": ["batch", "length"]}
PAST = [
    {
        "name": f"past_key_values.{layer}.{part}",
        "dtype": "float32",
        "shape": ["batch", 8, "past", 64],
    }
    for layer in range(20)
    for part in ("key", "value")
]
LARGE = {"dims": {"height": 640, "width": 480}}


def form_of(client, version, query=""):
    return client.get(f"/models/{version.onnx_model_id}/run/{query}").context["form"]


def ask(client, version, **fields):
    settings = {"batch_size": "1", "intra_op_threads": "1", "effort": "quick"}
    chosen = {"version": str(version.pk), "profile": str(a_profile().pk), **settings, **fields}
    return client.post(f"/models/{version.onnx_model_id}/run/", chosen)


def typed(form):
    """What a browser sends back of a form that nobody has touched."""
    return {
        name: "" if form[name].value() is None else str(form[name].value())
        for name in form.fields
        if name not in {"version", "profile", "file", "save_inputs", "values"}
    }


def test_the_form_begins_with_the_guesses_and_their_reasons(signed_in):
    form = form_of(signed_in, a_ready_version(inputs=[HINTED]))

    (card,) = form.input_cards
    assert [field.value() for field in card.size_fields] == [224, 224]
    assert card.size_fields[0].help_text.endswith("The guess is 224: image height, 224 is usual.")
    assert card.summary == "Values from 0 to 255 (scaled by 1/255 in the graph)"
    assert card.notes == []


def test_guesses_that_nobody_touches_stay_guesses(signed_in):
    version = a_ready_version(inputs=[HINTED, TOKENS])

    ask(signed_in, version, **typed(form_of(signed_in, version)))

    assert Run.objects.get().input_choices == {}


def test_a_size_of_one_is_a_choice_where_the_guess_is_another(signed_in):
    version = a_ready_version(inputs=[HINTED])

    ask(signed_in, version, **{**typed(form_of(signed_in, version)), "dim_0_2": "1"})

    assert Run.objects.get().input_choices == {"dims": {"height": 1}}


def test_what_is_fixed_has_no_field(signed_in):
    form = form_of(signed_in, a_ready_version())

    assert [name for name in form.fields if name.startswith(("dim", "size", "shape"))] == []


def test_forty_inputs_alike_make_two_cards(signed_in):
    form = form_of(signed_in, a_ready_version(inputs=[TOKENS, MASK, *PAST]))

    cards = form.input_cards
    assert [card.count for card in cards] == [1, 1, 20, 20]
    assert cards[2].name == "past_key_values.0.key … past_key_values.19.key"
    assert [field.label for field in cards[2].size_fields] == ["past"]
    assert [field.label for field in cards[3].size_fields] == []
    assert "past is set above." in cards[3].notes
    assert not cards[2].is_open


def test_a_group_is_open_where_one_of_it_is_set(signed_in):
    version = a_ready_version(inputs=PAST)

    response = ask(signed_in, version, low_6="0", high_6="9", batch_size="0")

    assert [card.is_open for card in response.context["form"].input_cards] == [True, False]


def test_sizes_are_saved_with_the_model_and_the_next_form_begins_with_them(signed_in):
    version = a_ready_version(inputs=[HINTED])

    ask(signed_in, version, dim_0_2="640", dim_0_3="480", save_inputs="on")
    form = form_of(signed_in, version)

    assert OnnxModel.objects.get().saved_inputs == LARGE
    assert (form["dim_0_2"].value(), form["dim_0_3"].value()) == (640, 480)
    assert form.follows == "saved"


def test_sizes_are_not_saved_unasked_nor_by_a_run_that_is_refused(signed_in):
    version = a_ready_version(inputs=[HINTED])

    ask(signed_in, version, dim_0_2="640")
    ask(signed_in, version, dim_0_2="640", batch_size="0", save_inputs="on")

    assert OnnxModel.objects.get().saved_inputs == {}


def test_a_run_asked_for_by_name_goes_before_what_is_saved(signed_in):
    version = a_ready_version(inputs=[HINTED])
    input_choices.save(version.onnx_model, LARGE)
    run = a_queued_run(version, input_choices={"dims": {"height": 8}})

    form = form_of(signed_in, version, f"?like={run.pk}")

    assert (form["dim_0_2"].value(), form["dim_0_3"].value()) == (8, 224)


def test_what_is_saved_goes_before_the_last_good_run(signed_in):
    version = a_ready_version(inputs=[HINTED])
    a_done_run(version, input_choices={"dims": {"height": 8}}, batch_size=4)
    input_choices.save(version.onnx_model, LARGE)

    form = form_of(signed_in, version)

    assert (form["dim_0_2"].value(), form["batch_size"].value()) == (640, 4)


def test_the_form_says_what_of_the_saved_does_not_fit(signed_in):
    version = a_ready_version(inputs=[HINTED])
    input_choices.save(version.onnx_model, LARGE)
    later = a_ready_version(onnx_model=version.onnx_model, inputs=[TOKENS])
    a_profile()

    page = signed_in.get(f"/models/{later.onnx_model_id}/run/").text

    assert "Not everything saved with the model fits this version" in page
    assert "no free dimension called “width”" in page


def test_a_failure_that_names_an_input_puts_the_cursor_there(signed_in):
    version = a_ready_version(inputs=[TOKENS, HINTED])
    run = a_queued_run(
        version,
        status="failed",
        failure_code="model_failed",
        failure_message="The model failed. The first to set is “x”: give it a size.",
        finished_at=timezone.now(),
    )

    form = form_of(signed_in, version, f"?like={run.pk}")
    page = signed_in.get(f"/models/{version.onnx_model_id}/run/?like={run.pk}").text

    assert form.fields["dim_1_2"].widget.attrs["autofocus"]
    assert page.count("autofocus") == 1
    assert "That run ended so: The model failed." in page


def test_the_inputs_page_saves_and_goes_back_to_the_guesses(signed_in):
    version = a_ready_version(inputs=[HINTED])
    address = f"/models/{version.onnx_model_id}/inputs/"

    saved = signed_in.post(address, {"dim_0_2": "640", "dim_0_3": "480"})
    page = signed_in.get(address).text
    stored = OnnxModel.objects.get().saved_inputs
    signed_in.post(f"{address}forget/")

    assert saved.headers["Location"] == address
    assert stored == LARGE
    assert "Back to the guesses" in page
    assert OnnxModel.objects.get().saved_inputs == {}
    assert f"{address}forget/" not in signed_in.get(address).text


def test_the_inputs_page_refuses_beside_the_field(signed_in):
    version = a_ready_version(inputs=[HINTED])

    response = signed_in.post(f"/models/{version.onnx_model_id}/inputs/", {"low_0": "3"})

    assert response.status_code == 400
    assert "Give both ends of the range" in response.text


def test_the_inputs_page_of_a_model_without_a_readable_version_says_so(signed_in):
    onnx_model = a_ready_version(status="inspecting").onnx_model

    page = signed_in.get(f"/models/{onnx_model.pk}/inputs/").text

    assert "nothing is known of its inputs" in page


def test_real_inputs_are_sent_listed_downloaded_and_deleted(signed_in):
    version = a_ready_version()
    address = f"/models/{version.onnx_model_id}/inputs/"
    content = an_npz(input=an_image(2))

    signed_in.post(f"{address}new/", {"file": an_upload(content, "photos.npz")})
    input_set = InputSet.objects.get()
    page = signed_in.get(address).text
    file = signed_in.get(f"{address}{input_set.pk}/file/")

    assert "input: float32, 2 × 1 × 28 × 28" in page
    assert b"".join(file.streaming_content) == content
    assert file.headers["Content-Disposition"] == 'attachment; filename="photos.npz"'
    assert file.headers["Content-Type"] == "application/octet-stream"
    assert "Delete “photos”?" in signed_in.get(f"{address}{input_set.pk}/delete/").text
    signed_in.post(f"{address}{input_set.pk}/delete/")
    assert not InputSet.objects.exists()


def test_real_inputs_that_do_not_fit_are_refused_on_their_page(signed_in):
    version = a_ready_version()

    response = signed_in.post(
        f"/models/{version.onnx_model_id}/inputs/new/",
        {"file": an_upload(an_npz(cat=an_image()), "photos.npz")},
    )

    assert response.status_code == 400
    assert "“cat”" in response.text
    assert not InputSet.objects.exists()


def test_files_larger_than_what_is_left_are_refused(signed_in, settings):
    version = a_ready_version()
    settings.USER_QUOTA_BYTES = version.size_bytes + 10

    response = signed_in.post(
        f"/models/{version.onnx_model_id}/inputs/new/",
        {"file": an_upload(an_npz(input=an_image()), "photos.npz")},
    )

    assert response.status_code == 413
    assert "larger than you may upload" in response.text


def test_a_run_is_fed_files_sent_with_its_form(signed_in):
    version = a_ready_version(inputs=[TOKENS, MASK])
    pair = np.ones((2, 9), np.int64)
    files = [an_upload(an_npy(pair), "tokens.npy"), an_upload(an_npy(pair), "mask.npy")]

    ask(signed_in, version, file=files)

    run = Run.objects.get()
    assert run.input_set == InputSet.objects.get()
    assert (run.values_name, run.batch_size, run.input_choices) == ("inputs", 2, {})


def test_files_sent_with_a_form_that_is_wrong_need_not_be_sent_again(signed_in):
    version = a_ready_version()

    response = ask(
        signed_in,
        version,
        file=an_upload(an_npz(input=an_image()), "photos.npz"),
        effort="heroic",
    )

    assert response.status_code == 400
    assert response.context["form"]["values"].value() == str(InputSet.objects.get().pk)


def test_files_that_do_not_fit_are_refused_on_the_run_form_with_all_kept(signed_in):
    version = a_ready_version(inputs=[HINTED])

    response = ask(
        signed_in,
        version,
        file=an_upload(an_npz(x=an_image()), "photos.npz"),
        dim_0_2="99",
    )

    assert response.status_code == 400
    assert "[1, 1, 28, 28]" in str(response.context["form"].errors["file"])
    assert response.context["form"]["dim_0_2"].value() == "99"
    assert not Run.objects.exists()


def test_the_batch_of_a_file_is_the_runs_unless_another_is_typed(signed_in):
    version = a_ready_version()
    arrays = [{"name": "input", "dtype": "float32", "shape": [5, 1, 28, 28]}]
    input_set = an_input_set(version.onnx_model, tensors=arrays)

    refused = ask(signed_in, version, values=str(input_set.pk), batch_size="3")
    ask(signed_in, version, values=str(input_set.pk))

    assert "batch_size" in refused.context["form"].errors
    assert Run.objects.get().batch_size == 5


def test_the_page_of_a_run_says_what_it_was_fed_even_when_that_is_deleted(signed_in):
    version = a_ready_version()
    input_set = an_input_set(version.onnx_model, name="holiday photos")
    run = a_queued_run(
        version, input_set=input_set, values_name="holiday photos", values_sha256="ab" * 32
    )

    before = signed_in.get(f"/runs/{run.pk}/").text
    input_set.delete()
    after = signed_in.get(f"/runs/{run.pk}/").text

    assert "holiday photos" in before
    assert "from the file" in before
    assert "deleted since" not in before
    assert "holiday photos" in after
    assert "deleted since" in after


def test_a_run_leads_to_a_form_with_its_own_inputs(signed_in):
    version = a_ready_version(inputs=[HINTED])
    fed = {"name": "x", "dtype": "float32", "shape": [1, 3, 640, 480], "why": [], "low": 0}
    run = a_done_run(
        version, input_choices=LARGE, measurement={"inputs_used": [{**fed, "high": 1}]}
    )

    page = signed_in.get(f"/runs/{run.pk}/").text

    assert f"like={run.pk}#run-inputs" in page


def test_the_values_and_their_reason_stand_on_the_page_of_a_run(signed_in):
    run = a_queued_run(a_ready_version(inputs=[HINTED]))

    page = signed_in.get(f"/runs/{run.pk}/").text

    assert "guessed: image height, 224 is usual" in page
    assert "scaled by 1/255 in the graph" in page


@pytest.mark.parametrize("visibility", ["private", "public"])
def test_nobody_else_sees_or_takes_real_inputs(client, visibility):
    version = a_ready_version()
    OnnxModel.objects.update(visibility=visibility)
    input_set = an_input_set(version.onnx_model)
    address = f"/models/{version.onnx_model_id}/inputs/"

    client.force_login(stranger())
    answers = [
        client.get(address),
        client.post(address, {}),
        client.post(f"{address}forget/"),
        client.post(f"{address}new/", {"file": an_upload(b"x", "x.npz")}),
        client.get(f"{address}{input_set.pk}/file/"),
        client.post(f"{address}{input_set.pk}/delete/"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert InputSet.objects.exists()


def test_staff_may_download_and_may_not_delete(client):
    input_set = an_input_set(a_ready_version().onnx_model)
    address = f"/models/{input_set.onnx_model_id}/inputs/{input_set.pk}"

    client.force_login(admin())

    assert client.get(f"{address}/file/").status_code == 200
    assert client.post(f"{address}/delete/").status_code == 404


def test_somebody_elses_inputs_cannot_be_chosen(signed_in):
    others = an_input_set(a_ready_version(stranger()).onnx_model)

    response = ask(signed_in, a_ready_version(), values=str(others.pk))

    assert "values" in response.context["form"].errors
    assert not Run.objects.exists()


def test_real_inputs_break_the_line_of_a_history(signed_in):
    version = a_ready_version()
    a_done_run(version)
    a_done_run(version, values_name="photos", values_sha256="ab" * 32)

    page = signed_in.get(f"/models/{version.onnx_model_id}/").text

    assert "fed “photos”" in page
