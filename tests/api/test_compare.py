"""The comparison as JSON."""

import uuid

import pytest

from tests.api.scripts import assert_problem, script_of
from tests.people import a_done_run, a_model, a_ready_version, owner, stranger

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair():
    model = a_model()
    return [
        a_ready_version(onnx_model=model, size_bytes=size, accuracy_ratio=ratio)
        for size, ratio in ((2000, 0.9), (1000, 0.8))
    ]


def asked(*ids, more=""):
    return "/api/v1/compare/?" + "&".join(f"version={one}" for one in ids) + more


def test_it_holds_the_table_the_summary_and_the_chart(pair):
    runs = [a_done_run(pair[0], mean_s=0.004), a_done_run(pair[1], mean_s=0.002)]

    answer = script_of(owner()).get(asked(*(one.pk for one in pair))).json()

    by_name = {one["name"]: one for one in answer["criteria"]}
    assert answer["summary"].startswith("v2 is better on size on disk, latency")
    assert [one["run"] for one in answer["versions"]] == [str(run.pk) for run in runs]
    slow, fast = by_name["latency_s"]["values"]
    assert (slow["value"], fast["value"]) == (0.004, 0.002)
    assert slow["behind_best_ratio"] == 2
    assert 1 < slow["ratio_low"] < 2 < slow["ratio_high"]
    assert (fast["is_best"], fast["ratio_low"]) == (True, None)
    assert by_name["accuracy_ratio"]["better"] == "higher"
    assert by_name["training_time_s"]["values"][0]["value"] is None
    assert by_name["training_time_s"]["values"][0]["reason"]
    assert [one["is_efficient"] for one in answer["pareto"]["latency_s"]] == [True, True]
    assert answer["environments"][0]["differences"] == []


def test_versions_without_runs_are_compared_on_the_rest(pair):
    answer = script_of(owner()).get(asked(*(one.pk for one in pair))).json()

    assert [one["run"] for one in answer["versions"]] == [None, None]
    assert answer["environments"] == []


def test_a_chosen_run_speaks(pair):
    first = a_done_run(pair[0], mean_s=0.004)
    a_done_run(pair[0], mean_s=0.001)

    answer = script_of(owner()).get(asked(*(one.pk for one in pair), more=f"&run={first.pk}"))

    assert answer.json()["versions"][0]["run"] == str(first.pk)


@pytest.mark.parametrize("count", [0, 1, 7])
def test_fewer_than_two_and_more_than_six_are_refused(count):
    problem = assert_problem(
        script_of(owner()).get(asked(*(uuid.uuid4() for _ in range(count)))), 400
    )

    assert problem["errors"][0]["field"].startswith("version")


def test_the_same_twice_and_what_is_no_id_are_refused(pair):
    script = script_of(owner())

    assert_problem(script.get(asked(pair[0].pk, pair[0].pk)), 400)
    assert_problem(script.get(asked(pair[0].pk, "%00")), 400)


def test_what_one_may_not_see_is_not_there(pair):
    assert_problem(script_of(stranger()).get(asked(*(one.pk for one in pair))), 404)
    assert_problem(script_of(owner()).get(asked(pair[0].pk, uuid.uuid4())), 404)
