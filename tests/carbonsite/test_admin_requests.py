"""What the admin cannot make sense of is refused, never a crash."""

import pytest

from tests.people import a_done_run, admin

pytestmark = pytest.mark.django_db

RUNS, INTENSITIES = "/admin/benchmarks/run/", "/admin/hardware/carbonintensity/"


@pytest.fixture
def as_admin(client):
    client.force_login(admin())
    a_done_run()
    return client


@pytest.mark.parametrize(
    "address",
    [
        f"{RUNS}?queued_at__year={'9' * 30}",
        f"{RUNS}?q={'a+' * 3000}",
        "/admin/hardware/zone/a%00/change/",
        "/admin/autocomplete/?app_label=hardware&model_name=carbonintensity&field_name=zone&term=%00",
    ],
)
def test_an_address_that_no_table_can_answer_is_a_bad_request(as_admin, address):
    assert as_admin.get(address).status_code == 400


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        (INTENSITIES, {"action": "delete_selected", "_selected_action": "a\x00"}),
        (INTENSITIES, {"action": "delete_selected", "_selected_action": "no-key"}),
        ("/admin/hardware/zone/", {"action": "delete_selected", "_selected_action": "a\x00"}),
        ("/admin/hardware/zone/add/", {"code": "a\x00", "name": "b", "kind": "country"}),
        (f"{INTENSITIES}add/", {"zone": "a\x00", "year": "2023", "g_per_kwh": "1"}),
        ("/admin/hardware/hardwareprofile/add/", {"owner": "\x00", "cpu_count": "9" * 30}),
        ("/admin/autocomplete/", {"term": "a\x00"}),
    ],
)
def test_a_form_that_no_table_can_take_is_a_bad_request(as_admin, address, fields):
    assert as_admin.post(address, fields).status_code == 400


def test_a_number_that_the_form_itself_refuses_is_explained_in_the_form(as_admin):
    answer = as_admin.post(f"{INTENSITIES}add/", {"year": "9" * 30, "g_per_kwh": "1e999"})

    assert answer.status_code == 200
    assert "errorlist" in answer.text


def test_a_sound_search_is_answered(as_admin):
    assert as_admin.get(f"{RUNS}?q=lenet").status_code == 200
