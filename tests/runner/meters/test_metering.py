import pytest

from runner.meters.metered import Metered, MeterReport
from runner.meters.metering import Metering, open_meters
from runner.meters.none import MissingMeter
from runner.meters.replay import ReplayMeter

# Idle for a second at 10 W, then two seconds of inferences at 30 W.
IDLE = [(0.0, 100.0), (1.0, 110.0)]
TIMED = [(5.0, 150.0), (7.0, 210.0)]


def metered(meter, *, stretches=1, latency_s=0.5):
    pauses_s = []
    metering = Metering.begin([meter], pause=pauses_s.append)
    for _ in range(stretches):
        with metering.timed():
            pass
    (report,) = metering.metered(latency_s=latency_s).meters
    return report


def test_a_run_is_metered_in_watts_and_kwh():
    # 30 W for an hour are 0.03 kWh.
    report = metered(ReplayMeter("cpu", IDLE + TIMED), latency_s=3600.0)

    assert (report.name, report.covers) == ("replay-cpu", "cpu")
    assert (report.is_available, report.reason) == (True, "")
    assert (report.power_w, report.idle_power_w) == (30.0, 10.0)
    assert report.energy_kwh_per_inference == pytest.approx(0.03, rel=1e-12)


def test_idle_power_is_told_and_not_subtracted():
    quiet = metered(ReplayMeter("cpu", [(0.0, 100.0), (1.0, 100.5), *TIMED]))
    busy = metered(ReplayMeter("cpu", [(0.0, 100.0), (1.0, 120.0), *TIMED]))

    assert (quiet.idle_power_w, busy.idle_power_w) == (0.5, 20.0)
    assert quiet.energy_kwh_per_inference == busy.energy_kwh_per_inference


def test_what_happens_between_timed_stretches_is_left_out():
    pause_and_second = [(60.0, 9_000.0), (64.0, 9_060.0)]

    report = metered(ReplayMeter("cpu", IDLE + TIMED + pause_and_second), stretches=2)

    # 60 J in 2 s and 60 J in 4 s.
    assert report.power_w == 20.0


def test_idle_power_is_waited_for_as_long_as_the_slowest_meter_needs():
    pauses_s = []
    slow, fast = ReplayMeter("gpu", IDLE), ReplayMeter("cpu", IDLE)
    slow.idle_s, fast.idle_s = 1.0, 0.25

    Metering.begin([fast, slow], pause=pauses_s.append)

    assert pauses_s == [1.0]


def test_nothing_is_waited_for_without_a_meter():
    pauses_s = []
    missing = MissingMeter("nvml", "gpu", "this machine has no NVIDIA driver")

    metering = Metering.begin([missing], pause=pauses_s.append)
    with metering.timed():
        pass

    assert pauses_s == []
    assert metering.metered(latency_s=1.0) == Metered(
        (MeterReport("nvml", "gpu", False, "this machine has no NVIDIA driver"),)
    )


def test_a_counter_that_stands_still_is_no_meter():
    report = metered(ReplayMeter("cpu", [*IDLE, (5.0, 150.0), (7.0, 150.0)]))

    assert not report.is_available
    assert report.reason == "its counter did not move while inferences were timed"
    assert report.energy_kwh_per_inference is None


def test_a_meter_that_stops_half_way_ends_no_measurement():
    report = metered(ReplayMeter("cpu", [*IDLE, (5.0, 150.0)]))

    assert not report.is_available
    assert report.reason == "its readings have come to an end"
    assert (report.power_w, report.idle_power_w) == (None, None)


def test_a_replay_is_read_from_a_file(tmp_path):
    lines = [f"[{at_s}, {energy_j}]" for at_s, energy_j in IDLE + TIMED]
    (tmp_path / "readings.jsonl").write_text("\n".join(lines) + "\n")

    report = metered(ReplayMeter.from_file("ram", tmp_path / "readings.jsonl"))

    assert (report.covers, report.power_w) == ("ram", 30.0)


def test_every_component_has_a_meter_or_a_reason(tmp_path):
    meters = open_meters(tmp_path)

    assert [meter.covers for meter in meters] == ["cpu", "ram", "gpu"]
    assert all(meter.is_available or meter.reason for meter in meters)
