"""Accuracy on the pages: asked for, shown, compared, cleared; measured and typed told apart."""

import csv
import io
import json
from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks import exports
from benchmarks.comparison import compare
from benchmarks.models import Evaluation, ModelVersion, Run
from tests.arrays import an_image, an_npz, an_upload
from tests.people import (
    FIXED_INPUTS,
    a_done_run,
    a_labelled_set,
    a_measured_accuracy,
    a_model,
    a_profile,
    a_queued_run,
    a_ready_version,
    an_input_set,
    owner,
    stranger,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def model():
    return a_model(name="Digits")


def ask(client, version, **fields):
    settings = {"batch_size": "1", "intra_op_threads": "1", "effort": "quick"}
    chosen = {"version": str(version.pk), "profile": str(a_profile().pk), **settings, **fields}
    return client.post(f"/models/{version.onnx_model_id}/run/", chosen)


def page_of(client, address):
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.text.split())


def test_a_run_is_asked_to_measure_the_accuracy_too(signed_in):
    version = a_ready_version()
    input_set = a_labelled_set(version)

    ask(signed_in, version, values=str(input_set.pk), measures_accuracy="on", batch_size="8")

    run = Run.objects.get()
    assert (run.measures_accuracy, run.batch_size, run.answer_output) == (True, 8, "")
    assert run.input_set == input_set


def test_the_output_with_the_answer_is_chosen_among_the_versions_own(signed_in):
    version = a_ready_version()
    values = {"values": str(a_labelled_set(version).pk), "measures_accuracy": "on"}

    refused = ask(signed_in, version, answer_output="other", **values)
    ask(signed_in, version, answer_output="output", **values)

    assert "answer_output" in refused.context["form"].errors
    assert Run.objects.get().answer_output == "output"


def test_accuracy_without_an_evaluation_set_is_refused_beside_the_tick(signed_in):
    refused = ask(signed_in, a_ready_version(), measures_accuracy="on")

    assert "“labels”" in str(refused.context["form"].errors["measures_accuracy"])


def test_a_sweep_measures_no_accuracy(signed_in):
    version = a_ready_version()

    refused = ask(
        signed_in,
        version,
        values=str(a_labelled_set(version).pk),
        measures_accuracy="on",
        batch_size="1, 2",
    )

    assert "sweep" in str(refused.context["form"].errors["measures_accuracy"])
    assert not Run.objects.exists()


def test_a_set_sent_with_the_form_is_evaluated(signed_in):
    version = a_ready_version()
    content = an_npz(input=an_image(3), labels=np.array([1, 2, 3]))

    ask(signed_in, version, file=an_upload(content, "digits.npz"), measures_accuracy="on")

    run = Run.objects.get()
    assert (run.values_name, run.measures_accuracy, run.batch_size) == ("digits", True, 1)


def test_the_inputs_page_offers_what_each_set_is_good_for(signed_in):
    version = a_ready_version(inputs=FIXED_INPUTS)
    labelled = a_labelled_set(version)
    plain = an_input_set(version.onnx_model)

    page = page_of(signed_in, f"/models/{version.onnx_model_id}/inputs/")

    evaluating = f"?values={labelled.pk}&amp;measures_accuracy=on"
    assert page.count("Measure accuracy") == page.count(evaluating) == 1
    assert f'?values={plain.pk}">Run with it' in page
    assert f'?values={labelled.pk}">Run with it' not in page
    assert "Does not fit" not in page


def test_the_link_ticks_the_box_and_another_one_does_not(signed_in):
    version = a_ready_version()
    labelled = a_labelled_set(version)
    a_done_run(version, input_set=labelled, values_name="photos", measures_accuracy=True)
    address = f"/models/{version.onnx_model_id}/run/"

    def is_ticked(query):
        return signed_in.get(address + query).context["form"]["measures_accuracy"].value()

    assert is_ticked(f"?values={labelled.pk}&measures_accuracy=on")
    assert not is_ticked(f"?values={labelled.pk}")
    # As the run before, whose settings the form begins with.
    assert is_ticked("")


