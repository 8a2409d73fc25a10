"""Why a run comes to other grams than the one before it, as JSON."""

import math

import pytest

from hardware.models import CarbonIntensity
from tests.api.scripts import BASE, assert_problem, script_of
from tests.people import (
    MACHINE,
    SOFTWARE,
    a_done_run,
    a_model,
    a_profile,
    a_queued_run,
    a_ready_version,
    a_zone,
    owner,
    stranger,
)

pytestmark = pytest.mark.django_db


def asked(run, before, **question):
    address = f"{BASE}/runs/{run.pk}/difference/"
    return script_of(owner()).get(
        address, {"before": str(getattr(before, "pk", before)), **question}
    )


def answer(run, before, **question):
    response = asked(run, before, **question)
    assert response.status_code == 200, response.content
    return response.json()


def test_the_parts_name_their_causes_and_add_up():
    model, profile = a_model(), a_profile()
    before = a_done_run(a_ready_version(onnx_model=model, content=b"one"), profile, mean_s=0.002)
    CarbonIntensity.objects.create(zone=a_zone(), year=2025, g_per_kwh=600.0, source="newer")
    after = a_done_run(
        a_ready_version(onnx_model=model, content=b"two"),
        profile,
        mean_s=0.001,
        measurement={
            "software": {**SOFTWARE, "onnxruntime": "1.33.0"},
            "software_fingerprint": "software-2",
        },
    )

    found = answer(after, before)

    parts = {one["cause"]: one["part_g"] for one in found["parts"]}
    assert set(parts) == {"model", "runtime", "intensity", "noise"}
    whole_g = after.estimate.emission_g - before.estimate.emission_g
    assert math.fsum(parts.values()) == pytest.approx(whole_g, rel=1e-9)
    assert (found["before_g"], found["after_g"]) == (
        before.estimate.emission_g,
        after.estimate.emission_g,
    )
    assert found["ratio"] == pytest.approx(whole_g / found["before_g"])
    differing = {one["name"]: (one["first"], one["second"]) for one in found["environment"]}
    assert differing["software: onnxruntime"] == ("1.32.0", "1.33.0")
    assert differing["intensity of"] == ("India 2023", "India 2025")


def test_any_two_runs_show_only_what_they_do_not_share():
    before = a_done_run()
    after = a_done_run(
        before.version,
        before.profile,
        batch_size=4,
        measurement={"machine": {**MACHINE, "os": "Linux 6.19"}},
    )

    assert answer(after, before)["environment"] == [
        {"name": "batch size", "first": "1", "second": "4"},
        {"name": "machine: os", "first": "Linux 6.18", "second": "Linux 6.19"},
    ]


def test_at_todays_factors_a_new_table_is_no_cause():
    before = a_done_run()
    CarbonIntensity.objects.create(zone=a_zone(), year=2025, g_per_kwh=600.0, source="newer")
    after = a_done_run(before.version, before.profile)

    assert [one["cause"] for one in answer(after, before)["parts"]] == ["intensity"]
    assert answer(after, before, factors="today")["parts"] == []


def test_what_cannot_be_laid_beside_is_refused():
    run = a_done_run()

    assert_problem(asked(run, run), 400)
    assert_problem(asked(run, "nonsense"), 400)
    assert_problem(asked(run, a_done_run(), factors="tomorrow"), 400)
    assert_problem(asked(run, a_done_run(a_ready_version(stranger()), a_profile(stranger()))), 404)
    assert assert_problem(asked(run, a_queued_run()), 409)["type"] == "no_result"
