"""What a run's page says of the machine that measured it."""

import pytest

from benchmarks.reports import report_of
from tests.people import MACHINE, SOFTWARE, a_done_run, owner

pytestmark = pytest.mark.django_db


def facts(**machine):
    return dict(
        report_of(a_done_run(measurement={"machine": {**MACHINE, **machine}})).machine_facts
    )


def test_the_caches_stand_beside_the_processor():
    assert facts(cache_bytes={"L1d": 2**15, "L3": 2**25})["Caches"] == "L1d 32 KiB, L3 32,768 KiB"


@pytest.mark.parametrize("machine", [{"cache_bytes": {}}, {}])
def test_a_machine_that_tells_no_caches_has_no_such_line(machine):
    assert "Caches" not in facts(**machine)


def test_the_page_tells_loading_and_the_first_call_apart_from_the_latency(client):
    figures = {"load_s": 0.25, "first_call_s": 0.0125, "cpu_time_per_inference_s": 0.0019}
    client.force_login(owner())

    page = client.get(f"/runs/{a_done_run(mean_s=0.001, measurement=figures).pk}/").text

    for label, value in (
        *(("Mean", "1 ms"), ("Loading the model", "250 ms"), ("First call", "12.5 ms")),
        ("CPU time per inference", "1.9 ms"),
    ):
        told = page.partition(f">{label}</dt>")[2].partition("</dd>")[0]
        assert value in told, label


def test_the_machine_and_the_software_are_told_with_their_fingerprints():
    machine = {**MACHINE, "architecture": "x86_64", "kernel": "6.18.1", "governor": "performance"}
    software = {**SOFTWARE, "fingerprint": "software-1", "session_options": {"allow_spinning": "0"}}
    run = a_done_run(measurement={"machine": machine, "software": software})

    report = report_of(run)

    told = dict(report.machine_facts)
    assert (told["Kernel"], told["Frequency governor"]) == ("6.18.1", "performance")
    assert (told["Architecture"], told["Fingerprint"]) == ("x86_64", "machine-1")
    told = dict(report.software_facts)
    assert (told["Session options"], told["Fingerprint"]) == ("allow_spinning 0", "software-1")


def test_the_share_that_was_quiet_is_told_of_stretches_and_not_of_time(client):
    client.force_login(owner())

    page = client.get(f"/runs/{a_done_run(measurement={'quiet_ratio': 0.25}).pk}/").text

    told = page.partition("The machine was quiet in ")[2][:200]
    assert ">25 %<" in told
    assert "of the short stretches that were timed" in told
