"""The first number of the design, from the web form and from the API to the page: 11.408 g.

13 W of CPU and 3 W of RAM for one hour at 713 g/kWh, from the article behind the project. An
hour's inference is not waited for: the child's answer is replayed under the worker's claim.
"""

import pytest
from django.urls import reverse

from accounts.models import ApiToken
from benchmarks import outcomes
from benchmarks.models import Run
from hardware.models import HardwareProfile
from runner.results import (
    AsMeasured,
    Latency,
    Machine,
    MeasurementResult,
    Software,
)
from tests.people import MACHINE, a_ready_version, a_zone, owner

pytestmark = pytest.mark.django_db(transaction=True)
HOUR_S = 3600.0
PROFILE = {
    "name": "The article's laptop",
    "zone": "IND",
    "pue": "1",
    "cpu_count": "1",
    "ram_gb": "8",
    "cpu_tdp_w": "13",
    "visibility": "private",
}


@pytest.fixture
def india():
    return a_zone("IND", "India", g_per_kwh=713.0, year=2023)


def an_hour_measured() -> MeasurementResult:
    """What the child would write of inferences that took an hour each."""
    tail = dict.fromkeys(("mean_s", "median_s", "p90_s", "p95_s", "p99_s", "max_s"), HOUR_S)
    ends = dict.fromkeys(("min_s", "ci95_low_s", "ci95_high_s"), HOUR_S)
    return MeasurementResult(
        latency=Latency(**tail, **ends, stdev_s=0.0, sample_count=5),
        as_measured=AsMeasured(**tail, sample_count=5),
        samples_s=(HOUR_S,) * 5,
        throughput_per_s=1 / HOUR_S,
        load_s=0.1,
        first_call_s=HOUR_S,
        peak_memory_bytes=80_000_000,
        cpu_usage_ratio=1.0,
        machine_usage_ratio=0.5,
        cpu_time_per_inference_s=HOUR_S,
        measuring_wall_s=5 * HOUR_S,
        uses_io_binding=True,
        inputs=(),
        outputs=(),
        machine=Machine(
            **MACHINE, kernel="6.18", architecture="x86_64", is_virtual=True, governor=None
        ),
        software=Software(
            onnxruntime="1.32.0",
            provider="CPUExecutionProvider",
            provider_options={},
            python="3.11.7",
            numpy="2.4.6",
            engine_version="1",
            fingerprint="software-1",
        ),
    )


def finish(run_id):
    claim_token = Run.objects.claim(run_id, worker_name="here:1")
    assert outcomes.record_result(run_id, claim_token, an_hour_measured())


def test_the_articles_hour_through_the_web_form(client, india):
    client.force_login(owner())
    version = a_ready_version()
    client.post(reverse("profile-new"), {**PROFILE, "cpu_name": "M1 of the article"})
    profile = HardwareProfile.objects.get()
    client.post(
        reverse("run-new", args=[version.onnx_model_id]),
        {
            "version": version.pk,
            "profile": profile.pk,
            "batch_size": 1,
            "intra_op_threads": 1,
            "effort": "quick",
        },
    )
    run = Run.objects.get()
    finish(run.pk)

    page = client.get(reverse("run", args=[run.pk])).content.decode()

    assert "11.4" in page
    assert "11.408 grams" in page


def test_the_articles_hour_through_the_api(client, india):
    _, secret = ApiToken.objects.issue(owner=owner(), name="test", scope="write")
    headers = {"authorization": f"Bearer {secret}"}
    numbers = {"pue": 1, "cpu_count": 1, "ram_gb": 8, "cpu_tdp_w": 13}
    profile = client.post(
        "/api/v1/profiles/", {**PROFILE, **numbers}, "application/json", headers=headers
    ).json()
    version = a_ready_version()
    asked = {"version": str(version.pk), "profile": profile["id"]}
    run = client.post("/api/v1/runs/", asked, "application/json", headers=headers).json()
    finish(run["id"])

    found = client.get(f"/api/v1/runs/{run['id']}/", headers=headers).json()

    assert profile["power"]["total_w"] == 16
    assert found["energy"]["total_kwh"] == pytest.approx(0.016, rel=1e-12)
    assert found["emission_g"] == pytest.approx(11.408, rel=1e-12)
