"""A number reads as a person would write it, and says what it says to the last digit shown."""

import re
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from footprint.units import (
    COUNT_LADDER,
    COUNT_WORDS,
    LADDER_BY_UNIT,
    STEP_BY_SYMBOL,
    format_count,
    format_energy_kwh,
    format_number,
    format_quantity,
    spell_count,
    spell_energy_kwh,
    spell_quantity,
    spell_unit,
    split_quantity,
)

PREFIXED_UNITS = sorted(LADDER_BY_UNIT)


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (43.2e-9, "g", "43.2 ng"),
        (1.87e-3, "s", "1.87 ms"),
        (512e-9, "Wh", "512 nWh"),
        (1.2e-3, "g", "1.2 mg"),
        (0.0, "g", "0 g"),
        (-0.0, "s", "0 s"),
        (-1.2e-3, "g", "-1.2 mg"),
        (23.8e-6, "s", "23.8 µs"),
        (11.408, "g", "11.4 g"),
        (1_234, "g", "1.23 kg"),
        (2.5e6, "g", "2.5 t"),
        (3e9, "g", "3 kt"),
        (16, "W", "16 W"),
        (2_100, "W", "2.1 kW"),
        (512, "B", "512 B"),
        (1_000, "B", "1 kB"),
        (4_956_208, "B", "4.96 MB"),
        (2 * 1024**3, "B", "2.15 GB"),
        (75, "s", "75 s"),
        (119.4, "s", "119 s"),
        (120, "s", "2 min"),
        (1_200, "s", "20 min"),
        (7_200, "s", "2 h"),
        (3 * 86_400, "s", "3 d"),
        (4 * 31_536_000, "s", "4 y"),
        (713.36, "g/kWh", "713 g/kWh"),
        (1_234.5, "km", "1,235 km"),
        (-3.14159, "%", "-3.14 %"),
        (5e-324, "g", "<0.001 qg"),
    ],
)
def test_a_quantity_reads_as_a_person_would_write_it(value, unit, shown):
    assert format_quantity(value, unit) == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (999.6e-9, "g", "1 µg"),
        (999.4e-9, "g", "999 ng"),
        (999.5e-9, "g", "1 µg"),
        (999.9, "g", "1 kg"),
        (999_999, "B", "1 MB"),
        (119.7, "s", "2 min"),
        (119.96 * 60, "s", "2 h"),
        (0.9996, "Wh", "1 Wh"),
    ],
)
def test_rounding_up_to_the_next_prefix_carries(value, unit, shown):
    assert format_quantity(value, unit) == shown


@pytest.mark.parametrize("unit", PREFIXED_UNITS)
@given(value=st.floats(1e-29, 1e25), digits=st.integers(3, 15))
@example(value=999.6e-9, digits=3)
@example(value=0.99999999, digits=3)
def test_one_to_999_stands_before_the_unit_and_reads_back(unit, value, digits):
    text, symbol = split_quantity(value, unit, digits)

    if (unit, symbol) == ("B", "B") or symbol == "y":
        return  # No prefix below the byte, none above the year.
    assert re.fullmatch(r"\d{1,3}(\.\d+)?", text)
    assert 1 <= Decimal(text) < 1000
    assert sum(character.isdigit() for character in text) <= digits
    read_back = Decimal(text) * STEP_BY_SYMBOL[symbol].scale
    assert float(read_back) == pytest.approx(value, rel=0.5 * 10 ** (1 - digits) * 1.0001)


@pytest.mark.parametrize("unit", PREFIXED_UNITS)
@given(value=st.floats(5e-324, 1e25))
def test_zero_is_written_for_a_true_zero_only(unit, value):
    text, _ = split_quantity(value, unit)

    assert text != "0"
    assert format_quantity(0, unit) == f"0 {unit}"


@pytest.mark.parametrize("unit", [*PREFIXED_UNITS, "g/kWh"])
@pytest.mark.parametrize("nonsense", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_a_number_is_not_shown_as_one(unit, nonsense):
    with pytest.raises(ValueError, match="value must be finite"):
        format_quantity(nonsense, unit)


@pytest.mark.parametrize("digits", [0, -1, 18])
def test_digits_out_of_reason_are_refused(digits):
    with pytest.raises(ValueError, match="digits must lie between"):
        format_quantity(1.5, "g", digits)


@pytest.mark.parametrize(
    ("symbol", "words"),
    [
        ("ng", "nanograms"),
        ("µs", "microseconds"),
        ("nWh", "nanowatt-hours"),
        ("kWh", "kilowatt-hours"),
        ("min", "minutes"),
        ("t", "tonnes"),
        ("MB", "megabytes"),
        ("W", "watts"),
        ("g/kWh", "grams per kilowatt-hour"),
        ("inferences", "inferences"),
    ],
)
def test_a_screen_reader_gets_the_units_name(symbol, words):
    assert spell_unit(symbol) == words


@pytest.mark.parametrize("unit", PREFIXED_UNITS)
@given(value=st.floats(1e-29, 1e25))
def test_every_unit_shown_has_a_name(unit, value):
    _, symbol = split_quantity(value, unit)

    assert spell_unit(symbol) != symbol


def test_no_two_units_share_a_symbol():
    steps = [step for ladder in LADDER_BY_UNIT.values() for step in ladder]

    assert len(STEP_BY_SYMBOL) == len(steps)


def test_the_exact_value_is_spelt_out():
    assert spell_quantity(7.5419555555e-08, "g") == "75.419555555 nanograms"
    assert spell_quantity(1, "g/kWh") == "1 gram per kilowatt-hour"
    assert spell_energy_kwh(1e-12) == "1 nanowatt-hour"


def test_an_energy_held_in_kilowatt_hours_is_shown_in_watt_hours():
    assert format_energy_kwh(0.016) == "16 Wh"
    assert format_energy_kwh(2.131085) == "2.13 kWh"
    assert format_energy_kwh(1.0577778e-10) == "106 nWh"


def test_counts_are_shortened_from_a_thousand_on():
    assert format_count(0) == "0"
    assert format_count(999) == "999"
    assert format_count(44_426) == "44.4 k"
    assert format_count(281_640, digits=4) == "281.6 k"
    assert format_count(4_100_000_000) == "4.1 G"
    assert spell_count(999_999) == "1 million"


@given(value=st.integers(1, 10**14))
def test_counts_never_show_a_thousand_of_a_smaller_step(value):
    for ladder, text in ((COUNT_LADDER, format_count(value)), (COUNT_WORDS, spell_count(value))):
        number, _, symbol = text.partition(" ")

        assert 1 <= Decimal(number) < 1000
        assert symbol in {step.symbol for step in ladder}


def test_a_plain_number_keeps_its_whole_part():
    assert format_number(1_234_567.8) == "1,234,568"
    assert format_number(0.04321) == "0.0432"
    assert format_number(0) == "0"
    assert format_number(1e30) == "1" + ",000" * 10
