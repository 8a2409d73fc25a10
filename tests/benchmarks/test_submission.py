"""What may be asked for, and what a queued run remembers of the asking."""

import errno
import os

import pytest
from django.core.exceptions import ValidationError

from benchmarks.models import ModelVersion, Run
from benchmarks.submission import RunSettings, queue_place, submit_again, submit_run
from benchmarks.tasks import ring
from hardware.models import CarbonIntensity, HardwareProfile
from tests.people import (
    a_done_run,
    a_profile,
    a_queued_run,
    a_ready_version,
    a_zone,
    owner,
    stranger,
)

pytestmark = pytest.mark.django_db(transaction=True)


def submit(version=None, profile=None, **settings):
    return submit_run(
        owner=owner(),
        version=version or a_ready_version(),
        profile=profile or a_profile(),
        settings=RunSettings(**settings),
    )


def refusal_of(**kwargs):
    with pytest.raises(ValidationError) as refusal:
        submit(**kwargs)
    return refusal.value.message_dict


def test_a_submitted_run_waits_and_its_worker_is_rung_for(rung):
    run = submit()

    assert run.status == Run.Status.QUEUED
    assert rung == [("measure_run", str(run.pk))]


def test_a_run_keeps_the_numbers_it_was_asked_for_with():
    profile = a_profile()
    run = submit(profile=profile)

    CarbonIntensity.objects.update(g_per_kwh=1.0)
    profile.cpu_tdp_w = 500
    profile.save()
    run.refresh_from_db()

    assert run.assumptions["numbers"]["intensity_g_per_kwh"] == 713.0
    assert run.assumptions["numbers"]["cpu_power_w"] == 13.0


def test_a_zone_without_a_figure_falls_back_on_the_world_by_name():
    a_zone("WORLD", "World", g_per_kwh=458.29, year=2025)
    andorra = a_zone("AND", "Andorra", g_per_kwh=None)

    run = submit(profile=a_profile(zone=andorra))

    intensity = run.assumptions["intensity"]
    assert (intensity["zone"], intensity["asked_zone"]) == ("WORLD", "AND")


def test_without_any_figure_the_profile_is_named():
    assert "load_reference" in str(
        refusal_of(profile=a_profile(zone=a_zone("AND", "Andorra", g_per_kwh=None)))["profile"]
    )


@pytest.mark.parametrize(
    "asked, field",
    [
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 10**9}, "batch_size"),
        ({"intra_op_threads": 0}, "intra_op_threads"),
        ({"intra_op_threads": (os.cpu_count() or 1) + 1}, "intra_op_threads"),
        ({"effort": "heroic"}, "effort"),
        ({"inputs": {"dims": {"nonsense": 3}}}, "inputs.dims.nonsense"),
        ({"inputs": {"shapes": {"input": [1, 3, 28, 28]}}}, "inputs.shapes.input"),
        ({"inputs": {"ranges": {"input": [2, 1]}}}, "inputs.ranges.input"),
        ({"inputs": ["x"]}, "inputs"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_field(asked, field):
    assert field in refusal_of(**asked)


def test_a_version_being_inspected_is_not_measured():
    version = a_ready_version(status=ModelVersion.Status.INSPECTING)

    assert "version" in refusal_of(version=version)


def test_a_rejected_version_says_why():
    version = a_ready_version(status="rejected", rejection_reason="It is a text file.")

    assert refusal_of(version=version)["version"] == [
        "This version cannot be measured. It is a text file."
    ]


def test_a_full_queue_of_ones_own_is_said(settings):
    settings.USER_QUEUED_RUN_LIMIT = 1
    a_queued_run()

    assert "waiting already" in refusal_of(version=a_ready_version())["__all__"][0]


def test_measuring_again_takes_todays_factors():
    run = a_done_run()
    CarbonIntensity.objects.update(g_per_kwh=100.0)

    again = submit_again(Run.objects.get(pk=run.pk), owner())

    assert again.assumptions["numbers"]["intensity_g_per_kwh"] == 100.0
    assert (again.batch_size, again.effort) == (run.batch_size, run.effort)


def test_measuring_again_needs_the_profile():
    run = a_queued_run()
    run.profile.delete()

    with pytest.raises(ValidationError, match="has been deleted"):
        submit_again(Run.objects.get(pk=run.pk), owner())


def test_measuring_again_needs_a_profile_that_one_may_still_use():
    shared = a_profile(stranger(), visibility="public")
    run = a_queued_run(a_ready_version(), shared)
    HardwareProfile.objects.update(visibility="private")

    with pytest.raises(ValidationError, match="profile"):
        submit_again(Run.objects.get(pk=run.pk), owner())


def test_the_place_in_the_queue_counts_what_goes_before():
    a_queued_run(effort="quick")
    last = a_queued_run(a_ready_version())

    place = queue_place(last)

    assert place.ahead_count == 1
    assert (place.expected_wait_s, place.longest_wait_s) == (10.0, 10.0)


def test_behind_a_careful_run_the_wait_may_be_longer():
    a_queued_run(effort="careful")

    place = queue_place(a_queued_run(a_ready_version()))

    assert (place.expected_wait_s, place.longest_wait_s) == (80.0, 305.0)


class FullBroker:
    """A task whose messages find no room."""

    name = "measure_run"

    def delay(self, row_id):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_broker_without_room_costs_nobody_their_run(caplog):
    ring(FullBroker(), "7")

    assert "the sweep will" in caplog.text
