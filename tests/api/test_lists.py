"""The API's lists: where they begin, how they are cut, ordered and filtered."""

import pytest

from tests.api.scripts import BASE, assert_problem, script_of
from tests.people import (
    a_done_run,
    a_model,
    a_profile,
    a_queued_run,
    a_ready_version,
    a_zone,
    owner,
)

pytestmark = pytest.mark.django_db


def test_the_root_names_the_collections():
    answer = script_of().get(f"{BASE}/").json()

    assert answer["zones"] == "http://testserver/api/v1/zones/"
    assert {"models", "runs", "profiles", "processors", "me", "tokens"} <= set(answer)


def test_zones_are_listed_with_a_fixed_number_of_queries(django_assert_num_queries):
    for number in range(30):
        a_zone(f"Z{number}", f"Zone {number}")

    with django_assert_num_queries(2):
        assert len(script_of().get(f"{BASE}/zones/").json()["results"]) == 25


def test_runs_are_listed_newest_first_and_filtered_by_field():
    version, profile = a_ready_version(), a_profile()
    runs = [a_done_run(version, profile) for _ in range(2)] + [a_queued_run(version, profile)]
    script = script_of(owner())

    listed = script.get(f"{BASE}/runs/").json()["results"]
    done = script.get(f"{BASE}/runs/?status=done&model={version.onnx_model_id}").json()["results"]
    none = script.get(f"{BASE}/runs/?profile={version.pk}").json()["results"]

    assert {one["id"] for one in listed} == {str(run.pk) for run in runs}
    assert listed == sorted(listed, key=lambda one: one["queued_at"], reverse=True)
    assert {one["id"] for one in done} == {str(run.pk) for run in runs[:2]}
    assert none == []


def test_every_run_is_met_once_on_the_way_along_the_cursor():
    version, profile = a_ready_version(), a_profile()
    runs = [a_queued_run(version, profile) for _ in range(5)]
    script, address, met = script_of(owner()), f"{BASE}/runs/?per_page=2", []

    while address:
        page = script.get(address)
        met += [one["id"] for one in page.json()["results"]]
        address = page.json()["next"]
        assert ("Link" in page) == bool(address)

    assert met == [str(run.pk) for run in reversed(runs)]


def test_runs_are_listed_with_a_fixed_number_of_queries(django_assert_max_num_queries):
    version, profile = a_ready_version(), a_profile()
    for _ in range(10):
        a_done_run(version, profile)
    script = script_of(owner())
    script.get(f"{BASE}/me/")

    with django_assert_max_num_queries(4):
        script.get(f"{BASE}/runs/")


def test_a_script_learns_whose_it_is_and_how_much_is_left(settings):
    settings.USER_QUOTA_BYTES = 100
    a_ready_version(content=b"0123456789")

    me = script_of(owner()).get(f"{BASE}/me/").json()

    assert (me["username"], me["token"]["scope"]) == ("owner", "write")
    assert (me["quota_bytes"], me["used_bytes"], me["remaining_bytes"]) == (100, 10, 90)


def test_a_page_has_up_to_100_rows_and_names_the_next_one():
    for number in range(103):
        a_zone(f"Z{number}", f"Zone {number}", g_per_kwh=None)
    script = script_of()

    page = script.get(f"{BASE}/zones/?per_page=1000")
    rest = script.get(page.json()["next"])

    assert (page.json()["count"], len(page.json()["results"])) == (103, 100)
    assert page["Link"] == f'<{page.json()["next"]}>; rel="next"'
    assert (len(rest.json()["results"]), rest.json()["next"]) == (3, None)
    assert "Link" not in rest


def test_lists_are_ordered_by_known_fields_only():
    a_model(name="A")
    a_model(name="B")
    script = script_of(owner())

    turned = script.get(f"{BASE}/models/?ordering=-name").json()["results"]
    refused = script.get(f"{BASE}/models/?ordering=owner__password")

    assert [one["name"] for one in turned] == ["B", "A"]
    assert assert_problem(refused, 400)["errors"][0]["field"] == "ordering"
