"""Files of figures, good and bad: each bad cell is named by line, column and reason."""

import pytest

from hardware.models import CarbonIntensity
from hardware.reading import (
    MAX_COMPLAINT_COUNT,
    MAX_LINE_COUNT,
    ZERO_IS_MISSING,
    read_file,
)
from tests.people import a_zone

pytestmark = pytest.mark.django_db

HEAD = "zone,year,g_per_kwh,measure,source,vintage\n"
GOOD = "IND,2023,700,life_cycle,mine,v1\n"


@pytest.fixture(autouse=True)
def places():
    a_zone("IND", "India")
    a_zone("WORLD", "World")
    a_zone("XKX", "Kosovo", g_per_kwh=None)


def read(text, **options):
    return read_file(text.encode(), **options)


def complaints(found):
    return [(one.line, one.column, one.reason) for one in found.complaints]


def test_a_good_line_becomes_typed_values():
    found = read(HEAD + GOOD)

    assert found.complaints == []
    assert list(found.lines.values()) == [
        {
            "zone_id": "IND",
            "year": 2023,
            "g_per_kwh": 700.0,
            "measure": "life_cycle",
            "source": "mine",
            "vintage": "v1",
        }
    ]


@pytest.mark.parametrize(
    ("line", "column", "says"),
    [
        ("IND,2024,-5,life_cycle,mine,v", "g_per_kwh", "“-5” is negative"),
        ("IND,2024,27.29.5,life_cycle,mine,v", "g_per_kwh", "“27.29.5” is not a number"),
        ('IND,2024,"27,29",life_cycle,mine,v', "g_per_kwh", "without separators"),
        ("IND,2024,nan,life_cycle,mine,v", "g_per_kwh", "“nan” is not a number"),
        ("IND,2024,1e999,life_cycle,mine,v", "g_per_kwh", "beyond all bounds"),
        ("IND,2024,3001,life_cycle,mine,v", "g_per_kwh", "not between 0.001 and 3,000"),
        ("IND,2024,,life_cycle,mine,v", "g_per_kwh", "empty"),
        ("IND,2024,=cmd|' /C calc'!A0,life_cycle,mine,v", "g_per_kwh", "“=cmd|' /C calc'!A0”"),
        ("IND,2024,700,life_cycle,=cmd,v", "source", "formula"),
        ("IND,2024,700,life_cycle,mine,@v", "vintage", "formula"),
        ("IND,2024,700,guessed,mine,v", "measure", "none of life_cycle, operational, co2_only"),
        ("IND,1066,700,life_cycle,mine,v", "year", "not between 1990 and 2100"),
        ("IND,2024.5,700,life_cycle,mine,v", "year", "not a whole number"),
        ("XXX,2024,700,life_cycle,mine,v", "zone", "no zone with the code “XXX”"),
        ("IND,2024,700,life_cycle,mi\x00ne,v", "source", "control character"),
        ("IND,2024,700,life_cycle,,v", "source", "empty"),
        ("IND,2024,700,life_cycle,mine,", "vintage", "empty"),
        (f"IND,2024,700,life_cycle,{'x' * 201},v", "source", "longer than 200"),
        ("IND,2024,700,life_cycle,mine,v,more", "", "7 cells for 6 columns"),
        ('IND,2024,700,life_cycle,"mine,v', "", "not CSV"),
    ],
)
def test_a_bad_cell_is_named_by_line_column_and_reason(line, column, says):
    found = read(HEAD + GOOD + line)

    ((number, where, reason),) = complaints(found)
    assert (number, where) == (3, column)
    assert says in reason


def test_every_bad_cell_of_a_line_is_named_at_once():
    found = read(HEAD + "XXX,1066,-5,guessed,,v\n")

    assert [column for _, column, _ in complaints(found)] == [
        "zone",
        "year",
        "g_per_kwh",
        "measure",
        "source",
    ]


@pytest.mark.parametrize("zero", ["0", "0.0", "0e5"])
def test_a_zero_is_missing_data_and_left_out(zero):
    found = read(HEAD + GOOD + f"IND,2024,{zero},life_cycle,mine,v\n")

    assert found.complaints == []
    assert len(found.lines) == 1
    assert (found.skipped[ZERO_IS_MISSING].count, found.skipped[ZERO_IS_MISSING].first_line) == (
        1,
        3,
    )


def test_a_second_line_of_one_row_is_refused():
    found = read(HEAD + GOOD + GOOD)

    assert complaints(found) == [
        (3, "zone, year, measure", "The line names the same row as line 2.")
    ]


def test_a_missing_column_is_named():
    found = read("zone,year,g_per_kwh,source,vintage\nIND,2023,700,mine,v\n")

    ((line, column, reason),) = complaints(found)
    assert (line, column) == (1, "measure")
    assert "is missing: the table of carbon intensities needs it" in reason


def test_the_vintage_may_be_said_beside_the_file():
    text = "zone,year,g_per_kwh,measure,source\nIND,2023,700,life_cycle,mine\n"

    assert "Or say the vintage beside the file" in complaints(read(text))[0][2]
    assert [line["vintage"] for line in read(text, vintage="2027").lines.values()] == ["2027"]


