"""What a model's runs say over time."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.utils import timezone

from benchmarks.models import Run
from benchmarks.repricing import reprice
from benchmarks.timeline import EVERYTHING, TimeRange, timeline_of
from hardware.models import CarbonIntensity
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


def all_points(onnx_model, time_range=EVERYTHING):
    return list(timeline_of(onnx_model, time_range).all_points())


def lines_of(onnx_model):
    return timeline_of(onnx_model).lines


def test_runs_of_one_profile_with_the_same_settings_stand_on_one_line():
    version = a_version()
    first = a_done_run(version, finished_at=days_ago(2))
    second = a_done_run(version, finished_at=days_ago(1))

    (line,) = lines_of(version.onnx_model)

    newest_first = [point.run_id for point in all_points(version.onnx_model)]
    assert newest_first == [str(second.pk), str(first.pk)]
    assert line.label == "Laptop, batch 1, 1 thread"


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

    assert len(lines_of(version.onnx_model)) == 2


def test_another_effort_stays_on_the_line():
    version = a_version()
    a_done_run(version, effort="quick")
    a_done_run(version, effort="careful")

    assert len(lines_of(version.onnx_model)) == 1


def test_another_machine_profile_makes_another_line_with_its_own_grams():
    version, laptop = a_version(), a_profile()
    server = a_profile(name="Server", zone=a_zone("FRA", "France", g_per_kwh=71.3))
    a_done_run(version, laptop)
    a_done_run(version, server)

    points = all_points(version.onnx_model)

    grams = {point.profile_name: point.emission_g for point in points}
    assert grams["Laptop"] == pytest.approx(10 * grams["Server"])


def test_a_line_breaks_where_the_machine_changed():
    version = a_version()
    a_done_run(version, finished_at=days_ago(2))
    other = {"machine": {"cpu": "AMD EPYC 9B14"}, "machine_fingerprint": "machine-2"}
    a_done_run(version, finished_at=days_ago(1), measurement=other)

    (point,) = timeline_of(version.onnx_model).breaks

    assert point.break_reason == "the machine changed from AMD EPYC 7B13 to AMD EPYC 9B14"


def test_a_line_breaks_where_the_runtime_changed():
    version = a_version()
    a_done_run(version, finished_at=days_ago(2))
    newer = {
        "software": {**SOFTWARE, "onnxruntime": "1.33.0"},
        "software_fingerprint": "software-2",
    }
    a_done_run(version, finished_at=days_ago(1), measurement=newer)

    (point,) = timeline_of(version.onnx_model).breaks

    assert point.break_reason == "the runtime changed from onnxruntime 1.32.0 to 1.33.0"


def test_a_line_does_not_break_while_nothing_changes():
    version = a_version()
    a_done_run(version, finished_at=days_ago(2))
    a_done_run(version, finished_at=days_ago(1))

    assert timeline_of(version.onnx_model).breaks == []


def test_a_run_that_found_nothing_is_not_a_point():
    version = a_version()
    a_queued_run(version)

    assert all_points(version.onnx_model) == []


def test_a_change_is_a_share_of_the_grams_before():
    version = a_version()
    a_done_run(version, mean_s=0.002, finished_at=days_ago(2))
    a_done_run(version, mean_s=0.001, finished_at=days_ago(1))
    history = timeline_of(version.onnx_model)

    change = history.change_to(history.newest_of_latest_version())

    assert change.emission_ratio == pytest.approx(-0.5)
    assert change.is_within_noise is False
    assert not change.is_increase


def test_a_change_inside_the_intervals_is_noise():
    version = a_version()
    a_done_run(version, mean_s=0.001, finished_at=days_ago(2))
    a_done_run(version, mean_s=0.00101, finished_at=days_ago(1))
    history = timeline_of(version.onnx_model)

    assert history.change_to(history.newest_of_latest_version()).is_within_noise is True


def test_without_an_interval_nobody_says_whether_it_is_noise():
    version = a_version()
    a_done_run(version, finished_at=days_ago(2))
    unsure = {"ci95_low_s": None, "ci95_high_s": None}
    a_done_run(version, finished_at=days_ago(1), measurement=unsure)
    history = timeline_of(version.onnx_model)

    assert history.change_to(history.newest_of_latest_version()).is_within_noise is None


def test_the_first_run_has_no_change():
    run = a_done_run()
    history = timeline_of(run.version.onnx_model)

    assert history.change_to(history.newest_of_latest_version()) is None


def test_a_profile_deleted_while_its_history_is_read_costs_the_change_and_no_more():
    version, profile = a_version(), a_profile()
    for days in (2, 1):
        a_done_run(version, profile, finished_at=days_ago(days))
    history = timeline_of(version.onnx_model)
    newest = history.newest_of_latest_version()

    profile.delete()

    assert history.change_to(newest) is None


def test_the_headline_is_the_newest_run_of_the_highest_version():
    version = a_version()
    newer = a_ready_version(onnx_model=version.onnx_model, label="int8")
    run = a_done_run(newer, finished_at=days_ago(3))
    a_done_run(version, finished_at=days_ago(1))

    newest = timeline_of(version.onnx_model).newest_of_latest_version()

    assert newest.run_id == str(run.pk)
    assert newest.version_title == "v2 int8"


def test_a_range_keeps_what_was_measured_in_it():
    version = a_version()
    a_done_run(version, finished_at=days_ago(40))
    recent = a_done_run(version, finished_at=days_ago(5))

    points = all_points(version.onnx_model, TimeRange.of_last(30))

    assert [point.run_id for point in points] == [str(recent.pk)]


def test_a_deleted_profile_lives_on_under_its_name():
    run = a_done_run(profile=a_profile(owner(), "Old laptop"))
    run.profile.delete()

    (line,) = lines_of(run.version.onnx_model)

    assert line.label == "Old laptop, batch 1, 1 thread"


def test_a_profile_named_like_a_number_keeps_its_name():
    run = a_done_run(profile=a_profile(name="123"))

    assert all_points(run.version.onnx_model)[0].profile_name == "123"


def test_the_lines_are_read_with_two_questions_and_a_page_with_three(django_assert_num_queries):
    version = a_version()
    for day in range(5):
        a_done_run(version, finished_at=days_ago(day))

    with django_assert_num_queries(2):
        timeline = timeline_of(version.onnx_model)
    with django_assert_num_queries(3):
        points = timeline.points(list(timeline.runs().values_list("pk", flat=True)))

    assert len(points) == timeline.run_count == 5


def test_a_line_measured_under_other_factors_is_still_one_line():
    version, profile = a_version(), a_profile()
    a_done_run(version, profile, finished_at=days_ago(1))
    CarbonIntensity.objects.update(g_per_kwh=500.0)
    a_done_run(version, profile)

    (line,) = lines_of(version.onnx_model)

    assert len(line.stretches) == 2
    assert timeline_of(version.onnx_model).breaks == []


def test_runs_that_take_turns_on_two_machines_are_said_to_go_back_and_forth():
    version = a_version()
    other = {"machine": {"cpu": "AMD EPYC 9B14"}, "machine_fingerprint": "machine-2"}
    for day in range(6):
        measurement = other if day % 2 else None
        a_done_run(version, finished_at=days_ago(day), measurement=measurement)

    timeline = timeline_of(version.onnx_model)

    assert timeline.goes_back_and_forth
    (one,) = timeline.breaks
    assert one.break_reason == "the machine changed from AMD EPYC 9B14 to AMD EPYC 7B13"
    assert [bool(point.break_reason) for point in timeline.all_points()] == [True] * 5 + [False]


def test_a_page_in_the_middle_knows_what_came_before_it():
    version = a_version()
    other = {"machine": {"cpu": "AMD EPYC 9B14"}, "machine_fingerprint": "machine-2"}
    a_done_run(version, finished_at=days_ago(3))
    moved = a_done_run(version, finished_at=days_ago(2), measurement=other)
    a_done_run(version, finished_at=days_ago(1), measurement=other)

    (point,) = timeline_of(version.onnx_model).points([moved.pk])

    assert point.break_reason == "the machine changed from AMD EPYC 7B13 to AMD EPYC 9B14"


def test_of_runs_that_ended_at_the_same_moment_the_later_id_comes_later():
    version, moment = a_version(), days_ago(1)
    runs = [a_done_run(version, finished_at=moment) for _ in range(3)]
    timeline = timeline_of(version.onnx_model)

    newest = timeline.newest_of_latest_version()

    assert newest.run_id == str(max(run.pk for run in runs))
    assert timeline.change_to(newest).before.run_id == str(sorted(run.pk for run in runs)[1])


def test_a_file_is_read_a_page_at_a_time_and_has_every_run_once(monkeypatch):
    monkeypatch.setattr("benchmarks.timeline.FILE_PAGE_LENGTH", 3)
    version, moment = a_version(), days_ago(1)
    runs = [a_done_run(version, finished_at=moment + timedelta(hours=n // 2)) for n in range(9)]

    points = all_points(version.onnx_model)

    expected = sorted(runs, key=lambda run: (run.finished_at, run.pk), reverse=True)
    assert [point.run_id for point in points] == [str(run.pk) for run in expected]


def test_a_repriced_run_keeps_its_place_under_its_new_factors():
    version = a_version()
    run = a_done_run(version)
    CarbonIntensity.objects.update(g_per_kwh=500.0)

    reprice([run.pk], by=owner())

    (stretch,) = lines_of(version.onnx_model)[0].stretches
    assert stretch.circumstances.assumptions["numbers"]["intensity_g_per_kwh"] == 500.0


def test_a_history_in_too_many_circumstances_says_how_many_runs_are_left_out(monkeypatch):
    monkeypatch.setattr("benchmarks.timeline.CIRCUMSTANCES_LIMIT", 2)
    version = a_version()
    for day in range(3):
        a_done_run(version, finished_at=days_ago(day), batch_size=day + 1)

    timeline = timeline_of(version.onnx_model)

    assert (timeline.total_count, timeline.left_out_count) == (2, 1)
    assert len(list(timeline.all_points())) == 2


def test_every_result_has_its_place():
    run = a_done_run()

    stored = Run.objects.get(pk=run.pk)

    assert stored.onnx_model == run.version.onnx_model
    assert stored.latency_s == run.measurement.mean_s
    assert stored.circumstances.assumptions == run.assumptions


def test_results_from_before_circumstances_were_kept_get_the_same_place():
    a_done_run()
    fed = a_done_run(values_name="real.npz", values_sha256="0" * 64)
    CarbonIntensity.objects.update(g_per_kwh=500.0)
    reprice([fed.pk], by=owner())
    placed = list(Run.objects.order_by("pk").values("onnx_model", "circumstances", "latency_s"))
    Run.objects.update(onnx_model=None, circumstances=None, latency_s=None)
    migration = import_module("benchmarks.migrations.0011_place_runs_in_history")

    migration.place_finished_runs(apps, None)

    again = list(Run.objects.order_by("pk").values("onnx_model", "circumstances", "latency_s"))
    assert again == placed
