"""Which of a zone's figures stands for it: the newest, counted in the most complete way."""

import pytest

from hardware.models import CarbonIntensity, Zone
from tests.people import a_zone

pytestmark = pytest.mark.django_db


def a_figure(zone, *, year, measure, g_per_kwh):
    CarbonIntensity.objects.create(
        zone=zone, year=year, measure=measure, g_per_kwh=g_per_kwh, source="test table"
    )


def test_the_newest_year_counts():
    zone = a_zone(year=2023)
    a_figure(zone, year=2024, measure="operational", g_per_kwh=600.0)

    assert CarbonIntensity.objects.in_force(zone).year == 2024


@pytest.mark.parametrize("other", ["co2_only", "operational"])
def test_of_one_year_the_life_cycle_counts(other):
    zone = a_zone(g_per_kwh=713.0, year=2023)
    a_figure(zone, year=2023, measure=other, g_per_kwh=600.0)

    assert CarbonIntensity.objects.in_force(zone).measure == "life_cycle"
    assert Zone.objects.with_latest().get(pk=zone.pk).latest_g_per_kwh == 713.0
