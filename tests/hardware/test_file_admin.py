"""The admin's import: a file is sent, previewed, and loaded as the preview promised."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from hardware import file_admin
from hardware.models import CarbonIntensity, ReferenceFile
from hardware.received_files import keep_file
from tests.people import a_done_run, a_processor, a_zone, admin, member

pytestmark = pytest.mark.django_db

SEND = "/admin/hardware/referencefile/add/"
HEAD = "zone,year,g_per_kwh,measure,source,vintage\n"


@pytest.fixture
def as_admin(client):
    client.force_login(admin())
    return client


def send(client, text, *, name="new.csv", vintage=""):
    """Send a file; the answer is its preview."""
    file = SimpleUploadedFile(name, text if isinstance(text, bytes) else text.encode())
    return client.post(SEND, {"file": file, "vintage": vintage}, follow=True)


def confirm(client, page, **fields):
    """Press "Load this file" on a preview."""
    digest = page.context["plan"].digest
    return client.post(page.request["PATH_INFO"], {"digest": digest, **fields}, follow=True)


def test_a_file_is_previewed_and_then_loaded(as_admin):
    row = a_zone(g_per_kwh=700.0, year=2023).intensities.get()

    page = send(as_admin, HEAD + "IND,2023,630,life_cycle,mine,v2\nIND,2024,5,life_cycle,mine,v2\n")
    before = CarbonIntensity.objects.get(pk=row.pk).g_per_kwh
    done = confirm(as_admin, page)

    assert "2 rows: 1 changed, median -10.0 %, 1 added" in page.text
    assert "IND 2023: 700 g/kWh, life cycle" in page.text
    row.refresh_from_db()
    assert (before, row.g_per_kwh, row.loaded_by) == (700, 630, admin())
    assert done.request["PATH_INFO"] == "/admin/hardware/carbonintensity/"
    assert "Loaded into carbon intensities: 2 rows" in done.text


def test_the_record_of_who_loaded_what_stays_and_the_bytes_go(as_admin):
    a_zone()

    confirm(as_admin, send(as_admin, HEAD + "IND,2023,630,life_cycle,mine,v2\n"))

    file = ReferenceFile.objects.get()
    assert (file.sent_by, bytes(file.content)) == (admin(), b"")
    assert file.applied_at is not None
    assert file.outcome.startswith("carbon intensities: 1 row: 1 changed")
    page = as_admin.get(f"/admin/hardware/referencefile/{file.pk}/change/").text
    assert file.sha256 in page


def test_an_edited_row_is_shown_with_a_box_and_kept_unless_ticked(as_admin):
    zone = a_zone(year=2023)
    rows = [zone.intensities.get()]
    rows.append(CarbonIntensity.objects.create(zone=zone, year=2024, g_per_kwh=5, source="x"))
    for row in rows:
        row.note_edit(admin())
        row.save()
    text = HEAD + "IND,2023,630,life_cycle,mine,v2\nIND,2024,640,life_cycle,mine,v2\n"

    page = send(as_admin, text)
    confirm(as_admin, page, overwrite=[str(rows[1].pk)])

    for row in rows:
        row.refresh_from_db()
        assert f'value="{row.pk}"' in page.text
    assert "2 edited by hand and kept" in page.text
    assert [(row.g_per_kwh, row.edited_at is None) for row in rows] == [(713, False), (640, True)]


def test_edited_rows_beyond_those_shown_are_kept_and_it_is_said(as_admin, monkeypatch):
    monkeypatch.setattr(file_admin, "SHOWN_KEPT_COUNT", 1)
    zone = a_zone(year=2023)
    CarbonIntensity.objects.create(zone=zone, year=2024, g_per_kwh=5, source="x")
    for row in zone.intensities.all():
        row.note_edit(admin())
        row.save()

    page = send(
        as_admin, HEAD + "IND,2023,630,life_cycle,mine,v2\nIND,2024,640,life_cycle,mine,v2\n"
    )

    assert page.text.count('name="overwrite"') == 1
    assert "The first 1 of 2 are shown; the others are kept." in page.text


def test_a_table_that_changed_meanwhile_is_previewed_again(as_admin):
    row = a_zone(year=2023).intensities.get()
    page = send(as_admin, HEAD + "IND,2023,630,life_cycle,mine,v2\n")
    CarbonIntensity.objects.update(g_per_kwh=1)

    again = confirm(as_admin, page)

    row.refresh_from_db()
    assert row.g_per_kwh == 1
    assert "The table was changed since the preview. Nothing was loaded" in again.text
    assert again.context["plan"].digest != page.context["plan"].digest


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        (HEAD + "IND,2024,-5,life_cycle,m,v\n", ("2", "g_per_kwh", "“-5” is negative.")),
        (HEAD + "IND,2024,27.29.5,life_cycle,m,v\n", ("2", "g_per_kwh", "not a number")),
        (HEAD + "IND,2024,=cmd,life_cycle,m,v\n", ("2", "g_per_kwh", "“=cmd”")),
        (HEAD + "XXX,2024,7,life_cycle,m,v\n", ("2", "zone", "no zone with the code “XXX”")),
        (HEAD + "IND,2024,7,life_cycle,m,v\n" * 2, ("3", "zone, year, measure", "line 2")),
        ("zone,year\nIND,2024\n", ("1", "g_per_kwh", "is missing")),
        ((HEAD + "IND,2024,7,life_cycle,é,v\n").encode("latin-1"), ("2", "whole line", "UTF-8")),
    ],
)
def test_a_bad_file_gets_a_table_of_line_column_and_reason(as_admin, text, cells):
    a_zone(year=2023)

    page = send(as_admin, text)

    assert page.status_code == 200
    for cell in cells:
        assert cell in page.text
    assert "Load this file" not in page.text
    assert CarbonIntensity.objects.count() == 1


def test_a_file_of_200_000_lines_is_refused_by_its_first_line_too_many(as_admin):
    a_zone(year=2023)

    page = send(as_admin, HEAD + "".join(f"IND,{n},7,life_cycle,m,v\n" for n in range(200_000)))

    assert "<td>50002</td>" in page.text
    assert "more than 50,000 lines" in page.text
    assert "Load this file" not in page.text
    assert CarbonIntensity.objects.count() == 1


def test_a_bad_file_cannot_be_loaded_past_its_preview(as_admin):
    a_zone(year=2023)
    page = send(as_admin, HEAD + "IND,2022,7,life_cycle,m,v\nIND,2024,-5,life_cycle,m,v\n")

    answer = as_admin.post(page.request["PATH_INFO"], {"digest": ""}, follow=True)

    assert "Mend what is wrong with the file first. Nothing was loaded" in answer.text
    assert CarbonIntensity.objects.count() == 1


def test_a_zero_is_told_as_left_out(as_admin):
    a_zone()

    page = send(as_admin, HEAD + "IND,2024,0,life_cycle,m,v\n")

    assert "A zero is missing data, not a figure." in page.text


def test_only_the_first_two_hundred_complaints_are_listed(as_admin):
    a_zone()
    lines = "".join(f"IND,{n},-1,life_cycle,m,v\n" for n in range(2000, 2100)) * 3

    page = send(as_admin, HEAD + lines)

    assert "300 cells cannot be taken" in page.text
    assert page.text.count("is negative") == 200
    assert "The first 200 are shown." in page.text


def test_a_file_that_waited_too_long_has_to_be_sent_again(as_admin):
    a_zone()
    page = send(as_admin, HEAD + "IND,2023,630,life_cycle,m,v\n")
    ReferenceFile.objects.update(sent_at=timezone.now() - timedelta(hours=2))

    answer = confirm(as_admin, page)

    assert "no longer kept. Send it again" in answer.text
    assert CarbonIntensity.objects.get().g_per_kwh == 713


def test_bytes_that_waited_too_long_are_dropped_with_the_next_file(as_admin):
    old = keep_file(b"old", file_name="a.csv", vintage="", user=admin())
    ReferenceFile.objects.update(sent_at=timezone.now() - timedelta(hours=2))

    keep_file(b"new", file_name="b.csv", vintage="", user=admin())

    old.refresh_from_db()
    assert bytes(old.content) == b""


def test_bytes_that_are_not_those_sent_are_refused(as_admin):
    a_zone()
    page = send(as_admin, HEAD + "IND,2023,630,life_cycle,m,v\n")
    ReferenceFile.objects.update(content=(HEAD + "IND,2023,1,life_cycle,m,v\n").encode())

    answer = confirm(as_admin, page)

    assert "not the one that was sent" in answer.text
    assert CarbonIntensity.objects.get().g_per_kwh == 713


def test_loading_needs_the_right_to_change_the_table(client):
    a_zone()
    clerk = member("clerk", is_staff=True)
    clerk.user_permissions.set(
        Permission.objects.filter(codename__in=["add_referencefile", "view_referencefile"])
    )
    client.force_login(clerk)

    page = send(client, HEAD + "IND,2023,630,life_cycle,m,v\n")
    answer = confirm(client, page)

    assert "You may not change this table" in page.text
    assert answer.status_code == 403
    assert CarbonIntensity.objects.get().g_per_kwh == 713


def test_a_file_needs_to_be_chosen(as_admin):
    assert "This field is required" in as_admin.post(SEND, {"vintage": "2027"}).text


def test_a_loaded_vintage_leaves_stored_runs_as_they_are(as_admin):
    run = a_done_run()
    emission_g = run.estimate.emission_g

    page = send(as_admin, HEAD + "IND,2023,1,life_cycle,m,v\n")
    confirm(as_admin, page)

    run.refresh_from_db()
    assert "1 stored run used a row that changes" in page.text
    assert run.estimate.emission_g == emission_g


@pytest.mark.parametrize("slug", ["carbonintensity", "processor", "rammodel", "puefigure"])
def test_each_table_leads_to_the_import_and_to_its_csv(as_admin, slug):
    page = as_admin.get(f"/admin/hardware/{slug}/").text

    assert SEND in page
    assert ".csv" in page


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("AMD EPYC 9B14 96-Core Processor", "The same name as “AMD EPYC 9B14” in the table."),
        ("Intel(R) Xeon(R) CPU @ 2.20GHz", "No row honestly matches"),
        ("Apple M1 Pro", "The same name as “Apple M1 Pro” in the table."),
        ("AMD EPYC", "No row honestly matches"),
    ],
)
@pytest.mark.parametrize("address", ["/admin/hardware/processor/match/", "/reference/match/"])
def test_a_machine_is_matched_to_its_row_or_honestly_to_none(as_admin, address, said, answer):
    for vendor, name in [("AMD", "EPYC 9B14"), ("Apple", "M1 Pro"), ("Apple", "M1")]:
        a_processor(name, vendor=vendor)

    assert answer in as_admin.get(address, {"name": said}).text


def test_the_box_is_on_both_pages_of_processors(as_admin):
    a_processor()

    for address in ("/admin/hardware/processor/", "/reference/?table=processors"):
        assert "Which row does this machine match?" in as_admin.get(address).text
