"""Zones, processors and profiles as the API gives them: names, units, nulls."""

import pytest

from hardware.models import HardwareProfile
from tests.api.scripts import BASE, assert_problem, script_of
from tests.people import (
    a_processor,
    a_zone,
    admin,
    member,
    owner,
)

pytestmark = pytest.mark.django_db

PROFILE_FIELDS = {
    "id",
    "name",
    "zone",
    "pue",
    "cpu",
    "cpu_tdp_w",
    "cpu_count",
    "ram_gb",
    "ram_power_w",
    "gpu",
    "gpu_tdp_w",
    "gpu_count",
    "visibility",
    "power",
}


def test_a_zone_shows_its_newest_intensity():
    a_zone("IND", "India", g_per_kwh=713.0, year=2022)
    a_zone("IND", "India", g_per_kwh=670.0, year=2024)

    zone = script_of().get(f"{BASE}/zones/?search=indi&kind=country").json()["results"][0]

    assert {key: zone[key] for key in ("code", "name", "kind", "parent")} == {
        "code": "IND",
        "name": "India",
        "kind": "country",
        "parent": None,
    }
    latest = zone["latest"]
    assert (latest["year"], latest["g_per_kwh"], latest["source"]) == (2024, 670.0, "test table")


def test_a_zone_without_data_says_null():
    a_zone("MCO", "Monaco", g_per_kwh=None)

    zone = script_of().get(f"{BASE}/zones/MCO/").json()

    assert zone["latest"] is None
    assert zone["intensities"] == []


def test_a_cloud_region_is_found_by_its_code_with_all_years_newest_first():
    for year in (2022, 2024, 2023):
        a_zone("gcp:europe-west1", "Belgium", year=year, kind="cloud_region")

    zone = script_of().get(f"{BASE}/zones/gcp:europe-west1/").json()

    assert [one["year"] for one in zone["intensities"]] == [2024, 2023, 2022]
    assert set(zone["intensities"][0]) == {
        "id",
        "year",
        "g_per_kwh",
        "source",
        "measure",
        "vintage",
        "last_change",
    }


def test_a_row_says_who_changed_it_and_when_and_null_as_shipped():
    edited = a_zone().intensities.get()
    edited.note_edit(admin())
    edited.save()
    processor = a_processor("M1")

    (row,) = script_of().get(f"{BASE}/zones/IND/").json()["intensities"]
    shipped = script_of().get(f"{BASE}/processors/{processor.pk}/").json()

    assert (row["last_change"]["how"], row["last_change"]["by"]) == ("edited", "admin")
    assert row["last_change"]["at"].startswith(f"{edited.edited_at:%Y-%m-%dT%H:%M}")
    assert shipped["last_change"] is None


def test_a_long_table_asks_once_for_all_who_changed_it(django_assert_num_queries):
    for number in range(10):
        row = a_processor(f"M{number}")
        row.note_edit(member(f"clerk-{number}"))
        row.save()

    # The count and the rows.
    with django_assert_num_queries(2):
        script_of().get(f"{BASE}/processors/")


def test_the_best_match_of_a_processor_comes_first():
    a_processor("M1 Pro")
    a_processor("M1")
    a_processor("M1", kind="gpu", vendor="Other")

    answer = script_of().get(f"{BASE}/processors/?search=m1&kind=cpu").json()

    assert [one["name"] for one in answer["results"]] == ["M1", "M1 Pro"]
    assert {"id", "kind", "vendor", "name", "tdp_w", "source"} <= set(answer["results"][0])


def test_a_match_comes_with_its_reason():
    row = a_processor("EPYC 9B14", vendor="AMD", tdp_w=400)

    answer = script_of().get(
        f"{BASE}/processors/match/", {"name": "AMD EPYC 9B14 96-Core Processor"}
    )

    (match,) = answer.json()["results"]
    assert match["is_exact"] is True
    assert match["processor"]["id"] == str(row.pk)
    assert "same name" in match["reason"]


def test_a_profile_is_made_read_changed_and_deleted():
    a_zone()
    script = script_of(owner())

    made = script.post(
        f"{BASE}/profiles/",
        {"name": "Laptop", "zone": "IND", "cpu_tdp_w": 13, "ram_gb": 8},
        format="json",
    )
    address = f"{BASE}/profiles/{made.json()['id']}/"
    changed = script.patch(address, {"ram_power_w": 5.5}, format="json")
    deleted = script.delete(address)

    assert made.status_code == 201
    assert set(made.json()) >= PROFILE_FIELDS
    assert made.json()["power"] == {"cpu_w": 13.0, "ram_w": 3.0, "gpu_w": 0.0, "total_w": 16.0}
    assert (made.json()["cpu"], made.json()["ram_power_w"]) == (None, None)
    assert changed.json()["power"]["total_w"] == 18.5
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert not HardwareProfile.objects.exists()


def test_a_profile_takes_its_power_from_the_processors_row():
    a_zone()
    row = a_processor("M1", tdp_w=10.0)

    made = script_of(owner()).post(
        f"{BASE}/profiles/",
        {"name": "Laptop", "zone": "IND", "cpu": str(row.pk), "cpu_count": 2, "ram_gb": 8},
        format="json",
    )

    assert made.json()["cpu"] == str(row.pk)
    assert made.json()["power"]["cpu_w"] == 20.0


def test_a_profile_without_power_is_refused_by_field():
    a_zone()

    answer = script_of(owner()).post(
        f"{BASE}/profiles/",
        {"name": "Nothing", "zone": "IND", "cpu_tdp_w": -1, "ram_gb": 0, "gpu_count": 1},
        format="json",
    )

    fields = {error["field"] for error in assert_problem(answer, 400)["errors"]}
    assert {"cpu_tdp_w", "gpu"} <= fields


def test_ram_that_nobody_spoke_of_is_asked_for():
    a_zone()

    answer = script_of(owner()).post(
        f"{BASE}/profiles/", {"name": "Laptop", "zone": "IND", "cpu_tdp_w": 13}, format="json"
    )

    assert assert_problem(answer, 400)["errors"][0]["field"] == "ram_gb"