def test_a_column_that_no_table_has_is_left_unread_and_said():
    found = read(
        "zone,year,g_per_kwh,measure,source,vintage,mood\n" + "IND,2023,7,life_cycle,m,v,!"
    )

    assert found.complaints == []
    assert found.unknown_columns == ["mood"]


@pytest.mark.parametrize("text", ["", "\n\n", "hello\n", "\x00\x00", "a;b;c\n1;2;3\n"])
def test_a_file_that_is_no_table_says_what_its_first_line_has_to_be(text):
    ((line, _, reason),) = complaints(read(text))

    assert line == 1
    assert "The first line has to name the columns" in reason


def test_an_old_encoding_is_told_with_its_line():
    text = HEAD + GOOD + "IND,2024,700,life_cycle,Réseau,v\n"

    ((line, _, reason),) = complaints(read_file(text.encode("latin-1")))

    assert line == 3
    assert "not UTF-8" in reason
    assert "CSV UTF-8" in reason


def test_a_mark_that_windows_puts_in_front_does_not_matter():
    assert read_file((HEAD + GOOD).encode("utf-8-sig")).complaints == []


def test_a_file_longer_than_any_table_is_refused_whole():
    lines = "".join(f"IND,{n},700,life_cycle,mine,v\n" for n in range(200_000))

    found = read(HEAD + lines)

    ((line, column, reason),) = complaints(found)
    assert (line, column) == (MAX_LINE_COUNT + 2, "")
    assert "more than 50,000 lines" in reason


def test_a_file_with_too_much_wrong_is_not_read_to_its_end():
    lines = "".join(f"XXX,{n},-7,guessed,,v\n" for n in range(10_000))

    found = read(HEAD + lines)

    *_, last = complaints(found)
    assert MAX_COMPLAINT_COUNT < len(found.complaints) <= MAX_COMPLAINT_COUNT + 5
    assert last[1:] == ("", "Too much is wrong: from this line on the file was left unread.")


GRAPHER = "Entity,Code,Year,Carbon intensity of electricity - gCO2/kWh\n"


def test_our_world_in_datas_chart_is_taken_as_it_is():
    found = read(
        GRAPHER
        + "Africa (Ember),,2023,540.1\nIndia,IND,1990,700.5\nIndia,IND,2023,713.36\n"
        + "Kosovo,OWID_KOS,2023,900.25\nWorld,OWID_WRL,2023,480.5\nEU,OWID_EUN,2023,210\n"
        + "India,IND,2024,0\n",
        vintage="2027-04",
    )

    assert found.complaints == []
    assert {
        (line["zone_id"], line["year"]): line["g_per_kwh"] for line in found.lines.values()
    } == {
        ("IND", 2023): 713.36,
        ("XKX", 2023): 900.25,
        ("WORLD", 2023): 480.5,
    }
    (line, *_) = found.lines.values()
    assert (line["measure"], line["source"], line["vintage"]) == (
        CarbonIntensity.Measure.LIFE_CYCLE,
        "Ember (2027), processed by Our World in Data",
        "2027-04",
    )
    assert sorted(skipped.count for skipped in found.skipped.values()) == [1, 1, 2]


def test_its_short_column_names_do_as_well():
    found = read("entity,code,year,co2_intensity\nIndia,IND,2023,713.36\n", vintage="2027")

    assert [line["g_per_kwh"] for line in found.lines.values()] == [713.36]


def test_its_energy_table_is_taken_as_it_is():
    found = read(
        "country,year,iso_code,population,carbon_intensity_elec,coal_share\n"
        "India,2023,IND,1400000000,713.36,70\nIndia,1985,IND,1,,\nASEAN,2023,,1,500,1\n",
        vintage="2027-04",
    )

    assert found.complaints == []
    assert [line["g_per_kwh"] for line in found.lines.values()] == [713.36]


def test_its_files_need_a_vintage():
    assert "give the year and month" in complaints(read(GRAPHER + "India,IND,2023,700\n"))[0][2]


def test_a_bad_cell_of_its_files_is_named_by_their_column():
    found = read(GRAPHER + "Atlantis,ATL,2023,700\nIndia,IND,2023,-1\n", vintage="2027")

    assert [(line, column) for line, column, _ in complaints(found)] == [
        (2, "Code"),
        (3, "Carbon intensity of electricity - gCO2/kWh"),
    ]


def test_the_rule_of_the_headline_stays_what_the_formula_says():
    found = read(
        "key,name,kind,w_per_gb,w_per_module,module_gb,year,source,vintage\n"
        "three-watts-per-8-gb,RAM,linear,0.4,,,,me,v\nother,RAM,per_module,0.4,,,,me,v\n"
    )

    assert [(line, column) for line, column, _ in complaints(found)] == [
        (2, "w_per_gb"),
        (3, "w_per_module"),
        (3, "module_gb"),
    ]


def test_a_year_of_thousands_of_digits_is_a_bad_cell_like_any_other():
    text = "Entity,Code,Year,Carbon intensity\nIndia,IND," + "9" * 5_000 + ",700\n"

    found = read(text, vintage="2027-04")

    assert [(line, column) for line, column, _ in complaints(found)] == [(2, "Year")]