def test_a_runs_page_says_what_was_found_in_plain_words(signed_in):
    version = a_ready_version(accuracy_ratio=0.5)
    run = a_measured_accuracy(version, 38, 40).run

    page = page_of(signed_in, f"/runs/{run.pk}/")

    assert "38 of 40 items of <strong>digits</strong>" in page
    assert "95 %</span></strong> right" in page
    assert "It is the accuracy of v1 in comparisons, before the" in page
    assert "the highest of the 10 numbers of the output “scores”, held to the label" in page


def test_answers_that_are_no_number_are_named(signed_in):
    version = a_ready_version()
    found = a_measured_accuracy(version, 30, 40)
    found.reading["not_a_number_count"] = 3
    found.save()

    page = page_of(signed_in, f"/runs/{found.run_id}/")

    assert "3 answers were no number (NaN)</strong> and count as wrong" in page


def test_a_failed_evaluation_is_told_and_the_grams_stand(signed_in):
    run = a_done_run(measures_accuracy=True, values_name="digits")
    Evaluation.objects.create(
        run=run,
        values_name="digits",
        values_sha256="0" * 64,
        failure_code="bad_labels",
        failure_message="The label of item 2 is 7 <b>.",
    )

    page = page_of(signed_in, f"/runs/{run.pk}/")

    assert "The accuracy is not known.</strong> The label of item 2 is 7 &lt;b&gt;." in page
    assert "CO₂ per inference" in page


def test_an_older_evaluation_names_the_run_that_has_measured_since(signed_in):
    version = a_ready_version()
    older, newer = a_measured_accuracy(version, 30, 40), a_measured_accuracy(version, 38, 40)

    page = page_of(signed_in, f"/runs/{older.run_id}/")

    assert f'<a href="/runs/{newer.run_id}/">a later run</a> has measured it since' in page


def test_measured_and_typed_stand_side_by_side_and_say_which_counts(signed_in):
    version = a_ready_version(accuracy_ratio=0.5)
    a_measured_accuracy(version, 38, 40)

    versions = page_of(signed_in, f"/models/{version.onnx_model_id}/")
    edit = page_of(signed_in, f"/versions/{version.pk}/edit/")

    assert "typed: 50 %, not used" in versions
    assert "measured</a> on digits, 40 items" in versions
    assert "Comparisons use it, and not what is typed below." in edit


def test_the_owner_clears_what_was_measured_and_what_was_typed_counts_again(signed_in):
    version = a_ready_version(accuracy_ratio=0.5)
    run = a_measured_accuracy(version, 38, 40).run

    answer = signed_in.post(f"/versions/{version.pk}/accuracy/forget/")

    version = ModelVersion.objects.get()
    assert answer.headers["Location"] == f"/versions/{version.pk}/edit/"
    assert (version.evaluation, version.accuracy.ratio) == (None, 0.5)
    assert "its owner has cleared it" in page_of(signed_in, f"/runs/{run.pk}/")


def test_nobody_else_clears_it(client):
    version = a_ready_version()
    a_measured_accuracy(version, 38, 40)

    anonymously = client.post(f"/versions/{version.pk}/accuracy/forget/")
    client.force_login(stranger())
    strangely = client.post(f"/versions/{version.pk}/accuracy/forget/")

    assert (anonymously.status_code, strangely.status_code) == (302, 404)
    assert ModelVersion.objects.get().evaluation is not None


def test_saving_the_form_of_a_version_keeps_what_was_measured(signed_in):
    version = a_ready_version()
    a_measured_accuracy(version, 38, 40)

    signed_in.post(f"/versions/{version.pk}/edit/", {"label": "x", "accuracy_percent": "12"})

    version = ModelVersion.objects.get()
    assert (version.accuracy_ratio, version.accuracy.ratio) == (0.12, 0.95)


def a_pair(model, first, second, **second_set):
    versions = [a_ready_version(onnx_model=model) for _ in range(2)]
    a_measured_accuracy(versions[0], *first)
    a_measured_accuracy(versions[1], *second, **second_set)
    return versions


def accuracy_row(comparison):
    return next(row for row in comparison.rows if row.criterion.name == "accuracy_ratio")


