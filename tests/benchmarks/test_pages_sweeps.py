"""The pages of a sweep: asked for on the run's form, watched, read, cancelled."""

import os

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.models import OnnxModel, Run, Sweep
from tests.people import (
    FIXED_INPUTS,
    a_done_run,
    a_profile,
    a_queued_run,
    a_ready_version,
    a_sweep,
    an_input_set,
    stranger,
)

pytestmark = pytest.mark.django_db


def post_form(client, version, profile, **typed):
    typed = {"batch_size": "1", "intra_op_threads": "1", "effort": "quick"} | typed
    address = f"/models/{version.onnx_model_id}/run/"
    return client.post(address, {"version": version.pk, "profile": profile.pk, **typed})


def test_several_batch_sizes_on_the_form_of_a_run_make_a_sweep(signed_in):
    version = a_ready_version()

    answer = post_form(signed_in, version, a_profile(), batch_size="1, 4 16")

    sweep = Sweep.objects.get()
    assert answer.url == f"/sweeps/{sweep.pk}/"
    assert sorted(sweep.runs.values_list("batch_size", flat=True)) == [1, 4, 16]


def test_one_of_each_is_a_run(signed_in):
    answer = post_form(signed_in, a_ready_version(), a_profile(), batch_size=" 4, ")

    assert answer.url == f"/runs/{Run.objects.get(batch_size=4).pk}/"
    assert not Sweep.objects.exists()


def test_a_whole_shape_follows_the_batch_size_of_each_run(signed_in):
    image = {"name": "image", "dtype": "float32", "shape": [None, 3, None, None]}
    version = a_ready_version(inputs=[image])
    sizes = {"size_0_2": "640", "size_0_3": "1"}

    post_form(signed_in, version, a_profile(), batch_size="1 4", **sizes)

    shapes = [run.input_choices["shapes"]["image"] for run in Run.objects.order_by("turn_at")]
    assert shapes == [[1, 3, 640, 1], [4, 3, 640, 1]]


@pytest.mark.parametrize("typed", ["one", "1.5", "-1", "1e3", "1,,x", "9" * 30])
def test_what_is_no_number_is_said_beside_the_field(signed_in, typed):
    answer = post_form(signed_in, a_ready_version(), a_profile(), batch_size=typed)

    assert answer.status_code == 400
    assert "as in 1, 2, 4, 8" in answer.context["form"].errors["batch_size"][0]
    assert answer.context["form"]["batch_size"].value() == typed


def test_a_refused_sweep_is_said_beside_the_batch_size_and_keeps_what_was_typed(signed_in):
    version = a_ready_version(inputs=FIXED_INPUTS)

    answer = post_form(signed_in, version, a_profile(), batch_size="1, 2")

    assert answer.status_code == 400
    assert "fixed at 1" in answer.context["form"].errors["batch_size"][0]
    assert 'value="1, 2"' in answer.text


