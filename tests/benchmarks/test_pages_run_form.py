"""The form that asks for a run: what it begins with, and what it says about the inputs."""

import pytest
from django.utils import timezone

from benchmarks.models import Run
from tests.people import (
    a_done_run,
    a_profile,
    a_queued_run,
    a_ready_version,
    owner,
    stranger,
)

pytestmark = pytest.mark.django_db

SOUND = {"name": "sound", "dtype": "float32", "shape": [None, None]}
RATE = {"name": "sr", "dtype": "int64", "shape": []}
IMAGE = {"name": "x", "dtype": "float32", "shape": ["batch", 3, "height", "width"]}
CHOSEN = {"shapes": {"sound": [1, 512]}, "ranges": {"sr": [16000, 16000]}}


def finished(*, code, message):
    return {"finished_at": timezone.now(), "failure_code": code, "failure_message": message}


def form_of(client, version, query=""):
    return client.get(f"/models/{version.onnx_model_id}/run/{query}").context["form"]


def test_a_failed_run_leads_back_to_its_own_settings(signed_in):
    version = a_ready_version(inputs=[SOUND, RATE])
    run = a_queued_run(
        version,
        status="failed",
        input_choices=CHOSEN,
        effort="quick",
        intra_op_threads=1,
        **finished(code="model_failed", message="It takes no sound of 1 sample."),
    )

    page = signed_in.get(f"/runs/{run.pk}/").text
    form = form_of(signed_in, version, f"?version={version.pk}&like={run.pk}")

    assert f"?version={version.pk}&amp;like={run.pk}" in page
    assert form["size_0_1"].value() == 512
    assert (form["low_1"].value(), form["high_1"].value()) == (16000, 16000)
    assert (form["profile"].value(), form["effort"].value()) == (run.profile_id, "quick")


def test_a_failed_run_shows_what_the_model_was_fed(signed_in):
    run = a_queued_run(
        a_ready_version(inputs=[IMAGE]),
        status="failed",
        input_choices={"dims": {"height": 48}},
        **finished(code="model_failed", message="It takes no image of 48 by 1."),
    )

    page = signed_in.get(f"/runs/{run.pk}/").text

    assert "1 × 3 × 48 × 1" in page
    assert "batch size, declared, chosen, default 1" in page


@pytest.mark.parametrize("code", ["load_failed", "not_implemented"])
def test_a_model_that_the_runtime_refuses_is_to_be_exported_again(code, signed_in):
    failure = finished(code=code, message="onnxruntime could not load it.")
    run = a_queued_run(status="failed", **failure)

    page = signed_in.get(f"/runs/{run.pk}/").text

    assert f"/models/{run.version.onnx_model_id}/versions/new/" in page
    assert "Change the settings" not in page


def test_the_next_version_is_run_as_the_last_one_was(signed_in):
    first = a_ready_version(inputs=[IMAGE])
    profile = a_profile(name="The usual one")
    a_done_run(first, profile, input_choices={"dims": {"height": 640, "width": 480}}, batch_size=4)
    second = a_ready_version(onnx_model=first.onnx_model, inputs=[IMAGE])

    form = form_of(signed_in, second)

    assert form["version"].value() == second.pk
    assert (form["dim_0_2"].value(), form["dim_0_3"].value()) == (640, 480)
    assert (form["batch_size"].value(), form["profile"].value()) == (4, profile.pk)


def test_somebody_elses_run_and_no_run_at_all_are_not_followed(signed_in):
    version = a_ready_version(inputs=[IMAGE])
    others = a_queued_run(a_ready_version(stranger(), inputs=[IMAGE]), batch_size=32)

    assert form_of(signed_in, version, f"?like={others.pk}")["batch_size"].value() == 1
    assert signed_in.get(f"/models/{version.onnx_model_id}/run/?like=none").status_code == 404
    assert Run.objects.count() == 1


def test_a_free_size_says_where_it_stands_and_why_it_is_what_it_is(signed_in):
    form = form_of(signed_in, a_ready_version(inputs=[IMAGE, SOUND]))

    nothing_shows = "Nothing shows what it should be: 1 is only where it starts."
    assert form.fields["dim_0_2"].help_text == f"Dimension 3 of x. {nothing_shows}"
    assert form.fields["size_1_1"].help_text == f"Marked here: ? × [?]. {nothing_shows}"


def test_the_range_is_open_where_an_input_is_a_lone_number(signed_in):
    form = form_of(signed_in, a_ready_version(inputs=[SOUND, RATE, IMAGE]))

    assert [card.is_open for card in form.input_cards] == [False, True, False]


def test_a_name_that_a_model_gives_is_text_and_never_markup(signed_in):
    nasty = {"name": "<script>x</script>", "dtype": "float32", "shape": [1, "<b>size</b>"]}
    version, _ = a_ready_version(inputs=[nasty]), a_profile()

    page = signed_in.get(f"/models/{version.onnx_model_id}/run/").text

    assert "<script>x" not in page
    assert "<b>size" not in page
    assert "&lt;script&gt;x" in page


def test_ones_own_machine_stands_before_what_others_share(signed_in):
    a_profile(stranger(), "A shared machine", visibility="public")
    own = a_profile(owner(), "My machine")

    form = form_of(signed_in, a_ready_version())

    assert form.fields["profile"].queryset.first() == own
    assert form.fields["profile"].empty_label is None


def test_machines_that_others_share_are_named_as_theirs(signed_in):
    a_profile(stranger(), "A shared machine", visibility="public")
    version = a_ready_version()

    page = signed_in.get(f"/models/{version.onnx_model_id}/run/").text
    a_profile(owner(), "My machine")
    with_own = signed_in.get(f"/models/{version.onnx_model_id}/run/").text

    assert "A shared machine (16 W, India, shared by stranger)" in page
    assert "describe your own" in page
    assert "My machine (16 W, India)" in with_own
    assert "describe your own" not in with_own
