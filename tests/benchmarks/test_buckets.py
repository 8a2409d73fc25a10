"""A long history summed up: buckets as one would compute them by hand, and how they are shown."""

import json
import statistics
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.buckets import WIDTHS_S, Size, chart_of, slot_of
from benchmarks.charts import PAYLOAD_LIMIT_BYTES, history_json
from benchmarks.circumstances import Circumstances
from benchmarks.factors import STORED, TODAY
from benchmarks.models import ModelVersion, Run
from benchmarks.pricing import Factors, pricing_of
from benchmarks.timeline import TimeRange, timeline_of
from benchmarks.whatif import Question, answer
from hardware.models import CarbonIntensity
from tests.long_history import copies_of
from tests.people import (
    SOFTWARE,
    a_done_run,
    a_model,
    a_profile,
    a_ready_version,
    a_zone,
)

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
OTHER_MACHINE = {"machine": {"cpu": "AMD EPYC 9B14"}, "machine_fingerprint": "machine-2"}


def a_long_history(count=500, *, every=timedelta(hours=1)):
    """A model with that many runs, ever slower, the newest just now; its newest run."""
    now = timezone.now()
    run = a_done_run(mean_s=0.001, finished_at=now)
    copies_of(run, [(now - every * n, 0.001 - 1e-7 * n) for n in range(1, count)])
    return run


def all_buckets(chart):
    return [one for line in chart.lines for one in line.buckets]


def prices_of(chart, factors=None):
    all_circumstances = [one.circumstances for one in chart.stretches]
    return pricing_of(all_circumstances, factors or Factors())


def payload_of(timeline, factors=None):
    stretches = [one for line in timeline.lines for one in line.stretches]
    prices = pricing_of([one.circumstances for one in stretches], factors or Factors())
    return history_json(timeline, prices)


# Some circumstances, some seconds after the start, some microseconds of latency.
MEASURED = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.one_of(
            st.integers(0, 10**6), st.integers(0, 10**8), st.floats(0, 5000, allow_nan=False)
        ),
        st.integers(1, 10**6),
    ),
    min_size=1,
    max_size=60,
)


@settings(max_examples=40, deadline=None)
# Three circumstances over three years and more make up to fifteen buckets of the longest width.
@given(measured=MEASURED, limit=st.integers(15, 40))
def test_buckets_are_what_one_computes_by_hand(measured, limit):
    Run.objects.all().delete()
    onnx_model = a_model()
    versions = [a_ready_version(onnx_model=onnx_model) for _ in range(2)]
    kinds = [(versions[0], None), (versions[1], None), (versions[1], OTHER_MACHINE)]
    templates = [a_done_run(version, measurement=found) for version, found in kinds]
    runs = [
        run
        for kind, seconds, latency in measured
        for run in copies_of(
            templates[kind], [(START + timedelta(seconds=seconds), latency * 1e-6)]
        )
    ]
    Run.objects.filter(pk__in=[one.pk for one in templates]).delete()

    chart = chart_of(timeline_of(onnx_model), Size(run_count=0, bucket_count=limit))

    expected = {}
    for run in runs:
        key = (run.circumstances_id, slot_of(run.finished_at, chart.width_s))
        expected.setdefault(key, []).append(run)
    found = {
        (one.circumstances.pk, slot_of(one.first_at, chart.width_s)): one
        for one in all_buckets(chart)
    }
    assert found.keys() == expected.keys()
    assert len(found) == len(all_buckets(chart)) <= limit
    for key, own in expected.items():
        latencies = [run.latency_s for run in own]
        bucket = found[key]
        assert bucket.run_count == len(own)
        assert (bucket.min_s, bucket.max_s) == (min(latencies), max(latencies))
        assert bucket.median_s == pytest.approx(statistics.median(latencies), rel=1e-15)
        assert bucket.first_at == min(run.finished_at for run in own)
        assert bucket.last_at == max(run.finished_at for run in own)
    Circumstances.objects.all().delete()


@pytest.mark.parametrize("width_s", WIDTHS_S)
def test_a_bucket_begins_at_a_whole_second_of_its_width(width_s):
    edge = datetime.fromtimestamp(width_s * 5 + 4 * 86_400, UTC)
    run = a_done_run(finished_at=edge)
    moments = [edge - timedelta(microseconds=1), edge + timedelta(microseconds=1)]
    before, after = copies_of(run, [(moment, 0.001) for moment in moments])

    slots = {slot_of(one.finished_at, width_s) for one in (run, after)}

    assert len(slots) == 1
    assert slot_of(before.finished_at, width_s) not in slots


def test_weeks_begin_on_a_monday():
    monday = datetime(2026, 11, 23, tzinfo=UTC)

    week = 7 * 86_400

    assert slot_of(monday, week) == slot_of(monday + timedelta(days=6, hours=23), week)
    assert slot_of(monday, week) != slot_of(monday - timedelta(seconds=1), week)


def test_the_same_question_has_the_same_answer_to_the_byte():
    onnx_model = a_long_history().version.onnx_model

    first, second = (payload_of(timeline_of(onnx_model)) for _ in range(2))

    assert first == second
    assert json.loads(first)["bucket_width_s"]


