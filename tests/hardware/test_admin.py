"""The admin's tables: edits are marked, lists stay quick, machines obey the same rules."""

import pytest

from hardware.models import CarbonIntensity, HardwareProfile
from tests.people import a_done_run, a_processor, a_profile, a_zone, admin, owner

pytestmark = pytest.mark.django_db

INTENSITIES = "/admin/hardware/carbonintensity/"
PROCESSORS = "/admin/hardware/processor/"


@pytest.fixture
def as_admin(client):
    client.force_login(admin())
    return client


def changelist_form(row, **fields):
    return {
        "form-TOTAL_FORMS": "1",
        "form-INITIAL_FORMS": "1",
        "form-0-id": str(row.pk),
        "_save": "Save",
        **{f"form-0-{name}": value for name, value in fields.items()},
    }


def test_an_edit_in_the_list_is_marked_with_who_and_when(as_admin):
    row = a_zone().intensities.get()

    as_admin.post(INTENSITIES, changelist_form(row, g_per_kwh="700"))

    row.refresh_from_db()
    assert (row.g_per_kwh, row.edited_by) == (700, admin())
    assert row.edited_at is not None


def test_a_list_saved_without_a_change_marks_nothing(as_admin):
    row = a_zone().intensities.get()

    as_admin.post(INTENSITIES, changelist_form(row, g_per_kwh="713.0"))

    row.refresh_from_db()
    assert row.edited_at is None


def test_a_zero_is_refused_in_the_list(as_admin):
    row = a_zone().intensities.get()

    response = as_admin.post(INTENSITIES, changelist_form(row, g_per_kwh="0"))

    row.refresh_from_db()
    assert response.status_code == 200
    assert row.g_per_kwh == 713


def test_an_edited_intensity_changes_no_stored_run(as_admin):
    run = a_done_run()
    emission_g = run.estimate.emission_g
    row = CarbonIntensity.objects.get()

    as_admin.post(INTENSITIES, changelist_form(row, g_per_kwh="1"))

    run.refresh_from_db()
    assert run.estimate.emission_g == emission_g
    assert run.assumptions["numbers"]["intensity_g_per_kwh"] == 713


@pytest.mark.parametrize(
    "address",
    [
        f"{INTENSITIES}?q=india&zone__kind=country&year=2023&measure=life_cycle",
        f"{PROCESSORS}?q=apple&kind=cpu",
        "/admin/hardware/zone/?q=india&kind=country",
        "/admin/hardware/hardwareprofile/?q=laptop",
    ],
)
def test_the_tables_can_be_searched_and_filtered(as_admin, address):
    a_profile()
    a_processor()

    response = as_admin.get(address)

    assert response.context["cl"].result_count == 1


@pytest.mark.parametrize("address", [INTENSITIES, PROCESSORS, "/admin/hardware/hardwareprofile/"])
def test_the_lists_ask_as_often_for_many_rows_as_for_few(
    as_admin, django_assert_max_num_queries, address
):
    for number in range(20):
        zone = a_zone(f"X{number}", f"Xland {number}")
        a_profile(owner(), name=f"Machine {number}", zone=zone, cpu=a_processor(f"M{number}"))

    with django_assert_max_num_queries(12):
        assert as_admin.get(address).status_code == 200


def test_the_admin_holds_a_machine_to_the_same_rules(as_admin):
    profile = a_profile()

    response = as_admin.post(
        f"/admin/hardware/hardwareprofile/{profile.pk}/change/",
        {
            "owner": str(profile.owner_id),
            "name": "Laptop",
            "zone": "IND",
            "pue": "1",
            "cpu_name": "Homemade",
            "cpu_tdp_w": "0",
            "cpu_count": "1",
            "ram_gb": "0",
            "gpu_count": "0",
            "visibility": "private",
        },
    )

    assert "no power at all" in response.text
    assert HardwareProfile.objects.get().cpu_tdp_w == 13
