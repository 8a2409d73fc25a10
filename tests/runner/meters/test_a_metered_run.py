"""Meters beside a measurement that is really made."""

import itertools
from pathlib import Path

import pytest

from runner import measure
from runner.job import Job
from runner.launch import run
from runner.meters.metering import open_meters
from runner.meters.replay import ReplayMeter
from runner.reporting import Reporter
from runner.results import MeasurementResult
from runner.sample_models import lenet5
from tests.runner.builders import save

HAS_POWERCAP = any(Path("/sys/class/powercap").glob("intel-rapl:*"))


def a_job(folder):
    path = str(save(lenet5(), folder))
    return Job(kind="measure", onnx_path=path, effort="quick", measuring_s=0.3)


def test_a_run_says_of_each_component_what_metered_it_or_why_nothing_did(tmp_path):
    (tmp_path / "work").mkdir()

    result = run(a_job(tmp_path), tmp_path / "work")

    assert isinstance(result, MeasurementResult), result
    assert [meter.covers for meter in result.metered.meters] == ["cpu", "ram", "gpu"]
    for meter in result.metered.meters:
        assert meter.is_available == (meter.power_w is not None) == (not meter.reason)


@pytest.mark.skipif(HAS_POWERCAP, reason="this machine has powercap counters")
def test_a_machine_without_powercap_says_that_it_has_none():
    cpu, ram, _ = open_meters()

    assert cpu.reason.startswith("this machine has no powercap energy counters")
    assert cpu.reason == ram.reason


def test_a_run_beside_a_working_meter_has_its_energy_per_inference(tmp_path, monkeypatch):
    # A reading a second, 20 J each: 20 W whatever is timed.
    ticks = ((float(second), 20.0 * second) for second in itertools.count())
    monkeypatch.setattr(measure, "open_meters", lambda: (ReplayMeter("cpu", ticks),))

    result = measure.measure(a_job(tmp_path), Reporter(None))

    (meter,) = result.metered.meters
    assert (meter.power_w, meter.idle_power_w) == (20.0, 20.0)
    expected_kwh = 20.0 / 1000 * result.latency.mean_s / 3600
    assert meter.energy_kwh_per_inference == pytest.approx(expected_kwh, rel=1e-12)