def test_a_short_history_is_told_run_by_run_and_a_long_one_in_buckets():
    run = a_long_history()
    short = a_done_run(run.version, a_profile(name="Server"), finished_at=run.finished_at)

    by_line = {line.line.label: line for line in chart_of(timeline_of(short.onnx_model)).lines}

    assert len(by_line["Server, batch 1, 1 thread"].points) == 1
    assert by_line["Server, batch 1, 1 thread"].buckets == ()
    assert by_line["Laptop, batch 1, 1 thread"].points == ()
    assert by_line["Laptop, batch 1, 1 thread"].run_count == 500


def test_a_shorter_time_has_shorter_buckets_and_single_runs_in_the_end():
    onnx_model = a_long_history(1500).version.onnx_model
    now = timezone.now()

    widths = [
        chart_of(timeline_of(onnx_model, TimeRange(now - timedelta(days=days), now))).width_s
        for days in (100, 20, 10)
    ]

    assert widths[0] > widths[1]
    assert widths[2] is None


def test_what_was_measured_elsewhere_or_with_another_version_is_never_in_one_bucket():
    version = a_ready_version()
    here = a_done_run(version, finished_at=START)
    there = a_done_run(version, finished_at=START, measurement=OTHER_MACHINE)
    newer = a_done_run(
        a_ready_version(onnx_model=version.onnx_model),
        finished_at=START,
        measurement={"software": SOFTWARE, "software_fingerprint": "software-2"},
    )
    for run in (here, there, newer):
        copies_of(run, [(START + timedelta(seconds=n), 0.001) for n in range(1, 200)])

    buckets = all_buckets(chart_of(timeline_of(version.onnx_model)))

    runs_by_circumstances = {}
    for one in buckets:
        pk = one.circumstances.pk
        runs_by_circumstances[pk] = runs_by_circumstances.get(pk, 0) + one.run_count
    assert list(runs_by_circumstances.values()) == [200, 200, 200]


def test_runs_that_take_turns_on_two_machines_stay_within_the_payload():
    version = a_ready_version()
    here = a_done_run(version, finished_at=START)
    there = a_done_run(version, finished_at=START, measurement=OTHER_MACHINE)
    for shift, run in enumerate((here, there)):
        copies_of(run, [(START + timedelta(hours=2 * n + shift), 0.001) for n in range(400)])

    (line,) = chart_of(timeline_of(version.onnx_model)).lines

    machines = [one.circumstances.machine for one in line.buckets]
    assert len(machines) <= Size().bucket_count
    assert machines == sorted(machines)


def test_hundreds_of_long_names_make_room_for_fewer_points():
    run = a_done_run()
    rows = [
        ModelVersion(onnx_model=run.onnx_model, number=number, label="é" * 80, size_bytes=1)
        for number in range(2, 500)
    ]
    versions = ModelVersion.objects.bulk_create(rows)
    values = {
        field.attname: getattr(run.circumstances, field.attname)
        for field in Circumstances._meta.concrete_fields
    }
    kinds = Circumstances.objects.bulk_create(
        [Circumstances(**values | {"id": None, "version_id": one.pk}) for one in versions]
    )
    copies = copies_of(run, [(START + timedelta(days=n), 0.001) for n in range(len(kinds))])
    for copy, kind, version in zip(copies, kinds, versions, strict=True):
        copy.circumstances, copy.version = kind, version
    Run.objects.bulk_update(copies, ["circumstances", "version"])
    timeline = timeline_of(run.onnx_model)

    text = payload_of(timeline)

    payload = json.loads(text)
    assert len(text) <= PAYLOAD_LIMIT_BYTES
    assert payload["run_count"] == 499
    assert 0 < payload["covered_count"] < 499


@pytest.mark.parametrize("tables", [STORED, TODAY])
def test_a_bucket_is_priced_like_each_of_its_runs(tables):
    onnx_model = a_long_history().version.onnx_model
    CarbonIntensity.objects.update(g_per_kwh=500.0)
    timeline = timeline_of(onnx_model)
    chart = chart_of(timeline)
    prices = prices_of(chart, Factors(tables))

    grams = [prices.applied_to(point).emission_g for point in timeline.all_points()]

    found = [
        prices.figures(one.circumstances, latency_s)[1]
        for one in all_buckets(chart)
        for latency_s in (one.min_s, one.max_s)
    ]
    assert min(found) == pytest.approx(min(grams), rel=1e-12)
    assert max(found) == pytest.approx(max(grams), rel=1e-12)


def test_a_what_if_prices_the_history_as_it_prices_a_run():
    run = a_long_history()
    question = Question(zone=a_zone("FRA", "France", g_per_kwh=71.3), pue=1.5)
    timeline = timeline_of(run.onnx_model)
    chart = chart_of(timeline)
    prices = prices_of(chart, Factors(question=question))

    (newest,) = (
        prices.applied_to(point) for point in timeline.all_points() if point.run_id == str(run.pk)
    )

    expected_g = answer(run, question).estimate.emission_g
    assert newest.emission_g == pytest.approx(expected_g, rel=1e-12)
    assert prices.figures(run.circumstances, run.latency_s)[1] == newest.emission_g


