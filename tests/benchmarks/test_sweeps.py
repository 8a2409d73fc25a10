"""Many settings asked for at once: what is queued, in which order, and what it comes to."""

import os
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from benchmarks import input_choices
from benchmarks.models import Run, Sweep
from benchmarks.overview import latest_run_cards, latest_sweeps
from benchmarks.submission import RunSettings, queue_place, submit_run
from benchmarks.sweep_reports import sweep_report, swept_setting
from benchmarks.sweep_shapes import sweep_chart, sweep_csv
from benchmarks.sweeps import (
    SweepSettings,
    cancel_sweep,
    possible_batch_sizes,
    submit_sweep,
    submit_sweep_again,
)
from benchmarks.timeline import timeline_of
from tests.people import (
    FIXED_INPUTS,
    a_done_run,
    a_profile,
    a_queued_run,
    a_ready_version,
    a_sweep,
    an_input_set,
    owner,
    stranger,
    teammate,
)

pytestmark = pytest.mark.django_db(transaction=True)


def submit(batch_sizes=(1, 2), threads=(1,), *, version=None, profile=None, **settings):
    return submit_sweep(
        owner=owner(),
        version=version or a_ready_version(),
        profile=profile or a_profile(),
        settings=SweepSettings(batch_sizes, threads, **settings),
    )


def refusal_of(*args, **kwargs):
    with pytest.raises(ValidationError) as refusal:
        submit(*args, **kwargs)
    assert not Run.objects.exists()
    assert not Sweep.objects.exists()
    return refusal.value.message_dict


def a_measured_sweep(mean_s_by_batch, **measurement):
    """A sweep over batch sizes, each of which took so long per inference."""
    sweep = a_sweep()
    for batch_size, mean_s in mean_s_by_batch.items():
        a_done_run(
            sweep.version,
            sweep.profile,
            mean_s=mean_s,
            sweep=sweep,
            batch_size=batch_size,
            measurement=measurement,
        )
    return sweep


def test_each_batch_size_is_combined_with_each_thread_count(rung, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)

    sweep = submit([4, 1, 4], [2, 1], effort="quick")

    settings = list(sweep.runs.order_by("turn_at").values_list("batch_size", "intra_op_threads"))
    assert settings == [(1, 1), (1, 2), (4, 1), (4, 2)]
    assert {run.effort for run in sweep.runs.all()} == {"quick"}
    assert len(rung) == 4
    assert sweep.settings["batch_sizes"] == [1, 4]


@pytest.mark.parametrize(
    "asked, field, word",
    [
        (([], [1]), "batch_sizes", "at least one"),
        (([1, 2], []), "intra_op_threads", "at least one"),
        (([1], [1]), "batch_sizes", "two settings"),
        ((range(1, 38), [1]), "batch_sizes", "at most 36"),
        (([1, 0], [1]), "batch_sizes", "from 1 to"),
        (([1, 10**6], [1]), "batch_sizes", "from 1 to"),
        (([1, 2], [1, 999]), "intra_op_threads", "cores"),
    ],
)
def test_settings_that_cannot_be_are_refused_and_nothing_is_queued(asked, field, word):
    assert word in refusal_of(*asked)[field][0]


def test_a_fixed_batch_is_refused_with_what_is_possible():
    (said,) = refusal_of([1, 2], version=a_ready_version(inputs=FIXED_INPUTS))["batch_sizes"]

    assert "fixed at 1" in said
    assert "Use a batch size of 1." in said


def test_a_fixed_batch_can_still_be_swept_over_threads(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)

    assert submit([1], [1, 2], version=a_ready_version(inputs=FIXED_INPUTS)).runs.count() == 2
    assert possible_batch_sizes(a_ready_version(inputs=FIXED_INPUTS), {}) == [1]
    assert possible_batch_sizes(a_ready_version(), {}) == [1, 2, 4, 8, 16, 32]


def test_a_sweep_too_long_for_ones_queue_is_refused_whole(settings):
    settings.USER_QUEUED_RUN_LIMIT = 3
    a_queued_run()

    with pytest.raises(ValidationError, match="These are 3 runs, and you may have 2 more"):
        submit([1, 2, 4])

    assert Run.objects.count() == 1


def test_what_others_ask_for_goes_before_the_rest_of_a_sweep():
    sweep = submit([1, 2, 4], effort="quick")
    first, *rest = sweep.runs.order_by("turn_at")

    theirs = submit_run(
        owner=teammate(),
        version=a_ready_version(teammate()),
        profile=a_profile(teammate()),
        settings=RunSettings(),
    )

    assert list(Run.objects.waiting()) == [first, theirs, *rest]
    assert queue_place(theirs).ahead_count == 1
    assert queue_place(rest[-1]).ahead_count == 3


