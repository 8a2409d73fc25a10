"""The shapes in which figures travel to a chart and to a spreadsheet."""

import csv
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from benchmarks.buckets import chart_of
from benchmarks.charts import histogram_chart, history_chart, history_json, sparkline_points
from benchmarks.exports import history_csv
from benchmarks.pricing import Factors, Pricing, pricing_of
from benchmarks.timeline import timeline_of
from footprint.samples import Bin
from tests.people import a_done_run, a_model, a_profile, a_ready_version, a_zone

pytestmark = pytest.mark.django_db


def payload_of(onnx_model):
    timeline = timeline_of(onnx_model)
    stretches = [one for line in timeline.lines for one in line.stretches]
    pricing = pricing_of([one.circumstances for one in stretches], Factors())
    return json.loads(history_json(timeline, pricing))


def csv_lines(onnx_model):
    return history_csv(timeline_of(onnx_model).all_points())


def payload_rows(payload):
    return [
        dict(zip(payload["columns"], row, strict=True))
        for series in payload["series"]
        for row in series["points"]
    ]


def test_each_run_travels_once_with_its_figures():
    run = a_done_run(mean_s=0.001)

    payload = payload_of(run.version.onnx_model)
    (row,) = payload_rows(payload)

    assert row["run"] == str(run.pk)
    assert row["latency_s"] == 0.001
    assert (row["low_s"], row["high_s"]) == (0.00099, 0.00101)
    assert row["emission_g"] == pytest.approx(3.168889e-6, rel=1e-5)
    assert payload["machines"][row["machine"]] == "AMD EPYC 7B13"


def test_each_version_is_marked_where_it_was_first_measured():
    version = a_ready_version(onnx_model=a_model(), label="fp32")
    run = a_done_run(version)
    a_done_run(version)

    payload = payload_of(version.onnx_model)

    assert payload["versions"] == [
        {"number": 1, "title": "v1 fp32", "at_ms": round(run.finished_at.timestamp() * 1000)}
    ]


def test_a_thousand_runs_stay_a_modest_payload():
    run = a_done_run()
    row = json.dumps(payload_of(run.version.onnx_model)["series"][0]["points"][0])

    assert len(row) < 180


def test_a_run_repriced_while_its_chart_is_drawn_stays_on_it():
    chart = chart_of(timeline_of(a_done_run().version.onnx_model))
    (drawn,) = chart.lines
    elsewhere = tuple(replace(point, circumstances_id=None) for point in drawn.points)

    payload = history_chart(replace(chart, lines=(replace(drawn, points=elsewhere),)), Pricing({}))

    (row,) = payload_rows(payload)
    assert payload["machines"][row["machine"]] == "AMD EPYC 7B13"


def test_a_history_without_runs_is_an_empty_chart():
    assert payload_of(a_model())["series"] == []


def test_a_histogram_says_which_bin_is_the_tail():
    bins = [Bin(0.1, 0.2, 7), Bin(0.2, 0.9, 1, is_tail=True)]

    assert histogram_chart(bins)[1] == {"low_s": 0.2, "high_s": 0.9, "count": 1, "is_tail": True}


def test_a_sparkline_rises_where_the_figure_rises():
    first, last = sparkline_points([1.0, 2.0]).split()

    assert float(first.split(",")[1]) > float(last.split(",")[1])


def test_a_flat_sparkline_runs_through_the_middle():
    assert sparkline_points([5.0, 5.0]) == "3,16 117,16"


def test_the_scatter_of_a_percent_does_not_look_like_a_cliff():
    first, last = sparkline_points([1.0, 1.01]).split()

    # Of 26 units of height, which a change of a tenth or more fills.
    assert 0 < float(first.split(",")[1]) - float(last.split(",")[1]) < 3


def test_one_value_is_no_line():
    assert sparkline_points([1.0]) == ""


def test_the_csv_names_units_and_holds_exact_values():
    run = a_done_run(mean_s=0.001)

    (row,) = csv.DictReader(csv_lines(run.version.onnx_model))

    assert float(row["latency_s"]) == 0.001
    assert float(row["emission_g"]) == run.estimate.emission_g
    assert row["intensity_g_per_kwh"] == "713.0"
    assert row["profile"] == "Laptop"


def test_the_csv_says_whose_intensity_of_which_year_was_used():
    a_zone("WORLD", "World", g_per_kwh=458.0, year=2025)
    andorra = a_profile(zone=a_zone("AND", "Andorra", g_per_kwh=None))
    version = a_ready_version()
    a_done_run(version, a_profile(), finished_at=timezone.now() - timedelta(days=1))
    a_done_run(version, andorra)

    lines = list(csv_lines(version.onnx_model))
    newest, oldest = csv.DictReader(lines)

    names = ("intensity_zone", "intensity_year", "intensity_measure")
    assert [newest[name] for name in names] == ["WORLD", "2025", "life_cycle"]
    assert [oldest[name] for name in names] == ["IND", "2023", "life_cycle"]
    assert lines[0].strip().split(",")[-3:] == list(names)


def test_a_name_that_looks_like_a_formula_is_plain_text_in_the_csv():
    version = a_ready_version(onnx_model=a_model(), label="=cmd()")
    a_done_run(version, a_profile(name="+1"))

    (row,) = csv.DictReader(csv_lines(version.onnx_model))

    assert row["version_label"] == "'=cmd()"
    assert row["profile"] == "'+1"
