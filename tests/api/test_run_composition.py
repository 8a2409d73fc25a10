"""What a model is made of, as the API gives it: with one run alone, never in a list."""

import pytest

from tests.api.scripts import BASE, script_of
from tests.people import a_composition, a_done_run, a_queued_run, owner

pytestmark = pytest.mark.django_db


def test_one_run_has_its_composition_with_grams_by_operator():
    run = a_done_run(measurement={"composition": a_composition()})

    body = script_of(owner()).get(f"{BASE}/runs/{run.pk}/").json()

    found = body["composition"]
    assert body["profiling_note"] is None
    assert found["mac_count"] == 1_434_000_000
    assert found["flop_count"] == 2 * found["mac_count"]
    assert [one["operator"] for one in found["operators"]] == ["Conv", "MatMul"]
    for part in (*found["operators"], *found["layers"], found["other_layers"]):
        assert part["emission_g"] == pytest.approx(part["time_ratio"] * body["emission_g"])
    assert found["layers"][0]["output_shape"] == [1, 6, 24, 24]


def test_a_list_of_runs_stays_light(django_assert_max_num_queries):
    for _ in range(3):
        a_done_run(measurement={"composition": a_composition()})
    script = script_of(owner())

    with django_assert_max_num_queries(8):
        results = script.get(f"{BASE}/runs/").json()["results"]

    assert len(results) == 3
    assert not any("composition" in one for one in results)


def test_what_is_not_known_is_null_and_says_why():
    note = "The model needed more memory than it may use and was stopped."
    run = a_done_run(measurement={"profiling_note": note})
    script = script_of(owner())

    done = script.get(f"{BASE}/runs/{run.pk}/").json()
    queued = script.get(f"{BASE}/runs/{a_queued_run().pk}/").json()

    assert (done["composition"], done["profiling_note"]) == (None, note)
    assert (queued["composition"], queued["profiling_note"]) == (None, None)
