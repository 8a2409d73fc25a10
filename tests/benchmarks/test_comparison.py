"""Versions side by side: who is better, by how much, and where the samples cannot tell."""

import csv
import io

import pytest

from benchmarks import exports
from benchmarks.comparison import CRITERIA, compare
from benchmarks.surroundings import environment_difference
from tests.people import MACHINE, a_done_run, a_model, a_profile, a_ready_version, a_zone, owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def model():
    return a_model(name="LeNet-5")


@pytest.fixture
def pair(model):
    """A small, fast, less accurate version after a large, slow, accurate one."""
    large = a_ready_version(
        onnx_model=model,
        size_bytes=2000,
        parameter_count=400,
        accuracy_ratio=0.9,
        training_time_s=60.0,
    )
    small = a_ready_version(
        onnx_model=model, size_bytes=1000, parameter_count=100, accuracy_ratio=0.8
    )
    return large, small


def rows_of(comparison):
    return {row.criterion.name: row for row in comparison.rows}


def test_the_seven_criteria_of_the_article_stand_side_by_side(pair):
    large, small = pair
    a_done_run(large, mean_s=0.004)
    a_done_run(small, mean_s=0.002)

    found = compare(pair, user=owner())
    rows = rows_of(found)

    assert len(CRITERIA) == len(rows) == 7
    assert [cell.value for cell in rows["size_bytes"].cells] == [2000, 1000]
    assert [cell.behind_ratio for cell in rows["parameter_count"].cells] == [4, 1]
    assert [cell.behind_ratio for cell in rows["accuracy_ratio"].cells] == [1, 0.9 / 0.8]
    assert [cell.is_best for cell in rows["latency_s"].cells] == [False, True]
    assert rows["latency_s"].cells[0].behind_ratio == pytest.approx(2)
    assert rows["emission_g"].cells[0].behind_ratio == pytest.approx(2)
    assert found.summary == (
        "v2 is better on size on disk, parameters, latency and CO₂ per inference; "
        "v1 is better on accuracy; level on FLOPs; not comparable on training time."
    )


def test_a_difference_inside_the_noise_is_called_that(pair):
    large, small = pair
    a_done_run(large, mean_s=0.00201)
    a_done_run(small, mean_s=0.00200)

    found = compare(pair, user=owner())
    cell = rows_of(found)["latency_s"].cells[0]

    assert cell.is_within_noise
    assert cell.ratio.low <= 1 <= cell.ratio.high
    assert "latency (inside the noise)" in found.summary


def test_grams_of_another_country_are_no_noise_though_the_latency_is_level(pair):
    large, small = pair
    a_done_run(large, a_profile(zone=a_zone("FRA", "France", g_per_kwh=71.3)), mean_s=0.002)
    a_done_run(small, a_profile(), mean_s=0.002)

    found = compare(pair, user=owner())
    cell = rows_of(found)["emission_g"].cells[1]

    assert cell.behind_ratio == pytest.approx(10)
    assert cell.ratio.low < 10 < cell.ratio.high
    assert not cell.is_within_noise
    assert found.differences == ("machine described", "carbon intensity")


def test_what_is_not_known_says_why(pair):
    a_done_run(pair[0])

    rows = rows_of(compare(pair, user=owner()))

    assert rows["latency_s"].cells[1].reason == "It has no finished run yet."
    assert rows["training_time_s"].cells[1].reason == "Its owner has not stated it."
    assert not any(cell.is_best for cell in rows["latency_s"].cells)


def test_runs_with_the_same_settings_speak_even_where_a_newer_one_has_others(pair):
    large, small = pair
    comparable = a_done_run(large, mean_s=0.004)
    a_done_run(large, mean_s=0.001, batch_size=8)
    other = a_done_run(small)

    found = compare(pair, user=owner())

    assert [entry.run.pk for entry in found.entries] == [comparable.pk, other.pk]
    assert found.differences == ()


def test_a_chosen_run_speaks_and_what_it_does_not_share_is_named(pair):
    large, small = pair
    a_done_run(large)
    batched = a_done_run(large, batch_size=8, intra_op_threads=2)
    a_done_run(small)

    found = compare(pair, user=owner(), chosen_runs=[batched])

    assert found.entries[0].run == batched
    assert found.differences == ("batch size", "threads")


def test_the_efficient_ones_are_those_that_none_beats_in_both(model):
    figures = [(0.9, 0.003), (0.8, 0.001), (0.7, 0.002)]
    versions = [a_ready_version(onnx_model=model, accuracy_ratio=ratio) for ratio, _ in figures]
    for version, (_, mean_s) in zip(versions, figures, strict=True):
        a_done_run(version, mean_s=mean_s)

    points = compare(versions, user=owner()).pareto("latency_s")

    assert [point.is_efficient for point in points] == [True, True, False]


def test_the_environment_difference_holds_only_what_differs(pair):
    first = a_done_run(pair[0])
    second = a_done_run(
        pair[1], batch_size=4, measurement={"machine": {**MACHINE, "os": "Linux 6.19"}}
    )

    found = environment_difference(first, second)

    assert [(one.name, one.first, one.second) for one in found] == [
        ("batch size", "1", "4"),
        ("machine: os", "Linux 6.18", "Linux 6.19"),
    ]


def test_the_csv_has_a_line_for_each_figure_and_no_formula(pair):
    pair[0].label = "x"
    a_done_run(pair[0], mean_s=0.004)
    a_done_run(pair[1], mean_s=0.002)
    for version in pair:
        version.onnx_model.name = "=cmd"
    other = a_ready_version(onnx_model=a_model(name="other"))

    text = exports.comparison_csv(compare([*pair, other], user=owner()))
    rows = list(csv.DictReader(io.StringIO(text)))

    assert len(rows) == 7 * 3
    assert rows[0]["title"].startswith("'=cmd")
    latency = [row for row in rows if row["criterion"] == "latency_s"]
    assert [row["value"] for row in latency] == ["0.004", "0.002", ""]
    assert [row["is_best"] for row in latency] == ["no", "yes", "no"]
    assert latency[2]["reason"] == "It has no finished run yet."


def test_the_markdown_marks_the_best_and_keeps_names_from_being_markup(model):
    versions = [
        a_ready_version(onnx_model=model, label="a|b", size_bytes=2000),
        a_ready_version(onnx_model=model, label="<i>", size_bytes=1000),
    ]

    lines = exports.comparison_markdown(compare(versions, user=owner())).splitlines()

    assert lines[0] == r"| | v1 a\|b | v2 \<i\> |"
    assert lines[2] == "| size on disk (lower is better) | 2 kB | **1 kB** |"
    assert len(lines) == 9


def test_a_difference_that_another_process_could_make_is_no_difference(pair):
    """Two runs of steady samples 1 % apart, each sure of its mean to 1 %."""
    for version, mean_s in zip(pair, (0.00202, 0.002), strict=True):
        a_done_run(version, mean_s=mean_s, measurement={"samples_s": [mean_s] * 100})

    cell = rows_of(compare(pair, user=owner()))["latency_s"].cells[0]

    assert cell.is_within_noise
    # 1.01, give or take the hypotenuse of 1 % and 1 %.
    assert cell.ratio.low == pytest.approx(1.01 * (1 - 0.0141421), rel=1e-4)
    assert cell.ratio.high == pytest.approx(1.01 * (1 + 0.0141421), rel=1e-4)
