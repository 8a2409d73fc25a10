"""What bursts with known answers say; the noise is that of a real neighbour, made by a seed."""

import math
import random
import statistics

import pytest

from runner.bursts import BurstLog
from runner.timings import Timings, _t_half_width, interval_half_width

SECOND_NS = 1_000_000_000
SENTINEL_NS = 30_000


def rounds_of(*rounds, calls_per_sample=1):
    """A log of quiet rounds, one burst each, of samples in seconds."""
    log = BurstLog(calls_per_sample)
    for samples_s in rounds:
        add(log, samples_s)
        log.end_round()
    return log


def add(log, samples_s, *, sentinel_ratio=1.0, cpu_ratio=1.0):
    samples_ns = [round(sample_s * SECOND_NS) for sample_s in samples_s]
    sentinel_ns = round(SENTINEL_NS * sentinel_ratio)
    cpu_ns = round(sum(samples_ns) * cpu_ratio)
    log.add(samples_ns, cpu_ns=cpu_ns, sentinels_ns=(sentinel_ns, sentinel_ns))


def timings_of(log, *, batch_size=1):
    return Timings.of(log, batch_size=batch_size)


def two_speed_log(*, seed, slow_share=0.5, round_count=10):
    """A true 1 ms call on a machine that runs 1.65 times slower for 0.5 to 5 s at a time."""
    chance = random.Random(seed)
    log = BurstLog()
    spent_s, until_s, is_slow = 0.0, 0.0, False
    for number in range(round_count):
        while spent_s < 2.0 * (number + 1):
            if spent_s >= until_s:
                is_slow = chance.random() < slow_share
                until_s = spent_s + chance.uniform(0.5, 5)
            speed = 1.65 if is_slow else 1.0
            samples_s = [0.001 * speed * chance.gauss(1, 0.02) for _ in range(5)]
            add(log, samples_s, sentinel_ratio=speed * chance.uniform(1, 1.1))
            spent_s += sum(samples_s)
        log.end_round()
    return log


def test_the_interval_has_room_for_a_machine_that_changes_speed_between_runs():
    log = rounds_of(*([0.001] * 4,) * 6)

    alone, among_others = (Timings.of(log, batch_size=1, speed_spread=s) for s in (None, 0.06))

    assert alone.interval_ratio == pytest.approx(0.01)
    assert among_others.interval_ratio == pytest.approx(math.hypot(0.01, 0.06))
    assert among_others.own_interval_ratio == alone.interval_ratio
    assert among_others.latency().ci95_high_s == pytest.approx(0.001 * (1 + math.hypot(0.01, 0.06)))


def test_latency_is_per_inference_of_the_batch():
    latency = timings_of(rounds_of([4.0, 8.0]), batch_size=4).latency()

    assert latency.mean_s == 1.5
    assert (latency.min_s, latency.max_s) == (1.0, 2.0)


def test_latency_is_per_call_where_a_sample_holds_many():
    timings = timings_of(rounds_of([10.0, 30.0], calls_per_sample=10), batch_size=2)

    assert timings.latency().mean_s == 1.0
    assert timings.as_measured().mean_s == 1.0
    assert timings.samples_s() == (0.5, 1.5)


def test_percentiles_are_interpolated():
    latency = timings_of(rounds_of(range(1, 102))).latency()

    assert latency.median_s == 51
    assert latency.p90_s == 91
    assert latency.p99_s == 100


def test_the_spread_is_that_of_the_sample():
    latency = timings_of(rounds_of([1.0, 3.0])).latency()

    assert latency.stdev_s == pytest.approx(2**0.5)


def test_one_sample_has_no_spread_and_no_interval():
    latency = timings_of(rounds_of([1.0])).latency()

    assert latency.stdev_s == 0
    assert latency.ci95_low_s is None


def test_the_interval_rests_on_the_means_of_rounds():
    latency = timings_of(rounds_of([1], [2], [3], [4], [5])).latency()

    # t(4 degrees of freedom) = 2.776, s = sqrt(2.5), n = 5; and 1 % between processes.
    half_width_s = math.hypot(2.776 * (2.5 / 5) ** 0.5, 3 * 0.01)
    assert latency.ci95_high_s - 3 == pytest.approx(half_width_s)
    assert 3 - latency.ci95_low_s == pytest.approx(half_width_s)


def test_two_rounds_are_too_few_for_an_interval():
    assert timings_of(rounds_of([1], [2])).latency().ci95_low_s is None
    assert timings_of(rounds_of([1], [2], [3])).latency().ci95_low_s is not None


