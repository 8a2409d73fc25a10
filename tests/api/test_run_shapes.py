"""Runs as the API gives them: every figure with its unit, null where it is not known."""

import pytest

from benchmarks.models import OnnxModel, Run
from tests.api.scripts import BASE, assert_problem, script_of
from tests.people import (
    a_done_run,
    a_meter,
    a_missing_meter,
    a_profile,
    a_queued_run,
    a_ready_version,
    owner,
    stranger,
)

pytestmark = pytest.mark.django_db

RUN_FIELDS = {
    "id",
    "url",
    "status",
    "failure",
    "version",
    "profile",
    "settings",
    "queued_at",
    "started_at",
    "finished_at",
    "attempts",
    "latency",
    "as_measured",
    "throughput_per_s",
    "load_s",
    "first_call_s",
    "session_memory_bytes",
    "peak_memory_bytes",
    "cpu_usage_ratio",
    "cpu_time_per_inference_s",
    "timing",
    "power",
    "pue",
    "pue_source",
    "energy",
    "intensity",
    "emission_g",
    "range",
    "metered",
    "sandbox",
    "machine",
    "software",
}
LATENCY_FIELDS = (
    "mean_s median_s stdev_s min_s max_s p90_s p95_s p99_s "
    "ci95_low_s ci95_high_s sample_count quiet_ratio is_noisy"
)


def test_a_run_is_queued_with_the_settings_asked_for(rung, django_capture_on_commit_callbacks):
    version, profile = a_ready_version(), a_profile()
    inputs = {"dims": {"batch": 1}, "ranges": {"input": [0, 255]}}

    with django_capture_on_commit_callbacks(execute=True):
        made = script_of(owner()).post(
            f"{BASE}/runs/",
            {
                "version": str(version.pk),
                "profile": str(profile.pk),
                "effort": "quick",
                "inputs": inputs,
            },
            format="json",
        )

    run = made.json()
    assert made.status_code == 201, made.content
    assert set(run) >= RUN_FIELDS
    assert (run["status"], run["version"], run["profile"]) == (
        "queued",
        str(version.pk),
        str(profile.pk),
    )
    assert run["settings"] == {
        "batch_size": 1,
        "intra_op_threads": 1,
        "effort": "quick",
        "inputs": inputs,
        "values": None,
        "values_name": None,
        "values_sha256": None,
        "measures_accuracy": False,
        "answer_output": None,
    }
    assert rung == [("measure_run", run["id"])]


def test_a_run_without_a_result_says_null_and_not_zero():
    run = a_queued_run()

    answer = script_of(owner()).get(f"{BASE}/runs/{run.pk}/").json()

    unknown = ("latency", "as_measured", "throughput_per_s", "energy", "emission_g", "range")
    assert all(answer[name] is None for name in (*unknown, "sandbox", "machine", "software"))
    assert answer["failure"] is None
    assert answer["metered"] is None
    assert all(answer[name] is None for name in ("started_at", "finished_at", "load_s"))
    assert answer["power"]["total_w"] == 16.0


def test_a_done_run_has_the_shape_of_the_contract():
    run = a_done_run()

    answer = script_of(owner()).get(f"{BASE}/runs/{run.pk}/").json()

    assert set(answer) >= RUN_FIELDS
    assert set(answer["latency"]) == set(LATENCY_FIELDS.split())
    assert set(answer["as_measured"]) == {
        "mean_s",
        "median_s",
        "p90_s",
        "p95_s",
        "p99_s",
        "max_s",
        "sample_count",
    }
    assert set(answer["power"]) == {"cpu_w", "ram_w", "gpu_w", "total_w"}
    assert set(answer["energy"]) == {"cpu_kwh", "ram_kwh", "gpu_kwh", "total_kwh"}
    assert {"zone", "year", "g_per_kwh", "source"} <= set(answer["intensity"])
    assert {"low_g", "high_g", "models"} == set(answer["range"])
    assert set(answer["range"]["models"][0]) == {"name", "power_w", "emission_g", "source"}
    assert {"cpu", "core_count", "memory_bytes", "os", "fingerprint"} <= set(answer["machine"])
    assert {"onnxruntime", "python", "provider"} <= set(answer["software"])
    assert answer["url"] == f"http://testserver/runs/{run.pk}/"
    assert answer["queued_at"].endswith("Z")