def test_the_link_to_a_sweep_opens_the_form_with_the_usual_sizes(signed_in, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    version, run = a_ready_version(), None
    run = a_queued_run(version, effort="quick")

    answer = signed_in.get(f"/runs/sweep/new/?version={version.pk}&like={run.pk}", follow=True)

    form = answer.context["form"]
    assert form["batch_size"].value() == "1, 2, 4, 8, 16, 32"
    assert form["intra_op_threads"].value() == "1, 2, 4"
    assert form["effort"].value() == "quick"


@pytest.mark.parametrize("query", ["", "?version=", "?version=x"])
def test_a_sweep_of_nothing_is_not_found(signed_in, query):
    assert signed_in.get(f"/runs/sweep/new/{query}").status_code == 404


def test_somebody_elses_version_is_not_swept(signed_in):
    version = a_ready_version(stranger())

    assert signed_in.get(f"/runs/sweep/new/?version={version.pk}").status_code == 404


def test_a_finished_sweep_says_its_knee_first(signed_in):
    sweep = a_sweep()
    for batch_size, mean_s in ((1, 0.010), (16, 0.0061), (64, 0.006)):
        a_done_run(sweep.version, sweep.profile, mean_s=mean_s, sweep=sweep, batch_size=batch_size)

    page = signed_in.get(f"/sweeps/{sweep.pk}/").text

    assert "Batch 16 costs 39 % less per inference than batch 1; more brings nothing." in page
    assert "whatever the threads" in page
    assert "data-poll" not in page


def test_a_sweep_under_way_updates_itself_and_then_stops(signed_in):
    sweep = a_sweep(batch_sizes=[1, 2])

    page = signed_in.get(f"/sweeps/{sweep.pk}/").text
    under_way = signed_in.get(f"/sweeps/{sweep.pk}/status/")
    signed_in.post(f"/sweeps/{sweep.pk}/cancel/")
    over = signed_in.get(f"/sweeps/{sweep.pk}/status/")

    assert f'hx-get="/sweeps/{sweep.pk}/status/"' in page
    assert "0 of 2 over" in under_way.text
    assert (under_way.status_code, over.status_code) == (200, 286)
    assert over["HX-Refresh"] == "true"


def test_a_failed_setting_is_named_in_the_table(signed_in):
    sweep = a_sweep(batch_sizes=[1, 256])
    Run.objects.filter(batch_size=256).update(
        status="failed",
        failure_code="out_of_memory",
        failure_message="The model needed more memory than it may have.",
        finished_at="2026-01-01T00:00:00Z",
    )

    page = signed_in.get(f"/sweeps/{sweep.pk}/").text

    assert "The model needed more memory than it may have." in page


def test_a_private_sweep_is_its_owners_and_a_public_one_is_read_only(client):
    sweep = a_sweep(batch_sizes=[1, 2])
    client.force_login(stranger())
    pages = [f"/sweeps/{sweep.pk}/{rest}" for rest in ("", "status/", "sweep.csv")]

    private = [client.get(page).status_code for page in pages]
    onnx_model = sweep.version.onnx_model
    onnx_model.visibility = "public"
    onnx_model.save()
    public = [client.get(page).status_code for page in pages]
    changed = [client.post(f"/sweeps/{sweep.pk}/{do}/").status_code for do in ("cancel", "again")]

    assert (private, public, changed) == ([404] * 3, [200] * 3, [404] * 2)
    assert "Cancel what is left" not in client.get(pages[0]).text
    assert sweep.runs.filter(status="queued").count() == 2


def test_running_a_sweep_again_makes_another(signed_in):
    sweep = a_sweep(batch_sizes=[1, 2])

    answer = signed_in.post(f"/sweeps/{sweep.pk}/again/")

    again = Sweep.objects.exclude(pk=sweep.pk).get()
    assert answer.url == f"/sweeps/{again.pk}/"


def test_a_sweep_that_cannot_be_repeated_says_why(signed_in, settings):
    settings.USER_QUEUED_RUN_LIMIT = 2
    sweep = a_sweep(batch_sizes=[1, 2])

    answer = signed_in.post(f"/sweeps/{sweep.pk}/again/", follow=True)

    assert "You have 2 runs waiting already" in answer.text


def test_a_run_leads_to_its_sweep_and_home_lists_it(signed_in):
    sweep = a_sweep(batch_sizes=[1, 2])
    run = sweep.runs.first()
    link = f"/sweeps/{sweep.pk}/"

    assert link in signed_in.get(f"/runs/{run.pk}/").text
    assert link in signed_in.get("/runs/").text
    assert link in signed_in.get("/").text


def test_the_table_comes_as_a_file(signed_in):
    sweep = a_sweep(batch_sizes=[1, 2])

    answer = signed_in.get(f"/sweeps/{sweep.pk}/sweep.csv")

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.text.splitlines()[0].startswith("run,status,batch_size,intra_op_threads")
    assert len(answer.text.splitlines()) == 3


def test_a_sweep_whose_runs_are_gone_still_has_a_page(signed_in):
    sweep = a_sweep()

    assert "have been deleted" in signed_in.get(f"/sweeps/{sweep.pk}/").text


def images(version, count):
    """Real inputs of a model that hold so many items."""
    tensor = {"name": "input", "dtype": "float32", "shape": [count, 1, 28, 28]}
    return an_input_set(version.onnx_model, tensors=[tensor])


def test_a_sweep_over_threads_takes_the_batch_size_of_the_real_inputs(signed_in, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    version = a_ready_version()
    photos = images(version, 3)

    post_form(signed_in, version, a_profile(), intra_op_threads="1, 2", values=str(photos.pk))

    sweep = Sweep.objects.get()
    assert sweep.settings["batch_sizes"] == [3]
    assert {run.input_set for run in sweep.runs.all()} == {photos}
    assert "the real inputs “photos”" in signed_in.get(f"/sweeps/{sweep.pk}/").text


@pytest.mark.parametrize("query", ["", "?batch_size=1,2"])
def test_several_batch_sizes_with_real_inputs_of_one_are_refused(signed_in, query):
    version = a_ready_version()
    fields = {"batch_size": "1, 2", "intra_op_threads": "1", "effort": "quick"}
    chosen = {"version": version.pk, "profile": a_profile().pk, "values": images(version, 3).pk}

    answer = signed_in.post(f"/models/{version.onnx_model_id}/run/{query}", fields | chosen)

    assert answer.status_code == 400
    assert "The file holds 3 items at once" in answer.context["form"].errors["batch_size"][0]
    assert not Run.objects.exists()


def test_a_sweep_like_a_run_with_real_inputs_keeps_their_batch_size(signed_in, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    version = a_ready_version()
    photos = images(version, 3)
    run = a_queued_run(version, batch_size=3, input_set=photos, values_name=photos.name)

    answer = signed_in.get(f"/runs/sweep/new/?version={version.pk}&like={run.pk}", follow=True)

    form = answer.context["form"]
    assert (form["batch_size"].value(), form["intra_op_threads"].value()) == ("3", "1, 2")
    assert form["values"].value() == photos.pk


def test_sizes_asked_for_with_a_sweep_are_saved_with_the_model_for_any_batch(signed_in):
    image = {"name": "image", "dtype": "float32", "shape": [None, 3, None, None]}
    version = a_ready_version(inputs=[image])
    sizes = {"size_0_2": "640", "size_0_3": "480", "save_inputs": "on"}

    post_form(signed_in, version, a_profile(), batch_size="2, 4", **sizes)

    assert OnnxModel.objects.get().saved_inputs == {"shapes": {"image": [1, 3, 640, 480]}}
    assert Sweep.objects.get().runs.count() == 2


def test_a_sweep_is_watched_without_what_its_page_does_not_show(signed_in):
    sweep = a_sweep()
    a_done_run(sweep.version, sweep.profile, sweep=sweep)

    with CaptureQueriesContext(connection) as queries:
        signed_in.get(f"/sweeps/{sweep.pk}/status/")

    asked = " ".join(query["sql"] for query in queries)
    assert "mean_s" in asked
    assert not [name for name in ("samples_s", "as_measured", "composition") if name in asked]
