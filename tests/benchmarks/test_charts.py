"""The shapes in which figures travel to a chart and to a spreadsheet."""

import csv
import io
import json

import pytest

from benchmarks.charts import histogram_chart, history_chart, sparkline_points
from benchmarks.exports import history_csv
from benchmarks.history import history_of
from footprint.samples import Bin
from tests.people import a_done_run, a_model, a_profile, a_ready_version

pytestmark = pytest.mark.django_db


def payload_rows(payload):
    return [
        dict(zip(payload["columns"], row, strict=True))
        for series in payload["series"]
        for row in series["points"]
    ]


def test_each_run_travels_once_with_its_figures():
    run = a_done_run(mean_s=0.001)

    payload = history_chart(history_of(run.version.onnx_model))
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

    payload = history_chart(history_of(version.onnx_model))

    assert payload["versions"] == [
        {"number": 1, "title": "v1 fp32", "at_ms": round(run.finished_at.timestamp() * 1000)}
    ]


def test_a_thousand_runs_stay_a_modest_payload():
    run = a_done_run()
    row = json.dumps(history_chart(history_of(run.version.onnx_model))["series"][0]["points"][0])

    assert len(row) < 180


def test_a_history_without_runs_is_an_empty_chart():
    assert history_chart(history_of(a_model()))["series"] == []


def test_a_histogram_says_which_bin_is_the_tail():
    bins = [Bin(0.1, 0.2, 7), Bin(0.2, 0.9, 1, is_tail=True)]

    assert histogram_chart(bins)[1] == {"low_s": 0.2, "high_s": 0.9, "count": 1, "is_tail": True}


def test_a_sparkline_rises_where_the_figure_rises():
    first, last = sparkline_points([1.0, 2.0]).split()

    assert float(first.split(",")[1]) > float(last.split(",")[1])


def test_a_flat_sparkline_runs_through_the_middle():
    assert sparkline_points([5.0, 5.0]) == "3,16 117,16"


def test_one_value_is_no_line():
    assert sparkline_points([1.0]) == ""


def test_the_csv_names_units_and_holds_exact_values():
    run = a_done_run(mean_s=0.001)

    (row,) = csv.DictReader(io.StringIO(history_csv(history_of(run.version.onnx_model).points)))

    assert float(row["latency_s"]) == 0.001
    assert float(row["emission_g"]) == run.estimate.emission_g
    assert row["intensity_g_per_kwh"] == "713.0"
    assert row["profile"] == "Laptop"


def test_a_name_that_looks_like_a_formula_is_plain_text_in_the_csv():
    version = a_ready_version(onnx_model=a_model(), label="=cmd()")
    a_done_run(version, a_profile(name="+1"))

    (row,) = csv.DictReader(io.StringIO(history_csv(history_of(version.onnx_model).points)))

    assert row["version_label"] == "'=cmd()"
    assert row["profile"] == "'+1"
