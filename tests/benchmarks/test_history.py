"""What a model's runs say over time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from benchmarks.history import history_of
from tests.people import (
    SOFTWARE,
    a_done_run,
    a_model,
    a_profile,
    a_queued_run,
    a_ready_version,
    a_zone,
    owner,
)

pytestmark = pytest.mark.django_db


def days_ago(days):
    return timezone.now() - timedelta(days=days)


def a_version():
    return a_ready_version(onnx_model=a_model())


def test_runs_of_one_profile_with_the_same_settings_stand_on_one_line():
    version = a_version()
    first = a_done_run(version, finished_at=days_ago(2))
    second = a_done_run(version, finished_at=days_ago(1))

    (series,) = history_of(version.onnx_model).series

    assert [point.run_id for point in series.points] == [str(first.pk), str(second.pk)]
    assert series.label == "Laptop, batch 1, 1 thread"


@pytest.mark.parametrize(
    "choices",
    [
        {"batch_size": 8},
        {"intra_op_threads": 2},
        {"input_choices": {"dims": {"sequence": 128}}},
        {"values_name": "real.npz", "values_sha256": "0" * 64},
    ],
)
def test_other_settings_make_another_line(choices):
    version = a_version()
    a_done_run(version)
    a_done_run(version, **choices)

    assert len(history_of(version.onnx_model).series) == 2


def test_another_effort_stays_on_the_line():
    version = a_version()
    a_done_run(version, effort="quick")
    a_done_run(version, effort="careful")

    assert len(history_of(version.onnx_model).series) == 1


def test_another_machine_profile_makes_another_line_with_its_own_grams():
    version, laptop = a_version(), a_profile()
    server = a_profile(name="Server", zone=a_zone("FRA", "France", g_per_kwh=71.3))
    a_done_run(version, laptop)
    a_done_run(version, server)

    points = history_of(version.onnx_model).points

    grams = {point.profile_name: point.emission_g for point in points}
    assert grams["Laptop"] == pytest.approx(10 * grams["Server"])


def test_a_line_breaks_where_the_machine_changed():
    version = a_version()
    a_done_run(version, finished_at=days_ago(2))
    other = {"machine": {"cpu": "AMD EPYC 9B14"}, "machine_fingerprint": "machine-2"}
    a_done_run(version, finished_at=days_ago(1), measurement=other)

    (point,) = history_of(version.onnx_model).breaks

    assert point.break_reason == "the machine changed from AMD EPYC 7B13 to AMD EPYC 9B14"


def test_a_line_breaks_where_the_runtime_changed():
    version = a_version()
    a_done_run(version, finished_at=days_ago(2))
    newer = {
        "software": {**SOFTWARE, "onnxruntime": "1.33.0"},
        "software_fingerprint": "software-2",
    }
    a_done_run(version, finished_at=days_ago(1), measurement=newer)

    (point,) = history_of(version.onnx_model).breaks

    assert point.break_reason == "the runtime changed from onnxruntime 1.32.0 to 1.33.0"


def test_a_line_does_not_break_while_nothing_changes():
    version = a_version()
    a_done_run(version, finished_at=days_ago(2))
    a_done_run(version, finished_at=days_ago(1))

    assert history_of(version.onnx_model).breaks == []


def test_a_run_that_found_nothing_is_not_a_point():
    version = a_version()
    a_queued_run(version)

    assert history_of(version.onnx_model).points == []


def test_a_change_is_a_share_of_the_grams_before():
    version = a_version()
    a_done_run(version, mean_s=0.002, finished_at=days_ago(2))
    a_done_run(version, mean_s=0.001, finished_at=days_ago(1))
    history = history_of(version.onnx_model)

    change = history.change_to(history.newest_of_latest_version())

    assert change.emission_ratio == pytest.approx(-0.5)
    assert change.is_within_noise is False
    assert not change.is_increase


def test_a_change_inside_the_intervals_is_noise():
    version = a_version()
    a_done_run(version, mean_s=0.001, finished_at=days_ago(2))
    a_done_run(version, mean_s=0.00101, finished_at=days_ago(1))
    history = history_of(version.onnx_model)

    assert history.change_to(history.newest_of_latest_version()).is_within_noise is True


def test_without_an_interval_nobody_says_whether_it_is_noise():
    version = a_version()
    a_done_run(version, finished_at=days_ago(2))
    unsure = {"ci95_low_s": None, "ci95_high_s": None}
    a_done_run(version, finished_at=days_ago(1), measurement=unsure)
    history = history_of(version.onnx_model)

    assert history.change_to(history.newest_of_latest_version()).is_within_noise is None


def test_the_first_run_has_no_change():
    run = a_done_run()
    history = history_of(run.version.onnx_model)

    assert history.change_to(history.newest_of_latest_version()) is None


def test_the_headline_is_the_newest_run_of_the_highest_version():
    version = a_version()
    newer = a_ready_version(onnx_model=version.onnx_model, label="int8")
    run = a_done_run(newer, finished_at=days_ago(3))
    a_done_run(version, finished_at=days_ago(1))

    newest = history_of(version.onnx_model).newest_of_latest_version()

    assert newest.run_id == str(run.pk)
    assert newest.version_title == "v2 int8"


def test_a_range_keeps_what_was_measured_in_it():
    version = a_version()
    a_done_run(version, finished_at=days_ago(40))
    recent = a_done_run(version, finished_at=days_ago(5))

    points = history_of(version.onnx_model).of_last(30).points

    assert [point.run_id for point in points] == [str(recent.pk)]


def test_a_deleted_profile_lives_on_under_its_name():
    run = a_done_run(profile=a_profile(owner(), "Old laptop"))
    run.profile.delete()

    (series,) = history_of(run.version.onnx_model).series

    assert series.profile_name == "Old laptop"


def test_a_profile_named_like_a_number_keeps_its_name():
    run = a_done_run(profile=a_profile(name="123"))

    assert history_of(run.version.onnx_model).points[0].profile_name == "123"


def test_the_whole_history_is_one_query(django_assert_num_queries):
    version = a_version()
    for day in range(5):
        a_done_run(version, finished_at=days_ago(day))

    with django_assert_num_queries(1):
        history = history_of(version.onnx_model)

    assert len(history.points) == 5


def test_a_history_too_long_for_a_chart_says_that_it_is_cut(monkeypatch):
    monkeypatch.setattr("benchmarks.history.POINT_LIMIT", 2)
    version = a_version()
    for day in range(3):
        a_done_run(version, finished_at=days_ago(day))

    history = history_of(version.onnx_model)

    assert history.is_cut
    assert len(history.points) == 2
    assert history.points[-1].measured_at > days_ago(1.5)
