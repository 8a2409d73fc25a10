import pytest

from runner.timings import MAX_KEPT_COUNT, Timings


def timings(*rounds):
    made = Timings()
    for calls in rounds:
        for call_ns in calls:
            made.add(call_ns)
        made.end_round()
    return made


def test_latency_is_per_inference_of_the_batch():
    latency = timings([4_000_000_000, 8_000_000_000]).latency(batch_size=4)

    assert latency.mean_s == 1.5
    assert (latency.min_s, latency.max_s) == (1.0, 2.0)


def test_percentiles_are_interpolated():
    latency = timings([n * 1_000_000_000 for n in range(1, 102)]).latency(batch_size=1)

    assert latency.median_s == 51
    assert latency.p90_s == 91
    assert latency.p99_s == 100


def test_the_spread_is_that_of_the_sample():
    latency = timings([1_000_000_000, 3_000_000_000]).latency(batch_size=1)

    assert latency.stdev_s == pytest.approx(2**0.5)


def test_the_interval_rests_on_the_means_of_five_rounds():
    second = 1_000_000_000
    rounds = [[n * second] for n in (1, 2, 3, 4, 5)]

    latency = timings(*rounds).latency(batch_size=1)

    # t(4 degrees of freedom) = 2.776, s = sqrt(2.5), n = 5.
    assert latency.ci95_high_s - 3 == pytest.approx(2.776 * (2.5 / 5) ** 0.5)
    assert timings(*rounds[:4]).latency(batch_size=1).ci95_low_s is None


def test_a_million_calls_keep_an_exact_mean_in_little_memory():
    made = Timings()
    for call_ns in range(1, 500_001):
        made.add(call_ns)
    made.end_round()

    latency = made.latency(batch_size=1)

    assert latency.sample_count == 500_000
    assert latency.mean_s == pytest.approx(250_000.5e-9, rel=1e-12)
    assert latency.median_s == pytest.approx(250_000e-9, rel=1e-3)
    assert len(made._kept_ns) < MAX_KEPT_COUNT
    assert 1_000 <= len(made.samples_s(batch_size=1)) <= 2_000
