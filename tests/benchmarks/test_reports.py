"""What a run's page says of the machine that measured it."""

import pytest

from benchmarks.reports import report_of
from tests.people import MACHINE, a_done_run

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
