"""Where a run's grams go: shares of its time, on its page, on its model's page, in charts."""

import pytest

from benchmarks.breakdown import BARS_SHOWN, LAYERS_SHOWN, breakdown_of
from benchmarks.charts import breakdown_chart
from tests.people import a_composition, a_done_run, a_ready_version, owner

pytestmark = pytest.mark.django_db

INPUT = {"name": "ids", "dtype": "int64", "shape": [1, 128], "why": ["declared", "chosen"]}


def a_looked_into_run(version=None, **fields):
    found = {
        "composition": a_composition(**fields),
        "inputs_used": [{**INPUT, "low": 0, "high": 9}],
    }
    return a_done_run(version, measurement=found)


def many_layers(count):
    return [
        {
            "name": f"node {n}",
            "operator": "Relu",
            "call_count": 1,
            "time_ratio": 1 / count,
            "mac_count": 10,
        }
        for n in range(count)
    ]


@pytest.fixture
def page(client):
    def read(address):
        client.force_login(owner())
        return client.get(address).content.decode()

    return read


def test_the_grams_of_all_operators_are_the_runs():
    run = a_looked_into_run()

    found = breakdown_of(run.measurement, 8.0)

    assert [(part.label, part.emission_g) for part in found.operators] == [
        ("Conv", 6.0),
        ("MatMul", 2.0),
    ]
    assert sum(part.emission_g for part in (*found.layers, found.other_layers)) == 8.0


def test_what_a_table_or_chart_leaves_out_is_one_row():
    run = a_looked_into_run(layers=many_layers(100), other_layers=None)

    found = breakdown_of(run.measurement, 8.0)
    bars = breakdown_chart(found)["layer"]

    assert found.layer_rest.label == f"{100 - LAYERS_SHOWN} more"
    assert found.layer_rest.mac_count == 10 * (100 - LAYERS_SHOWN)
    assert len(bars) == BARS_SHOWN + 1
    assert sum(bar["emission_g"] for bar in bars) == pytest.approx(8.0)


def test_the_rows_beyond_the_stored_ones_are_counted_in():
    others = {"layer_count": 300, "time_ratio": 0.0, "mac_count": 7}
    run = a_looked_into_run(layers=many_layers(LAYERS_SHOWN + 5), other_layers=others)

    rest = breakdown_of(run.measurement, 8.0).layer_rest

    assert (rest.label, rest.mac_count) == ("305 more", 57)


def test_a_runs_page_shows_where_the_grams_go(page):
    text = page(
        a_looked_into_run(uncounted_operators=["DFT"], constant_node_count=2).get_absolute_url()
    )

    assert "Where the time goes" in text
    assert 'id="operator-bars-data"' in text
    assert "75 %" in text
    assert "Counted at 1×128" in text
    assert "at least" in text
    assert "shapes alone do not tell: DFT" in text
    assert "2</span> nodes working with constants alone" in text


def test_a_hostile_name_is_text_and_nothing_else(page):
    name = "</script><script>alert(1)</script>"
    layers = [{"name": name, "operator": "Relu", "call_count": 1, "time_ratio": 1, "mac_count": 0}]

    text = page(a_looked_into_run(layers=layers).get_absolute_url())

    assert "<script>alert" not in text


def test_a_run_too_short_to_be_timed_has_counts_and_no_bars(page):
    operators = [{"operator": "Relu", "call_count": 1, "time_ratio": None, "mac_count": 0}]

    text = page(
        a_looked_into_run(operators=operators, layers=[], other_layers=None).get_absolute_url()
    )

    assert "too short for its nodes" in text
    assert "operator-bars" not in text


def test_a_run_that_could_not_be_looked_into_says_why(page):
    run = a_done_run(measurement={"profiling_note": "It took longer than the 60 s allowed."})

    text = page(run.get_absolute_url())

    assert "It took longer than the 60 s allowed." in text
    assert "The measurement is not affected" in text


def test_an_older_run_says_that_nobody_looked(page):
    assert "Run it again to see it" in page(a_done_run().get_absolute_url())


def test_a_models_page_takes_the_count_of_its_last_run_where_the_file_tells_none(page):
    version = a_ready_version(mac_count=None, flop_count=None, uncounted_operators=["MatMul"])
    a_looked_into_run(version, mac_count=77)
    a_looked_into_run(version)

    text = page(version.onnx_model.get_absolute_url())

    assert "1.43 G" in text
    assert "at 1×128, by its last run" in text
    assert "not counted: MatMul" not in text


def test_a_models_page_says_that_a_run_would_tell(page):
    version = a_ready_version(mac_count=None, flop_count=None, uncounted_operators=["LSTM"])

    assert "not counted: LSTM; a run tells" in page(version.onnx_model.get_absolute_url())
