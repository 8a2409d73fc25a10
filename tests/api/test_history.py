"""A model's history as JSON: single runs, or buckets of many."""

from datetime import timedelta

import pytest
from django.utils import timezone

from hardware.models import CarbonIntensity
from tests.api.scripts import assert_problem, script_of
from tests.long_history import copies_of
from tests.people import a_done_run, a_zone, owner

pytestmark = pytest.mark.django_db
SPREADS = ("latency_s", "energy_kwh", "emission_g")


def a_history(count):
    """The newest run of a model with so many, one each hour."""
    now = timezone.now()
    run = a_done_run(mean_s=0.001, finished_at=now)
    copies_of(run, [(now - timedelta(hours=n), 0.001 + 1e-6 * n) for n in range(1, count)])
    return run


def history_of(run, query=""):
    return script_of(owner()).get(f"/api/v1/models/{run.onnx_model_id}/history/{query}")


def test_a_short_history_is_its_runs():
    run = a_history(3)

    answer = history_of(run).json()

    (line,) = answer["lines"]
    assert (answer["run_count"], answer["covered_run_count"]) == (3, 3)
    assert answer["bucket_width_s"] is None
    assert line["buckets"] == []
    assert line["runs"][-1]["run"] == str(run.pk)
    assert line["runs"][-1]["emission_g"] == run.estimate.emission_g
    assert line["profile"] == str(run.profile_id)


def test_a_long_history_is_buckets_that_hold_every_run_once():
    run = a_history(700)

    answer = history_of(run).json()

    (line,) = answer["lines"]
    assert line["runs"] == []
    assert answer["covered_run_count"] == answer["run_count"] == 700
    assert sum(one["run_count"] for one in line["buckets"]) == 700
    newest = line["buckets"][-1]
    assert newest["emission_g"]["min"] == pytest.approx(run.estimate.emission_g, rel=1e-12)
    assert newest["machine"] == "AMD EPYC 7B13"
    for bucket in line["buckets"]:
        for name in SPREADS:
            assert bucket[name]["min"] <= bucket[name]["median"] <= bucket[name]["max"]


def test_a_time_limits_it_to_single_runs():
    run = a_history(700)
    since = (run.finished_at - timedelta(hours=9, minutes=30)).isoformat().replace("+00:00", "Z")

    (line,) = history_of(run, f"?since={since}").json()["lines"]

    assert len(line["runs"]) == line["run_count"] == 10


@pytest.mark.parametrize("count", [3, 700])
def test_todays_factors_and_a_what_if_price_it_anew(count):
    run = a_history(count)
    CarbonIntensity.objects.update(g_per_kwh=356.5)
    a_zone("FRA", "France", g_per_kwh=71.3)

    def newest_g(query):
        (line,) = history_of(run, query).json()["lines"]
        if line["runs"]:
            return line["runs"][-1]["emission_g"]
        return line["buckets"][-1]["emission_g"]["min"]

    stored_g = run.estimate.emission_g
    assert newest_g("?factors=today") == pytest.approx(stored_g / 2)
    assert newest_g("?zone=FRA") == pytest.approx(stored_g / 10)


@pytest.mark.parametrize(
    "query, field",
    [
        ("?since=yesterday", "since"),
        ("?since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z", "until"),
        ("?factors=tomorrow", "factors"),
        ("?zone=NOWHERE", "zone"),
        ("?year=1999", "year"),
        ("?pue=0", "pue"),
    ],
)
def test_a_bad_value_is_named(query, field):
    problem = assert_problem(history_of(a_history(1), query), 400)

    assert [one["field"] for one in problem["errors"]] == [field]


def test_a_model_without_runs_has_an_empty_history():
    run = a_history(1)
    run.delete()

    assert history_of(run).json()["lines"] == []


def test_a_long_one_asks_as_often_as_a_short_one(django_assert_num_queries):
    script = script_of(owner())
    script.get("/api/v1/me/")
    # The token, the model, what circumstances there are; then runs or buckets.
    for count, query_count in ((5, 7), (500, 5), (900, 5)):
        address = f"/api/v1/models/{a_history(count).onnx_model_id}/history/"
        with django_assert_num_queries(query_count):
            script.get(address)
