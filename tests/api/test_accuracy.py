"""A measured accuracy, as a script asks for it, reads it and clears it."""

import numpy as np
import pytest

from benchmarks.models import Evaluation, ModelVersion, OnnxModel, Run
from tests.api.scripts import BASE, assert_problem, script_of
from tests.arrays import an_image, an_npz, an_upload
from tests.people import (
    FIXED_INPUTS,
    a_done_run,
    a_labelled_set,
    a_measured_accuracy,
    a_profile,
    a_queued_run,
    a_ready_version,
    anonymous,
    owner,
    stranger,
)

pytestmark = pytest.mark.django_db


def asked(version, user=None, **fields):
    profile = a_profile(user or owner(), visibility="public")
    body = {"version": str(version.pk), "profile": str(profile.pk), **fields}
    return script_of(user or owner()).post(f"{BASE}/runs/", body, format="json")


def shown(version, user=None):
    return script_of(user or owner()).get(f"{BASE}/versions/{version.pk}/").json()


def test_an_evaluation_set_is_sent_for_a_model_that_takes_one_item_at_a_time():
    version = a_ready_version(inputs=FIXED_INPUTS)
    content = an_npz(input=an_image(7), labels=np.arange(7))

    answer = script_of(owner()).post(
        f"{BASE}/models/{version.onnx_model_id}/inputs/",
        {"file": [an_upload(content, "digits.npz")]},
        format="multipart",
    )
    run = asked(version, values=answer.json()["id"], measures_accuracy=True)

    assert answer.status_code == run.status_code == 201
    assert answer.json()["has_labels"] is True


def test_a_run_is_asked_to_evaluate_with_one_item_at_a_time_unless_told():
    version = a_ready_version()
    values = str(a_labelled_set(version).pk)

    settings = asked(version, values=values, measures_accuracy=True).json()["settings"]
    named = asked(
        version, values=values, measures_accuracy=True, answer_output="output", batch_size=4
    ).json()["settings"]
    whole = asked(version, values=values).json()["settings"]

    assert (settings["batch_size"], settings["measures_accuracy"]) == (1, True)
    assert settings["answer_output"] is None
    assert (named["batch_size"], named["answer_output"]) == (4, "output")
    assert (whole["batch_size"], whole["measures_accuracy"]) == (50, False)


@pytest.mark.parametrize(
    "fields, field",
    [
        ({"measures_accuracy": True}, "measures_accuracy"),
        ({"measures_accuracy": "perhaps"}, "measures_accuracy"),
        ({"answer_output": "output"}, "answer_output"),
        ({"answer_output": "x" * 201}, "answer_output"),
    ],
)
def test_what_cannot_be_evaluated_is_a_400_by_field(fields, field):
    answer = asked(a_ready_version(), **fields)

    assert assert_problem(answer, 400)["errors"][0]["field"] == field


def test_an_output_that_is_not_there_and_too_large_a_batch_are_400s():
    version = a_ready_version()
    values = {"values": str(a_labelled_set(version).pk), "measures_accuracy": True}

    no_output = asked(version, answer_output="logits", **values)
    too_large = asked(version, batch_size=51, **values)

    assert assert_problem(no_output, 400)["errors"][0]["field"] == "answer_output"
    assert assert_problem(too_large, 400)["errors"][0]["field"] == "batch_size"


def test_somebody_elses_set_is_as_good_as_none():
    others = a_labelled_set(a_ready_version(stranger()))

    answer = asked(a_ready_version(), values=str(others.pk), measures_accuracy=True)

    assert assert_problem(answer, 400)["errors"][0]["field"] == "values"
    assert not Run.objects.exists()


def test_a_run_says_what_was_found_and_how_it_was_read():
    version = a_ready_version()
    found = a_measured_accuracy(version, 38, 40)

    evaluation = script_of(owner()).get(f"{BASE}/runs/{found.run_id}/").json()["evaluation"]

    assert evaluation.pop("evaluated_at")
    assert evaluation == {
        "accuracy_ratio": 0.95,
        "ci95_low_ratio": found.ci95_low_ratio,
        "ci95_high_ratio": found.ci95_high_ratio,
        "item_count": 40,
        "correct_count": 38,
        "values_name": "digits",
        "values_sha256": found.values_sha256,
        "output": "scores",
        "reading": "scores",
        "class_count": 10,
        "not_a_number_count": 0,
        "batch_size": 32,
        "padded_count": 0,
        "notes": [],
        "failure": None,
    }