def test_two_sweeps_take_turns():
    one = submit([1, 2, 4], effort="quick")
    other = submit([1, 2, 4], effort="quick")

    turns = [run.sweep_id for run in Run.objects.waiting()]

    assert turns == [one.pk, other.pk] * 3


def test_a_sweep_that_waited_long_is_not_passed_over_for_ever():
    sweep = submit([1, 2], effort="quick")
    long_ago = timezone.now() - timedelta(hours=1)
    for run in sweep.runs.all():
        Run.objects.filter(pk=run.pk).update(turn_at=long_ago + (run.turn_at - run.queued_at))

    later = a_queued_run(a_ready_version(teammate()), a_profile(teammate()))

    assert list(Run.objects.waiting())[-1] == later


def test_cancelling_ends_what_is_left_and_keeps_what_is_done():
    sweep = a_measured_sweep({1: 0.001})
    a_queued_run(sweep.version, sweep.profile, sweep=sweep, batch_size=2)
    a_queued_run(sweep.version, sweep.profile, sweep=sweep, batch_size=4)

    assert cancel_sweep(sweep) == 2
    assert cancel_sweep(sweep) == 0
    assert sorted(run.status for run in sweep.runs.all()) == ["cancelled", "cancelled", "done"]


def test_the_same_sweep_again_has_the_same_settings():
    sweep = submit([1, 2, 8], effort="quick")

    again = submit_sweep_again(Sweep.objects.get(pk=sweep.pk), owner())

    assert again.pk != sweep.pk
    assert again.settings == sweep.settings


def test_the_same_sweep_again_needs_its_profile():
    sweep = submit()
    sweep.profile.delete()

    with pytest.raises(ValidationError, match="has been deleted"):
        submit_sweep_again(Sweep.objects.get(pk=sweep.pk), owner())


def test_the_conclusion_names_the_knee_and_what_it_saves():
    report = sweep_report(a_measured_sweep({1: 0.010, 4: 0.008, 16: 0.0061, 64: 0.006}))

    assert report.conclusion == (
        "Batch 16 costs 39 % less per inference than batch 1; more brings nothing."
    )
    assert [cell.run.batch_size for cell in report.cells if cell.is_knee] == [16]


def test_a_curve_that_still_falls_says_that_it_was_not_followed_to_its_end():
    report = sweep_report(a_measured_sweep({1: 0.010, 2: 0.005}))

    assert "50 % less per inference than batch 1" in report.conclusion
    assert "the largest that was measured" in report.conclusion


def test_where_nothing_larger_pays_the_conclusion_says_so():
    report = sweep_report(a_measured_sweep({1: 0.010, 2: 0.0101, 4: 0.0099}))

    assert report.conclusion == "Batch 1 is enough: nothing larger costs measurably less."


def test_a_gain_that_the_noise_swallows_is_named_and_not_claimed():
    unsure = {"ci95_low_s": 0.004, "ci95_high_s": 0.012}
    report = sweep_report(a_measured_sweep({1: 0.010, 2: 0.007}, **unsure))

    assert report.conclusion == (
        "No setting is measurably better than batch 1: batch 2 came out 30 % lower, "
        "within the noise."
    )


def test_a_run_that_ends_while_it_is_read_has_no_result_yet():
    run = a_queued_run()
    done = a_done_run(run.version, run.profile)
    done.estimates.update(run=run)

    stale = Run.objects.with_results().get(pk=run.pk)

    assert stale.estimates.count() == 1
    assert swept_setting(stale) is None


def test_a_sweep_without_results_has_no_knee_and_says_why():
    sweep = submit()

    waiting = sweep_report(sweep).conclusion
    cancel_sweep(sweep)
    cancelled = sweep_report(sweep).conclusion

    assert "Nothing to compare yet" in waiting
    assert "cancelled before anything was measured" in cancelled


def test_a_failed_setting_is_left_out_of_the_chart_and_kept_in_the_table():
    sweep = a_measured_sweep({1: 0.010, 2: 0.005})
    failed = a_queued_run(
        sweep.version,
        sweep.profile,
        sweep=sweep,
        batch_size=256,
        status="failed",
        finished_at=timezone.now(),
        failure_code="out_of_memory",
        failure_message="=The model ran out of memory.",
    )

    report = sweep_report(sweep)
    chart = sweep_chart(report)
    last_line = sweep_csv(report).splitlines()[-1]

    assert [point["batch_size"] for point in chart["series"][0]["points"]] == [1, 2]
    assert chart["knee"] == {"batch_size": 2, "threads": 1}
    assert [cell.run for cell in report.failed] == [failed]
    assert last_line.endswith("'=The model ran out of memory.")


def test_a_sweep_measured_on_two_machines_says_so():
    sweep = a_measured_sweep({1: 0.010})
    a_done_run(
        sweep.version,
        sweep.profile,
        sweep=sweep,
        batch_size=2,
        measurement={"machine_fingerprint": "machine-2"},
    )

    assert len(sweep_report(sweep).machines) == 2


