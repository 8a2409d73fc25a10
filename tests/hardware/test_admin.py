"""The admin's tables: edits are marked, files are checked line by line."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from hardware.models import CarbonIntensity, HardwareProfile, Processor
from tests.people import a_done_run, a_processor, a_profile, a_zone, admin, owner

pytestmark = pytest.mark.django_db

INTENSITIES = "/admin/hardware/carbonintensity/"
PROCESSORS = "/admin/hardware/processor/"
HEAD = "zone,year,g_per_kwh,measure,source,vintage\n"


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


def uploaded(text):
    return {"import_file": SimpleUploadedFile("table.csv", text.encode()), "format": "0"}


def preview(client, address, text):
    """The first step of an import: what each line would do."""
    return client.post(f"{address}import/", uploaded(text))


def import_file(client, address, text):
    """Both steps of an import; the second is offered only when every line is good."""
    form = preview(client, address, text).context["confirm_form"]
    return client.post(f"{address}process_import/", form.initial)


def complaints(response):
    result = response.context["result"]
    rows = [str(row.error) for row in result.invalid_rows]
    return " ".join(
        rows + [str(error.error) for _, errors in result.row_errors() for error in errors]
    )


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


def test_an_imported_file_changes_adds_and_marks(as_admin):
    row = a_zone(year=2023).intensities.get()

    import_file(
        as_admin,
        INTENSITIES,
        HEAD + "IND,2023,700,life_cycle,mine,v1\nIND,2024,650.5,life_cycle,mine,v1\n",
    )

    row.refresh_from_db()
    added = CarbonIntensity.objects.get(year=2024)
    assert (row.g_per_kwh, row.edited_by, added.g_per_kwh) == (700, admin(), 650.5)


def test_a_line_that_changes_nothing_is_not_marked(as_admin):
    row = a_zone(year=2023).intensities.get()

    import_file(as_admin, INTENSITIES, HEAD + "IND,2023,713,life_cycle,test table,\n")

    row.refresh_from_db()
    assert row.edited_at is None


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("IND,2024,-5,life_cycle,mine,", "greater than or equal"),
        ("IND,2024,0,life_cycle,mine,", "greater than or equal"),
        ("IND,2024,nan,life_cycle,mine,", "not a finite number"),
        ("IND,2024,27.29.5,life_cycle,mine,", "not a number"),
        ("IND,2024,,life_cycle,mine,", "cannot be null"),
        ("IND,2024,700,guessed,mine,", "not a valid choice"),
        ("IND,1066,700,life_cycle,mine,", "1990"),
        ("XXX,2024,700,life_cycle,mine,", "no zone with the code “XXX”"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_applied(as_admin, line, says):
    a_zone(year=2023)

    response = preview(as_admin, INTENSITIES, HEAD + "IND,2022,650,life_cycle,mine,\n" + line)

    assert says in complaints(response)
    assert "confirm_form" not in response.context
    assert CarbonIntensity.objects.count() == 1


def test_imported_processors_are_known_by_kind_vendor_and_name(as_admin):
    row = a_processor("M1", vendor="Apple", tdp_w=10.0)

    import_file(
        as_admin,
        PROCESSORS,
        "kind,vendor,name,tdp_w,core_count,memory_gb,year,source,vintage\n"
        "cpu,Apple,M1,14.3,8,,2020,a reviewer,\ncpu,Acme,One,5,,,,its datasheet,\n",
    )

    row.refresh_from_db()
    assert (row.tdp_w, row.core_count, row.edited_by) == (14.3, 8, admin())
    assert Processor.objects.get(vendor="Acme").tdp_w == 5


def test_an_export_can_be_imported_again_and_changes_nothing(as_admin):
    row = a_zone(year=2023).intensities.get()
    fields = {"format": "0", "resource": "", "carbonintensityresource_zone": "on"}
    for name in ("year", "g_per_kwh", "measure", "source", "vintage"):
        fields[f"carbonintensityresource_{name}"] = "on"

    exported = as_admin.post(f"{INTENSITIES}export/", fields).content.decode()
    import_file(as_admin, INTENSITIES, exported)

    row.refresh_from_db()
    assert exported.splitlines()[0] == HEAD.strip()
    assert row.edited_at is None


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
