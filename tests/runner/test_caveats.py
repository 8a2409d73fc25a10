import pytest

from runner.bursts import BurstLog, Gate
from runner.caveats import caveats
from runner.job import Job
from runner.providers import CPU, choose
from runner.timings import Timings


def spoken(
    *sample_ns,
    effort="standard",
    sentinel_ns=30_000,
    calls_per_sample=1,
    cores=(1,),
    known_best_ns=None,
    provider=CPU,
    batch_size=1,
    speed_spread=None,
):
    """What is said of rounds of one burst of one sample each."""
    log = BurstLog(calls_per_sample, Gate(known_best_ns=known_best_ns))
    for number, each_ns in enumerate(sample_ns):
        sentinel = 30_000 if number == 0 else sentinel_ns
        log.add([each_ns], cpu_ns=each_ns, sentinels_ns=(sentinel, sentinel))
        log.end_round()
    timings = Timings.of(log, batch_size=batch_size, speed_spread=speed_spread)
    job = Job("measure", "/a", effort=effort, batch_size=batch_size)
    return " ".join(caveats(job, timings, log=log, provider=provider, cores=cores))


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
        (STEADY_NS, {"batch_size": 16}, "waits for the whole call"),
        (STEADY_NS, {"cores": ()}, "cores of its own"),
        (STEADY_NS, {"speed_spread": 0.062}, "changes by up to 6 %"),
        (STEADY_NS, {"known_best_ns": 18_000}, "1.7 times slower"),
        (STEADY_NS, {"provider": choose(wants_gpu=True, offered=[])}, "measured on the CPU"),
    ],
)
def test_a_run_says_what_it_cannot_know(samples_ns, circumstances, words):
    assert words in spoken(*samples_ns, **circumstances)


def test_a_careful_run_is_sure_by_its_own_rounds():
    assert "did not reach" not in spoken(*STEADY_NS, effort="careful", speed_spread=0.062)


def test_a_spread_that_is_not_what_decides_the_interval_is_not_spoken_of():
    assert spoken(*STEADY_NS, speed_spread=0.005) == ""


def test_a_careful_run_that_is_sure_says_nothing():
    assert spoken(*STEADY_NS, effort="careful") == ""