def test_the_chart_of_a_what_if_has_its_grams_and_the_page_says_so(signed_in):
    run = a_long_history()
    a_zone("FRA", "France", g_per_kwh=71.3)
    address = run.onnx_model.get_absolute_url()

    stored = signed_in.get(f"{address}history.json").json()
    asked = signed_in.get(f"{address}history.json?zone=FRA").json()
    page = signed_in.get(f"{address}?zone=FRA").text

    factors = [one["circumstances"][0]["emission_g_per_s"] for one in (stored, asked)]
    assert factors[1] == pytest.approx(factors[0] / 10)
    assert "worked out under the factors that are asked for" in page
    # The figure on top is the stored one.
    assert "3.17 <span" in page.split('id="history"')[0]


def test_a_what_if_without_an_answer_leaves_the_history_as_it_is_and_says_so(signed_in):
    run = a_done_run()

    page = signed_in.get(f"{run.onnx_model.get_absolute_url()}?year=1999").text

    assert "the history is shown without it" in page


def test_the_address_of_a_zoom_limits_the_chart_the_tables_and_the_file(signed_in):
    run = a_long_history()
    address = run.onnx_model.get_absolute_url()
    until = run.finished_at - timedelta(hours=10)
    zoom = "&".join(
        f"{name}={round(moment.timestamp() * 1000)}"
        for name, moment in (("from", until - timedelta(hours=5)), ("to", until))
    )

    chart = signed_in.get(f"{address}history.json?{zoom}").json()
    page = signed_in.get(f"{address}?{zoom}").text
    table = signed_in.get(f"{address}history/?{zoom}").text
    file = signed_in.get(f"{address}history.csv?{zoom}").getvalue().decode()

    assert 5 <= chart["run_count"] == chart["covered_count"] <= 6
    assert chart["bucket_width_s"] is None
    # How far one can look beyond it.
    assert chart["to_ms"] >= run.finished_at.timestamp() * 1000
    assert f"{chart['run_count']} finished runs" in page
    assert f"{chart['run_count']} finished runs in {chart['run_count']} rows" in table
    assert len(file.splitlines()) == 1 + chart["run_count"]


def test_a_chart_of_days_in_which_nothing_was_measured_has_a_time_all_the_same(signed_in):
    run = a_done_run(finished_at=timezone.now() - timedelta(days=30))

    chart = signed_in.get(f"{run.onnx_model.get_absolute_url()}history.json?range=7").json()

    assert chart["run_count"] == 0
    assert chart["from_ms"] <= chart["to_ms"]


def test_lines_that_the_chart_has_no_room_for_are_owned_up_to(signed_in):
    version = a_ready_version()
    for batch_size in range(1, 27):
        a_done_run(version, batch_size=batch_size)

    page = signed_in.get(f"{version.onnx_model.get_absolute_url()}history/").text

    assert "26 runs in this time, on so many lines" in page
    assert "24 of them fill the chart" in page


@pytest.mark.parametrize("zoom", ["from=9&to=3", "from=x&to=y", f"from=1&to={10**400}", "from=-1"])
def test_a_zoom_that_makes_no_sense_is_none(signed_in, zoom):
    run = a_done_run()

    page = signed_in.get(f"{run.onnx_model.get_absolute_url()}?{zoom}").text

    assert "1 finished run," in page
    assert "Show the whole range" not in page


@pytest.mark.parametrize("metric, unit", [("emission", "g"), ("energy", "Wh"), ("latency", "s")])
def test_the_chart_as_a_table_leads_to_a_closer_look(signed_in, metric, unit):
    run = a_long_history()
    address = reverse("model-history", args=[run.onnx_model_id])

    page = signed_in.get(f"{address}?metric={metric}").text

    link = page.split('<td><a href="')[1].split('"')[0].replace("&amp;", "&")
    assert "500 finished runs in" in page
    assert f"{unit}</span>" in page
    assert link.startswith(run.onnx_model.get_absolute_url())
    assert "Show the whole range" in signed_in.get(link).text


def test_the_csv_has_every_run(signed_in):
    run = a_long_history(1200)

    answered = signed_in.get(f"{run.onnx_model.get_absolute_url()}history.csv")

    assert answered.streaming
    assert len(answered.getvalue().decode().splitlines()) == 1201


@pytest.mark.parametrize(
    "address, short_count, long_count",
    [
        ("", 21, 21),
        ("?factors=today", 23, 23),
        ("?range=30&page=3", 20, 21),
        ("history.json", 8, 6),
        ("history.json?factors=today", 9, 7),
        ("history/", 8, 6),
        ("history/?factors=today", 9, 7),
    ],
)
def test_a_long_history_asks_no_more_often_than_a_short_one(
    signed_in, django_assert_num_queries, address, short_count, long_count
):
    for run_count, query_count in ((60, short_count), (500, long_count), (900, long_count)):
        page = a_long_history(run_count).onnx_model.get_absolute_url()
        with django_assert_num_queries(query_count):
            signed_in.get(f"{page}{address}")