def test_a_difference_inside_the_interval_is_called_that(model):
    found = compare(a_pair(model, (90, 100), (88, 100)), user=owner())
    cell = accuracy_row(found).cells[1]

    assert cell.is_within_noise
    assert cell.gap.low < 0 < cell.gap.high
    assert "accuracy (inside the noise)" in found.summary
    assert not found.is_accuracy_mixed


def test_a_difference_beyond_it_is_one(model):
    found = compare(a_pair(model, (900, 1000), (800, 1000)), user=owner())
    cell = accuracy_row(found).cells[1]

    assert not cell.is_within_noise
    assert 0 < cell.gap.low < 0.1 < cell.gap.high
    assert "v1 is better on accuracy" in found.summary


def test_a_typed_accuracy_beside_a_measured_one_is_held_to_its_interval(model):
    measured, typed = (a_ready_version(onnx_model=model) for _ in range(2))
    a_measured_accuracy(measured, 90, 100)
    ModelVersion.objects.filter(pk=typed.pk).update(accuracy_ratio=0.89)
    typed.refresh_from_db()

    found = compare([measured, typed], user=owner())

    assert accuracy_row(found).cells[1].is_within_noise
    assert found.is_accuracy_mixed


def test_typed_accuracies_are_compared_as_before(model):
    versions = [a_ready_version(onnx_model=model, accuracy_ratio=one) for one in (0.9, 0.8)]

    cell = accuracy_row(compare(versions, user=owner())).cells[1]

    assert (cell.gap, cell.interval, cell.is_within_noise) == (None, None, False)
    assert cell.behind_ratio == 0.9 / 0.8


def test_the_comparison_page_shows_intervals_and_where_they_are_from(signed_in, model):
    versions = a_pair(model, (90, 100), (60, 100), values_name="others")

    answer = signed_in.get("/compare/?" + "&".join(f"v={one.pk}" for one in versions))
    page = " ".join(answer.text.split())
    points = json.loads(page.split('id="pareto-facts" type="application/json">')[1].split("<")[0])

    assert "measured on digits, 100 items" in page
    assert "points behind" in page
    assert "not all from one evaluation set" in page
    interval = accuracy_row(answer.context["comparison"]).cells[0].interval
    assert points["points"][0]["low_ratio"] == interval.low
    assert points["points"][0]["high_ratio"] == interval.high


def test_the_files_have_the_interval(model):
    found = compare(a_pair(model, (90, 100), (60, 100)), user=owner())

    rows = list(csv.DictReader(io.StringIO(exports.comparison_csv(found))))
    lines = exports.comparison_markdown(found).splitlines()

    (first, _) = [row for row in rows if row["criterion"] == "accuracy_ratio"]
    interval = accuracy_row(found).cells[0].interval
    assert (float(first["value_low"]), float(first["value_high"])) == (interval.low, interval.high)
    assert {row["value_low"] for row in rows if row["criterion"] != "accuracy_ratio"} == {""}
    assert "| accuracy (higher is better) | **90 % (82.6 % to 94.5 %)** |" in "\n".join(lines)


def test_versions_with_measured_accuracies_cost_no_more_queries(signed_in, model):
    versions = a_pair(model, (90, 100), (60, 100))
    address = "/compare/?" + "&".join(f"v={one.pk}" for one in versions)

    measured = _queries(signed_in, address)
    ModelVersion.objects.update(evaluation=None)
    typed = _queries(signed_in, address)

    assert measured == typed


def _queries(client, address):
    with CaptureQueriesContext(connection) as seen:
        client.get(address)
    return len(seen)


@pytest.mark.parametrize("phase, is_late", [("measuring", True), ("evaluating", False)])
def test_a_long_evaluation_set_is_no_reason_to_worry(phase, is_late, signed_in):
    run = a_queued_run()
    Run.objects.claim(run.pk, worker_name="test")
    an_hour_ago = timezone.now() - timedelta(hours=1)
    Run.objects.filter(pk=run.pk).update(phase=phase, started_at=an_hour_ago)

    page = page_of(signed_in, f"/runs/{run.pk}/status/")

    assert ("Running longer than expected" in page) == is_late
    assert ("Measuring the accuracy on the evaluation set." in page) != is_late