def test_a_report_takes_as_many_queries_for_many_runs_as_for_few(django_assert_num_queries):
    sweep = a_measured_sweep({2**power: 0.01 for power in range(8)})

    with django_assert_num_queries(2):
        sweep_report(sweep)


def test_a_sweep_adds_no_lines_to_a_history_and_takes_no_headline():
    sweep = a_measured_sweep({1: 0.010, 4: 0.008, 16: 0.006})
    own = a_done_run(
        sweep.version, sweep.profile, finished_at=timezone.now() - timedelta(days=1), batch_size=1
    )

    timeline = timeline_of(sweep.version.onnx_model)

    points = list(timeline.all_points())
    assert [line.key.batch_size for line in timeline.lines] == [1]
    assert len(points) == timeline.run_count == 2
    assert str(own.pk) in [point.run_id for point in points]


def test_a_model_that_was_only_swept_is_followed_by_its_smallest_setting():
    sweep = a_measured_sweep({4: 0.008, 1: 0.010, 16: 0.006})

    timeline = timeline_of(sweep.version.onnx_model)

    assert [point.key.batch_size for point in timeline.all_points()] == [1]


def test_the_runs_of_a_sweep_do_not_crowd_out_ones_other_runs():
    sweep = submit([1, 2, 4, 8, 16, 32])
    own = a_queued_run(sweep.version, sweep.profile)

    assert [card.run for card in latest_run_cards(owner())] == [own]
    assert [one.run_count for one in latest_sweeps(owner())] == [6]
    assert not latest_sweeps(stranger())


def images(version, count):
    """Real inputs of a model that hold so many items."""
    tensor = {"name": "input", "dtype": "float32", "shape": [count, 1, 28, 28]}
    return an_input_set(version.onnx_model, tensors=[tensor])


def test_every_run_of_a_sweep_is_fed_the_same_real_inputs(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    version = a_ready_version()
    photos = images(version, 3)

    sweep = submit([3], [1, 2], version=version, values=photos)

    fed = set(sweep.runs.values_list("batch_size", "input_set", "values_name", "values_sha256"))
    assert fed == {(3, photos.pk, "photos", photos.sha256)}
    assert (sweep.input_set, sweep.values_name) == (photos, "photos")


def test_batch_sizes_other_than_that_of_the_real_inputs_are_refused_in_a_sentence():
    version = a_ready_version()

    (said,) = refusal_of([1, 3], version=version, values=images(version, 3))["batch_sizes"]

    assert said.startswith("The file holds 3 items at once, and the batch size is 1.")
    assert said.endswith("Leave out the others of this sweep; threads can still be swept.")


def test_real_inputs_that_leave_the_batch_open_are_swept_over_it():
    mask = {"name": "mask", "dtype": "float32", "shape": [28]}
    image = {"name": "input", "dtype": "float32", "shape": ["batch", 28]}
    version = a_ready_version(inputs=[image, mask])
    masks = an_input_set(version.onnx_model, tensors=[mask])

    sweep = submit([1, 2, 4], version=version, values=masks)

    assert {run.input_set for run in sweep.runs.all()} == {masks}
    assert sorted(run.batch_size for run in sweep.runs.all()) == [1, 2, 4]


def test_a_sweep_without_inputs_takes_what_is_saved_and_the_batch_follows():
    image = {"name": "image", "dtype": "float32", "shape": [None, 3, None, None]}
    version = a_ready_version(inputs=[image])
    input_choices.save(version.onnx_model, {"shapes": {"image": [1, 3, 640, 480]}})

    saved = submit([1, 4], version=version)
    guessed = submit([1, 4], version=version, inputs={})

    shapes = [run.input_choices["shapes"]["image"] for run in saved.runs.order_by("turn_at")]
    assert shapes == [[1, 3, 640, 480], [4, 3, 640, 480]]
    assert [run.input_choices for run in guessed.runs.all()] == [{}, {}]


def test_a_sweep_asked_for_again_is_fed_the_same_or_says_that_it_is_gone(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    version = a_ready_version()
    photos = images(version, 3)
    sweep = submit([3], [1, 2], version=version, values=photos)

    again = submit_sweep_again(Sweep.objects.get(pk=sweep.pk), owner())
    photos.delete()

    assert again.input_set_id is not None
    with pytest.raises(ValidationError, match="The inputs “photos”"):
        submit_sweep_again(Sweep.objects.get(pk=sweep.pk), owner())


def test_each_run_of_a_sweep_is_logged_as_queued(caplog):
    caplog.set_level("INFO", "benchmarks.submission")

    sweep = submit([1, 2])

    said = {record.run_id for record in caplog.records if record.msg == "Queued run %s"}
    assert said == {str(run.pk) for run in sweep.runs.all()}