def test_the_articles_hour_costs_11_point_408_grams():
    # 16 W for an hour at 713 g/kWh (DESIGN.md, "The arithmetic").
    run = a_done_run(mean_s=3600.0)

    answer = script_of(owner()).get(f"{BASE}/runs/{run.pk}/").json()

    assert answer["energy"]["total_kwh"] == pytest.approx(0.016, rel=1e-12)
    assert answer["emission_g"] == pytest.approx(11.408, rel=1e-12)


@pytest.mark.parametrize("mean_s", [23.8e-6, 1e-3, 0.7, 3600.0])
def test_the_grams_follow_from_the_factors_beside_them(mean_s):
    profile = a_profile(pue=1.56, gpu_tdp_w=300.0, gpu_count=2)
    run = a_done_run(profile=profile, mean_s=mean_s)

    answer = script_of(owner()).get(f"{BASE}/runs/{run.pk}/").json()

    power = answer["power"]
    power_w = power["cpu_w"] + power["ram_w"] + power["gpu_w"]
    expected_g = (
        answer["intensity"]["g_per_kwh"]
        * answer["pue"]
        * power_w
        * answer["latency"]["mean_s"]
        / 3.6e6
    )
    energy = answer["energy"]
    parts_kwh = energy["cpu_kwh"] + energy["ram_kwh"] + energy["gpu_kwh"]
    assert answer["emission_g"] == pytest.approx(expected_g, rel=1e-9)
    assert energy["total_kwh"] == pytest.approx(parts_kwh * answer["pue"], rel=1e-9)


def test_a_run_gives_what_each_meter_said_or_why_it_is_missing():
    meters = [a_meter(power_w=6.5), a_missing_meter()]
    run = a_done_run(measurement={"metered": {"meters": meters}})

    answer = script_of(owner()).get(f"{BASE}/runs/{run.pk}/").json()

    assert answer["metered"] == {"meters": meters}
    assert answer["metered"]["meters"][0]["power_w"] == 6.5
    assert answer["metered"]["meters"][1]["energy_kwh_per_inference"] is None


def test_a_run_that_no_meter_was_looked_for_has_no_meters():
    answer = script_of(owner()).get(f"{BASE}/runs/{a_done_run().pk}/").json()

    assert answer["metered"] == {"meters": []}


def test_a_run_gives_the_cage_that_it_was_measured_in():
    sandbox = {"layers": ["limits"], "missing": [{"layer": "seccomp", "reason": "no kernel"}]}
    run = a_done_run(measurement={"sandbox": sandbox})

    answer = script_of(owner()).get(f"{BASE}/runs/{run.pk}/").json()

    assert answer["sandbox"] == sandbox


def test_a_run_whose_cage_nobody_noted_has_none():
    run = a_done_run(measurement={"sandbox": {}})

    assert script_of(owner()).get(f"{BASE}/runs/{run.pk}/").json()["sandbox"] is None


def test_a_failed_run_carries_its_reason():
    run = a_done_run()
    Run.objects.filter(pk=run.pk).update(
        status="failed", failure_code="out_of_memory", failure_message="It needed too much."
    )

    answer = script_of(owner()).get(f"{BASE}/runs/{run.pk}/").json()

    assert answer["failure"] == {"code": "out_of_memory", "message": "It needed too much."}


def test_a_run_is_cancelled_once_and_then_stays_so():
    run = a_queued_run()
    script = script_of(owner())

    first = script.post(f"{BASE}/runs/{run.pk}/cancel/")
    second = script.post(f"{BASE}/runs/{run.pk}/cancel/")

    assert (first.json()["status"], first.json()["failure"]) == ("cancelled", None)
    assert second.json()["status"] == "cancelled"


def test_a_run_that_is_done_cannot_be_cancelled():
    run = a_done_run()

    answer = script_of(owner()).post(f"{BASE}/runs/{run.pk}/cancel/")

    assert assert_problem(answer, 409)["type"] == "run_is_over"


def test_only_ones_own_versions_are_run():
    version = a_ready_version(owner())
    OnnxModel.objects.update(visibility="public")
    profile = a_profile(stranger())

    answer = script_of(stranger()).post(
        f"{BASE}/runs/", {"version": str(version.pk), "profile": str(profile.pk)}, format="json"
    )

    assert assert_problem(answer, 400)["errors"][0]["field"] == "version"
