import pytest

from runner.bursts import BurstLog
from runner.caveats import caveats
from runner.job import Job
from runner.timings import Timings


def spoken(*sample_ns, effort="standard", sentinel_ns=30_000, calls_per_sample=1, is_pinned=True):
    """What is said of rounds of one burst of one sample each."""
    log = BurstLog(calls_per_sample)
    for number, each_ns in enumerate(sample_ns):
        sentinel = 30_000 if number == 0 else sentinel_ns
        log.add([each_ns], cpu_ns=each_ns, sentinels_ns=(sentinel, sentinel))
        log.end_round()
    timings = Timings.of(log, thread_count=1, batch_size=1)
    job = Job("measure", "/a", effort=effort)
    return " ".join(caveats(job, timings, calls_per_sample=calls_per_sample, is_pinned=is_pinned))


STEADY_NS = (10_000_000,) * 15
UNSTEADY_NS = (10_000_000, 12_000_000) * 8


def test_a_quiet_standard_run_of_a_slow_enough_model_has_nothing_to_excuse():
    assert spoken(*STEADY_NS) == ""


@pytest.mark.parametrize(
    "samples_ns, circumstances, words",
    [
        (STEADY_NS, {"effort": "quick"}, "cannot be told from a slow model"),
        (STEADY_NS, {"sentinel_ns": 60_000}, "those of all samples"),
        (STEADY_NS[:2], {}, "Too few rounds"),
        (UNSTEADY_NS, {"effort": "careful"}, "did not reach it"),
        (STEADY_NS, {"calls_per_sample": 12}, "the mean of 12 calls"),
        (STEADY_NS, {"is_pinned": False}, "cores of its own"),
    ],
)
def test_a_run_says_what_it_cannot_know(samples_ns, circumstances, words):
    assert words in spoken(*samples_ns, **circumstances)


def test_a_careful_run_that_is_sure_says_nothing():
    assert spoken(*STEADY_NS, effort="careful") == ""
