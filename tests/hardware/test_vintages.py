"""A new vintage: what it would change is told first, then all of it is done, or nothing."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from hardware.models import CarbonIntensity, Processor
from hardware.reading import read_file
from hardware.reference import load_reference
from hardware.vintages import HasComplaints, TableMoved, load, preview
from tests.people import a_done_run, a_processor, a_profile, a_zone, admin

pytestmark = pytest.mark.django_db

HEAD = "zone,year,g_per_kwh,measure,source,vintage\n"


def read(*lines):
    return read_file((HEAD + "\n".join(lines) + "\n").encode())


def edited(row, **fields):
    for name, value in fields.items():
        setattr(row, name, value)
    row.note_edit(admin())
    row.save()
    return row


@pytest.fixture
def india():
    """Ten years at 100 g/kWh."""
    zone = a_zone("IND", "India", g_per_kwh=None)
    for year in range(2011, 2021):
        CarbonIntensity.objects.create(zone=zone, year=year, g_per_kwh=100, source="old")
    return zone


def line(year, g_per_kwh, source="new"):
    return f"IND,{year},{g_per_kwh},life_cycle,{source},v2"


def test_the_preview_counts_by_what_would_happen_and_changes_nothing(india):
    edited(india.intensities.get(year=2014), g_per_kwh=55)

    plan = preview(read(line(2011, 97), line(2012, 96.9), line(2014, 90), line(2021, 80)))

    assert str(plan) == (
        "4 rows: 2 changed, median -3.0 %, 1 added, 1 edited by hand and kept; "
        "0 stored runs used a row that changes"
    )
    assert not CarbonIntensity.objects.filter(vintage="v2").exists()


def test_the_same_figure_under_a_new_label_is_no_changed_figure(india):
    plan = preview(read(line(2011, 100)))

    assert (len(plan.changed), len(plan.relabelled)) == (0, 1)


def test_the_largest_moves_come_first(india):
    plan = preview(read(line(2011, 101), line(2012, 150), line(2013, 80)))

    assert [change.row.year for change in plan.movers] == [2012, 2013, 2011]
    assert [change.change_percent for change in plan.movers] == [50, -20, 1]


def test_loading_sets_figure_source_vintage_and_who_did_it(india):
    load(read(line(2011, 97), line(2021, 80)), user=admin())

    changed, added = india.intensities.get(year=2011), india.intensities.get(year=2021)
    assert (changed.g_per_kwh, changed.source, changed.vintage) == (97, "new", "v2")
    assert changed.last_change.startswith("loaded ")
    assert changed.last_change.endswith(" by admin")
    assert (added.g_per_kwh, added.loaded_by) == (80, admin())


def test_an_edited_row_is_kept_unless_it_is_ticked(india):
    kept = edited(india.intensities.get(year=2014), g_per_kwh=55)
    ticked = edited(india.intensities.get(year=2015), g_per_kwh=56)

    load(read(line(2014, 90), line(2015, 91)), overwrite={str(ticked.pk)})

    kept.refresh_from_db()
    ticked.refresh_from_db()
    assert (kept.g_per_kwh, kept.edited_by) == (55, admin())
    assert (ticked.g_per_kwh, ticked.edited_by) == (91, None)


def test_a_table_that_moved_since_the_preview_is_not_loaded(india):
    found = read(line(2011, 97), line(2012, 97))
    plan = preview(found)
    edited(india.intensities.get(year=2012), g_per_kwh=1)

    with pytest.raises(TableMoved):
        load(found, expected_digest=plan.digest)

    assert india.intensities.get(year=2011).g_per_kwh == 100


def test_a_file_with_one_bad_line_changes_nothing(india):
    with pytest.raises(HasComplaints):
        load(read(line(2011, 97), line(2012, -1)))

    assert india.intensities.get(year=2011).g_per_kwh == 100


def test_the_preview_counts_the_runs_that_used_an_intensity_that_changes():
    first, second = a_zone("IND", "India"), a_zone("FRA", "France")
    for zone in (first, first, second):
        a_done_run(profile=a_profile(zone=zone))

    plan = preview(read("IND,2023,700,life_cycle,new,v2"))

    assert str(plan).endswith("; 2 stored runs used a row that changes")


def test_the_preview_counts_the_runs_that_used_a_processor_that_changes():
    a_done_run(profile=a_profile(cpu=a_processor("M1"), cpu_tdp_w=None))
    a_done_run(profile=a_profile(cpu=a_processor("M2"), cpu_tdp_w=None))
    head = "kind,vendor,name,tdp_w,core_count,memory_gb,year,source,vintage\n"

    plan = preview(read_file((head + "cpu,Apple,M1,14.3,8,,2020,a reviewer,v2\n").encode()))

    assert (len(plan.changed), plan.run_count) == (1, 1)


def test_a_loaded_vintage_changes_no_stored_run():
    run = a_done_run()
    emission_g = run.estimate.emission_g

    load(read("IND,2023,1,life_cycle,new,v2"))

    run.refresh_from_db()
    assert CarbonIntensity.objects.get().g_per_kwh == 1
    assert run.estimate.emission_g == emission_g


def test_the_shipped_tables_do_not_undo_a_newer_vintage_nor_keep_an_older_one():
    load_reference()
    load(read("IND,2025,600,life_cycle,newer,2027-04", "FRA,2025,40,life_cycle,older,2020-01"))

    load_reference()

    rows = CarbonIntensity.objects.filter(year=2025, measure="life_cycle")
    assert rows.get(zone="IND").g_per_kwh == 600
    assert rows.get(zone="FRA").g_per_kwh == 41.44


# --- the command --------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    def write(*lines):
        path = tmp_path / "new.csv"
        path.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
        return str(path)

    return write


def run_command(*arguments):
    output = StringIO()
    call_command("load_reference", *arguments, stdout=output, stderr=output)
    return output.getvalue()


def test_the_command_tells_and_waits_to_be_told(india, file):
    said = run_command(file(line(2011, 97)))

    assert "1 row: 1 changed, median -3.0 %" in said
    assert "IND 2011: 100 g/kWh, life cycle: 100.0 -> 97.0 g/kWh (-3.0 %)" in said
    assert "Nothing was changed. Add --apply to load it." in said
    assert india.intensities.get(year=2011).g_per_kwh == 100


@pytest.mark.parametrize("option", ["--apply", "--yes"])
def test_the_command_loads_when_told(india, file, option):
    said = run_command(file(line(2011, 97)), option)

    assert "Loaded: 1 row: 1 changed" in said
    assert india.intensities.get(year=2011).g_per_kwh == 97


def test_the_command_asks_at_a_terminal(india, file, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    answers = iter(["n", "y"])
    monkeypatch.setattr("builtins.input", lambda _question: next(answers))

    assert "Nothing was changed" in run_command(file(line(2011, 97)))
    assert "Loaded: " in run_command(file(line(2011, 97)))


def test_the_command_keeps_edited_rows_unless_told(india, file):
    edited(india.intensities.get(year=2014), g_per_kwh=55)

    kept = run_command(file(line(2014, 90)), "--apply")
    run_command(file(line(2014, 90)), "--apply", "--overwrite-edited")

    assert "There is nothing to load" in kept
    assert india.intensities.get(year=2014).g_per_kwh == 90


def test_the_command_names_every_bad_cell_and_changes_nothing(india, file):
    output = StringIO()

    with pytest.raises(CommandError, match="2 cells cannot be taken"):
        call_command(
            "load_reference",
            file(line(2011, 97), line(2012, -5), line(2013, "27.29.5")),
            "--apply",
            stdout=output,
            stderr=output,
        )

    assert "line 3, g_per_kwh: “-5” is negative." in output.getvalue()
    assert "line 4, g_per_kwh" in output.getvalue()
    assert india.intensities.get(year=2011).g_per_kwh == 100


def test_the_command_takes_the_vintage_of_a_download(india, tmp_path):
    path = tmp_path / "carbon-intensity-electricity.csv"
    path.write_text("Entity,Code,Year,Carbon intensity of electricity\nIndia,IND,2011,97\n")

    run_command(str(path), "--vintage", "2027-04", "--apply")

    assert india.intensities.get(year=2011).source.startswith("Ember (2027)")


def test_the_command_says_when_there_is_no_such_file():
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        run_command("nowhere.csv")


def test_the_command_loads_processors_too(tmp_path):
    path = tmp_path / "processors.csv"
    path.write_text(
        "kind,vendor,name,tdp_w,core_count,memory_gb,year,source,vintage\n"
        "cpu,Acme,One,5,,,,its datasheet,2027\n"
    )

    run_command(str(path), "--apply")

    assert Processor.objects.get(vendor="Acme").tdp_w == 5
