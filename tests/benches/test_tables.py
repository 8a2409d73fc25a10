"""The tables of a comparison, from figures that can be checked in the head."""

import pytest

from benches.tables import by_model, held_intervals, long_run_s, tables, variation


def engine(mean_s, *, low_s=None, high_s=None, sample_count=100, is_noisy=0.0, fastest_s=1.0):
    ends = {} if low_s is None else {"ci95_low_s": low_s, "ci95_high_s": high_s}
    same = {"plain_mean_s": mean_s * 1.5, "plain_median_s": mean_s * 1.4, "quiet_ratio": 0.6}
    return {
        **{"mean_s": mean_s, "sample_count": sample_count, "is_noisy": is_noisy},
        **{"fastest_s": fastest_s, "wall_s": 20.0, **same, **ends},
    }


def record(number, way, figures, model="lenet5"):
    return {"round": number, "model": model, "way": way, "figures": figures}


def row(text, table_number, name="lenet5"):
    lines = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in lines[table_number].strip("|").split("|")]


def test_an_interval_is_held_to_the_mean_of_the_other_processes():
    by_way = {
        "standard": [
            engine(1.00, low_s=0.98, high_s=1.03),
            engine(1.02, low_s=1.00, high_s=1.04),
            engine(1.10, low_s=1.08, high_s=1.12),
        ]
    }

    # Of the others: 1.06, 1.05 and 1.01.
    assert held_intervals(by_way, "standard") == (0, 3)


def test_noisy_processes_do_not_tell_the_long_run_value_but_are_held_to_it():
    by_way = {
        "standard": [
            engine(1.00, low_s=0.98, high_s=1.03),
            engine(1.01, low_s=0.99, high_s=1.04),
            engine(1.60, low_s=1.20, high_s=2.00, is_noisy=1.0),
        ]
    }

    assert held_intervals(by_way, "standard") == (2, 3)


def test_both_efforts_tell_the_long_run_value():
    by_way = {
        "standard": [engine(1.00)],
        "careful": [engine(1.01, low_s=0.99, high_s=1.03)],
    }

    assert held_intervals(by_way, "careful") == (1, 1)
    assert held_intervals(by_way, "standard") == (0, 0)


def test_a_single_process_says_nothing_of_its_interval():
    by_way = {"standard": [engine(1.00, low_s=0.98, high_s=1.03)]}

    assert held_intervals(by_way, "standard") == (0, 0)


def test_the_long_run_value_weighs_by_samples():
    assert long_run_s([engine(1.0, sample_count=300), engine(2.0, sample_count=100)]) == 1.25


def test_one_value_does_not_vary():
    assert variation([1.0]) is None


def test_ratios_compare_what_was_measured_one_after_the_other():
    records = []
    # The machine is twice as slow in the second round; the ratio is 1.1 in each.
    for number, speed in enumerate((1.0, 2.0, 1.0)):
        records.append(record(number, "standard", engine(1.0, fastest_s=1.1 * speed)))
        floor = {"fastest_s": speed, "figure_s": speed}
        records.append(record(number, "floor", floor))
        records.append(record(number, "plain", {"fastest_s": 3 * speed, "figure_s": speed}))

    cells = row(tables(by_model(records)), 0)

    assert cells[4:6] == ["1.100", "3.000"]


def test_a_way_that_could_not_be_made_ready_leaves_dashes():
    records = [
        record(number, "standard", engine(value)) for number, value in enumerate((9, 10, 11))
    ]

    text = tables(by_model(records))

    assert row(text, 0)[1] == "-"
    assert row(text, 1)[2:5] == ["10.0 %", "-", "10.0 %"]
    assert row(text, 1)[6:9] == ["-", "-", "-"]


def test_a_clock_that_differs_between_processes_can_be_taken_out():
    records = [
        record(number, "standard", {**engine(speed), "best_sentinel_s": 2e-5 * speed})
        for number, speed in enumerate((9, 10, 11))
    ]

    assert row(tables(by_model(records)), 1)[2:4] == ["10.0 %", "0.0 %"]


@pytest.mark.parametrize("table_number", [0, 1, 2])
def test_every_row_has_as_many_cells_as_its_head(table_number):
    records = [
        record(number, way, engine(1.0, low_s=0.9, high_s=1.1))
        for number in range(3)
        for way in ("standard", "careful")
    ]

    table = tables(by_model(records)).split("\n\n")[2 * table_number + 1].splitlines()

    assert len({line.replace("---|", "x|").count("|") for line in table}) == 1