def test_rounds_that_resemble_their_neighbours_do_not_make_the_interval_narrow():
    drifting = [1.0] * 5 + [2.0] * 5
    alternating = [1.0, 2.0] * 5

    wide, narrow = (interval_half_width(1.5, means) for means in (drifting, alternating))

    # In pairs the drift is 1 1 1.5 2 2: t(4) = 2.776, s = 0.5, n = 5.
    assert wide == pytest.approx(2.776 * 0.5 / 5**0.5)
    assert wide > 1.5 * narrow


def test_the_interval_reaches_to_the_mean_of_the_rounds():
    # 99 short samples in one round pull the mean away from that of the rounds.
    timings = timings_of(rounds_of([1.0] * 99, [3.0], [3.0], [3.0]))

    latency = timings.latency()

    assert latency.ci95_high_s > 2.5 > latency.mean_s


def test_latency_is_that_of_the_quiet_bursts_and_as_measured_that_of_all():
    log = BurstLog()
    for _ in range(3):
        add(log, [1.0, 1.0])
        add(log, [1.65, 1.65], sentinel_ratio=1.65)
        add(log, [9.0, 9.0], cpu_ratio=0.5)
        log.end_round()

    timings = timings_of(log)
    latency, all_samples = timings.latency(), timings.as_measured()

    assert (latency.mean_s, latency.max_s, latency.sample_count) == (1.0, 1.0, 6)
    assert (latency.quiet_ratio, latency.is_noisy) == (pytest.approx(1 / 3), False)
    assert (all_samples.max_s, all_samples.sample_count) == (9.0, 18)
    assert all_samples.mean_s == pytest.approx((1.0 + 1.65 + 9.0) / 3)
    assert set(timings.samples_s()) == {1.0}


@pytest.mark.parametrize("quiet_count, is_noisy", [(9, True), (10, False)])
def test_under_a_tenth_quiet_the_latency_is_that_of_all_samples(quiet_count, is_noisy):
    log = BurstLog()
    for number in range(100):
        is_quiet = number < quiet_count
        add(log, [1.0 if is_quiet else 2.0], sentinel_ratio=1.0 if is_quiet else 2.0)

    latency = timings_of(log).latency()

    assert latency.is_noisy is is_noisy
    assert latency.quiet_ratio == quiet_count / 100
    assert latency.sample_count == (100 if is_noisy else quiet_count)


@pytest.mark.parametrize(
    "speeds, is_noisy", [([1, 2, 2, 2], True), ([1, 1, 1, 2], False), ([1], False)]
)
def test_one_or_two_quiet_bursts_of_more_are_not_believed_alone(speeds, is_noisy):
    log = BurstLog()
    for speed in speeds:
        add(log, [float(speed)], sentinel_ratio=speed)

    assert timings_of(log).latency().is_noisy is is_noisy


def test_a_neighbour_that_comes_and_goes_does_not_move_the_latency():
    runs = [timings_of(two_speed_log(seed=seed)) for seed in range(30)]

    gated_s = [timings.latency().mean_s for timings in runs if not timings.is_noisy]
    plain_s = [timings.as_measured().median_s for timings in runs]

    assert len(gated_s) >= 27
    assert max(abs(mean_s - 0.001) for mean_s in gated_s) < 0.000_01
    assert statistics.stdev(plain_s) / statistics.mean(plain_s) > 0.15


def test_the_interval_covers_the_truth_under_a_neighbour_who_comes_and_goes():
    found = [timings_of(two_speed_log(seed=seed)).latency() for seed in range(60)]
    given = [each for each in found if each.ci95_low_s is not None and not each.is_noisy]

    covering = [each for each in given if each.ci95_low_s <= 0.001 <= each.ci95_high_s]

    assert len(given) > 45
    assert len(covering) / len(given) >= 0.9


def test_at_most_two_thousand_samples_are_shown_the_same_ones_every_time():
    log = rounds_of(range(1, 5_001), range(5_001, 10_001))

    first, again = (timings_of(log).samples_s() for _ in range(2))

    assert first == again
    assert first == tuple(range(1, 10_001, 5))
    assert len(timings_of(rounds_of(range(1, 2_002))).samples_s()) == 2_000


def test_rounds_that_agree_leave_what_differs_between_processes():
    latency = timings_of(rounds_of([5], [5], [5], [5], [5])).latency()

    assert latency.ci95_low_s == pytest.approx(4.95)
    assert latency.ci95_high_s == pytest.approx(5.05)


@pytest.mark.parametrize("count, t", [(31, 2.042), (32, 2.0395), (61, 2.0003), (121, 1.9799)])
def test_students_t_goes_on_beyond_its_table(count, t):
    means = [1.0, 3.0] * (count // 2) + [2.0] * (count % 2)
    spread = (count // 2 * 2 / (count - 1)) ** 0.5

    alone = _t_half_width(means)

    assert alone == pytest.approx(t * spread / count**0.5, rel=0.0015)
