"""The shipped tables: what they say, and that loading them again does no harm."""

from io import StringIO

import pytest
from django.core.management import call_command

from hardware.models import CarbonIntensity, Processor, Zone
from hardware.reference import load_reference
from tests.people import admin

pytestmark = pytest.mark.django_db


def test_the_tables_hold_the_published_figures():
    load_reference()

    rows = CarbonIntensity.objects.filter(measure="life_cycle", year__in=[2023, 2025])

    figures = {(row.zone_id, row.year): row.g_per_kwh for row in rows}
    assert figures["IND", 2023] == 713.36
    assert figures["IND", 2025] == 670.13
    assert figures["FRA", 2025] == 41.44
    assert figures["WORLD", 2025] == 458.29


def test_every_country_is_a_zone_and_those_without_data_have_no_figure():
    load_reference()

    countries = Zone.objects.filter(kind=Zone.Kind.COUNTRY)

    # 249 ISO codes and Kosovo; 36 of them have no figure.
    assert countries.count() == 250
    assert countries.filter(intensities__isnull=True).count() == 36
    assert not CarbonIntensity.objects.filter(g_per_kwh__lte=0).exists()


def test_a_region_names_its_country_and_its_measure():
    load_reference()

    california = Zone.objects.get(code="US-CA")

    assert california.parent.name == "United States"
    assert california.intensities.get().measure == CarbonIntensity.Measure.OPERATIONAL


def test_loading_twice_changes_nothing():
    load_reference()

    again = load_reference()

    assert all(plan.is_idle for plan in again)
    assert [plan.unchanged_count for plan in again] == [398, 5538, 6056, 7, 72, 25, 13]


def test_a_row_that_an_admin_edited_is_kept():
    load_reference()
    row = CarbonIntensity.objects.get(zone_id="FRA", year=2025)
    row.g_per_kwh = 40
    row.note_edit(admin())
    row.save()

    _, intensities, *_ = load_reference()

    row.refresh_from_db()
    assert row.g_per_kwh == 40
    assert len(intensities.kept) == 1


def test_a_row_changed_by_no_person_is_brought_back():
    load_reference()
    Processor.objects.filter(vendor="Apple", name="M1").update(tdp_w=99)

    _, _, processors, *_ = load_reference()

    assert Processor.objects.get(vendor="Apple", name="M1").tdp_w == 10
    assert len(processors.changed) == 1


def test_rows_that_the_tables_do_not_hold_stay():
    Zone.objects.create(code="LAB", name="Our laboratory", kind=Zone.Kind.SUBDIVISION)

    load_reference()

    assert Zone.objects.filter(code="LAB").exists()


def test_loading_writes_in_bulk(django_assert_max_num_queries):
    # A query per row would be 12,000.
    with django_assert_max_num_queries(200):
        load_reference()


def test_the_command_says_what_it_did():
    output = StringIO()

    call_command("load_reference", stdout=output)

    assert "carbon intensities: 5,538 added, 0 changed" in output.getvalue()