def test_a_failed_evaluation_leaves_the_result_and_says_why():
    run = a_done_run(measures_accuracy=True)
    Evaluation.objects.create(
        run=run,
        values_name="digits",
        values_sha256="0" * 64,
        failure_code="bad_labels",
        failure_message="The label of item 2 is 7.",
    )

    answer = script_of(owner()).get(f"{BASE}/runs/{run.pk}/").json()

    assert (answer["status"], answer["failure"]) == ("done", None)
    assert answer["emission_g"] > 0
    assert answer["evaluation"]["accuracy_ratio"] is None
    assert answer["evaluation"]["failure"] == {
        "code": "bad_labels",
        "message": "The label of item 2 is 7.",
    }


def test_a_run_that_was_not_asked_has_no_evaluation():
    script = script_of(owner())

    for run in (a_done_run(), a_queued_run()):
        assert script.get(f"{BASE}/runs/{run.pk}/").json()["evaluation"] is None


def test_a_version_shows_what_was_measured_beside_what_was_typed():
    version = a_ready_version(accuracy_ratio=0.5)
    before = shown(version)
    found = a_measured_accuracy(version, 38, 40)

    after = shown(version)

    assert (before["accuracy_ratio"], before["measured_accuracy"]) == (0.5, None)
    assert after["accuracy_ratio"] == 0.5
    measured = after["measured_accuracy"]
    assert (measured["accuracy_ratio"], measured["run"]) == (0.95, str(found.run_id))
    assert (measured["correct_count"], measured["item_count"]) == (38, 40)
    assert measured["ci95_low_ratio"] < 0.95 < measured["ci95_high_ratio"]


def test_editing_keeps_it_and_null_clears_it():
    version = a_ready_version()
    a_measured_accuracy(version, 38, 40)
    address, script = f"{BASE}/versions/{version.pk}/", script_of(owner())

    edited = script.patch(address, {"accuracy_ratio": 0.5}, format="json").json()
    refused = script.patch(address, {"measured_accuracy": 0.99}, format="json")
    cleared = script.patch(address, {"measured_accuracy": None}, format="json").json()

    assert edited["measured_accuracy"]["accuracy_ratio"] == 0.95
    assert assert_problem(refused, 400)["errors"][0]["field"] == "measured_accuracy"
    assert (cleared["measured_accuracy"], cleared["accuracy_ratio"]) == (None, 0.5)


def test_only_the_owner_clears_it():
    version = a_ready_version()
    a_measured_accuracy(version, 38, 40)
    OnnxModel.objects.update(visibility="public")
    address, nothing = f"{BASE}/versions/{version.pk}/", {"measured_accuracy": None}

    statuses = [
        script_of(user).patch(address, nothing, format="json").status_code
        for user in (stranger(), anonymous())
    ]

    assert statuses == [404, 401]
    assert ModelVersion.objects.get().evaluation is not None
    assert shown(version, stranger())["measured_accuracy"]["correct_count"] == 38


def test_a_list_of_models_takes_no_query_for_each_accuracy(django_assert_max_num_queries):
    for _ in range(3):
        version = a_ready_version()
        a_measured_accuracy(version, 38, 40)
    script = script_of(owner())

    with django_assert_max_num_queries(6):
        results = script.get(f"{BASE}/models/").json()["results"]

    assert [one["latest_version"]["measured_accuracy"]["item_count"] for one in results] == [40] * 3


def test_the_comparison_has_the_interval_and_calls_noise_noise():
    versions = [a_ready_version(onnx_model=None) for _ in range(2)]
    a_measured_accuracy(versions[0], 90, 100)
    a_measured_accuracy(versions[1], 88, 100)
    query = "&".join(f"version={one.pk}" for one in versions)

    answer = script_of(owner()).get(f"{BASE}/compare/?{query}").json()

    (row,) = [one for one in answer["criteria"] if one["name"] == "accuracy_ratio"]
    best, other = row["values"]
    assert best["value_low"] < 0.9 < best["value_high"]
    assert (other["is_best"], other["is_within_noise"]) == (False, True)
    point = answer["pareto"]["latency_s"][0]
    assert point["accuracy_low_ratio"] == best["value_low"]
