"""Re-pricing by the admin: previewed, stored once, and the old figures kept."""

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction

from benchmarks import repricing
from benchmarks.models import Estimate, Run
from hardware.models import CarbonIntensity, Processor
from tests.api.scripts import BASE, script_of
from tests.people import (
    a_done_run,
    a_processor,
    a_profile,
    a_queued_run,
    a_ready_version,
    a_zone,
    admin,
    member,
    owner,
)

pytestmark = pytest.mark.django_db
LIST = "/admin/benchmarks/run/"


@pytest.fixture
def office(client):
    client.force_login(admin())
    return client


def a_new_vintage(g_per_kwh=600.0, year=2025):
    CarbonIntensity.objects.create(
        zone=a_zone(), year=year, g_per_kwh=g_per_kwh, source="new table"
    )


def again(run):
    return Run.objects.with_results().get(pk=run.pk)


def choose(client, *runs, **extra):
    chosen = {"action": "reprice_action", "_selected_action": [str(run.pk) for run in runs]}
    return client.post(LIST, {**chosen, **extra}, follow=True)


def agree(client, *runs, **extra):
    """Confirm what the preview shows now."""
    shown = repricing.preview([run.pk for run in runs]).fingerprint
    return choose(client, *runs, **{"agreed": "yes", "fingerprint": shown, **extra})


def test_the_new_estimate_is_what_a_run_of_today_would_store():
    cpu = a_processor("EPYC 7282", vendor="AMD", tdp_w=120.0)
    profile = a_profile(cpu=cpu, cpu_tdp_w=None, pue=1.3, ram_gb=64)
    version = a_ready_version()
    old = a_done_run(version, profile, mean_s=0.0123)
    a_new_vintage()
    Processor.objects.update(tdp_w=130.0)
    fresh = a_done_run(version, type(profile).objects.get(pk=profile.pk), mean_s=0.0123)

    assert repricing.reprice([old.pk], by=admin()) == 1

    one, other = again(old).estimate, fresh.estimate
    assert one.emission_g == pytest.approx(other.emission_g, rel=1e-12)
    assert (one.low_g, one.high_g) == pytest.approx((other.low_g, other.high_g), rel=1e-12)
    assert one.assumed == other.assumed
    assert one.intensity_year == 2025


def test_the_old_estimate_stays_and_the_new_one_says_who_and_why():
    run = a_done_run(mean_s=3600.0)
    a_new_vintage()

    repricing.reprice([run.pk], by=admin(), note="Ember 2026")

    stands, earlier = again(run).estimates.all()
    assert (stands.is_headline, earlier.is_headline) == (True, False)
    assert (stands.made_by, stands.note) == (admin(), "Ember 2026")
    assert stands.emission_g == pytest.approx(0.016 * 600)
    assert earlier.emission_g == run.estimate.emission_g
    assert (earlier.made_by, earlier.assumptions) == (None, None)


def test_a_second_time_finds_nothing_to_change():
    run = a_done_run()
    a_new_vintage()

    counts = [repricing.reprice([run.pk], by=admin()) for _ in range(3)]

    assert counts == [1, 0, 0]
    assert Estimate.objects.count() == 2


def test_the_preview_counts_and_measures_and_stores_nothing():
    india = [a_done_run(mean_s=mean_s) for mean_s in (0.001, 0.002)]
    france = a_zone("FRA", "France", g_per_kwh=50.0, year=2025)
    same = a_done_run(profile=a_profile(zone=france))
    queued = a_queued_run()
    a_new_vintage(g_per_kwh=356.5)

    found = repricing.preview([run.pk for run in (*india, same, queued)])

    assert (len(found.changes), found.same_count, found.skipped_count) == (2, 1, 1)
    assert found.median_ratio == found.lowest_ratio == found.highest_ratio == pytest.approx(-0.5)
    assert {one.run.pk for one in found.biggest_movers} == {run.pk for run in india}
    assert Estimate.objects.count() == 3


def test_a_corrected_source_alone_is_a_change_too():
    run = a_done_run()
    CarbonIntensity.objects.update(source="the same figure, better sourced")

    assert repricing.reprice([run.pk], by=admin()) == 1
    assert again(run).estimate.intensity_source == "the same figure, better sourced"


def test_what_was_agreed_to_must_still_be_so():
    run = a_done_run()
    a_new_vintage()
    agreed = repricing.preview([run.pk]).fingerprint
    CarbonIntensity.objects.filter(year=2025).update(g_per_kwh=1.0)

    with pytest.raises(repricing.TablesMoved):
        repricing.reprice([run.pk], by=admin(), fingerprint=agreed)

    assert Estimate.objects.count() == 1


def test_all_or_nothing(monkeypatch):
    run = a_done_run()
    a_new_vintage()

    def full_disk(*_args, **_kwargs):
        raise IntegrityError("no more room")

    monkeypatch.setattr(Estimate.objects, "bulk_create", full_disk)
    with pytest.raises(IntegrityError), transaction.atomic():
        repricing.reprice([run.pk], by=admin())

    assert again(run).estimate.pk == run.estimate.pk


def test_the_admin_sees_a_preview_and_nothing_is_stored_yet(office):
    run = a_done_run()
    a_new_vintage(g_per_kwh=356.5)

    page = choose(office, run).text

    assert "1 of 1 run would change" in page
    assert "-50 %" in page
    assert "713 g/kWh (2023, life cycle) to 357 g/kWh (2025, life cycle)" in page
    assert Estimate.objects.count() == 1


def test_the_admin_confirms_and_the_runs_page_lists_both(office):
    run = a_done_run(mean_s=3600.0)
    a_new_vintage()

    answer = agree(office, run, note="Ember 2026").text

    assert "1 run re-priced; the old figures stay" in answer
    page = office.get(f"/runs/{run.pk}/").text
    assert "9.6 <span" in page
    assert "Estimates of this measurement" in page
    assert "Ember 2026, by admin" in page
    assert "As the run assumed" in page
    assert "as they were when this run was" in page


def test_confirming_twice_stores_once(office):
    run = a_done_run()
    a_new_vintage()
    shown = repricing.preview([run.pk]).fingerprint

    agree(office, run)
    answer = choose(office, run, agreed="yes", fingerprint=shown).text

    assert "Nothing changed" in answer
    assert Estimate.objects.count() == 2


def test_tables_that_moved_between_preview_and_confirmation_are_shown_again(office):
    run = a_done_run()
    a_new_vintage()

    answer = agree(office, run, fingerprint="of another day").text

    assert "so nothing was stored" in answer
    assert "1 of 1 run would change" in answer
    assert Estimate.objects.count() == 1


def test_too_many_runs_at_once_are_refused_with_a_way_out(office, monkeypatch):
    monkeypatch.setattr(repricing, "RUN_LIMIT", 1)

    answer = choose(office, a_done_run(), a_done_run()).text

    assert "re-price them in several goes" in answer


def test_a_member_of_the_staff_without_the_right_has_no_such_action(client):
    clerk = member("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_run"))
    client.force_login(clerk)
    run = a_done_run()
    a_new_vintage()

    assert "reprice_action" not in client.get(LIST).text
    agree(client, run)
    assert Estimate.objects.count() == 1


def test_the_api_gives_the_new_figures_and_lists_both_estimates():
    run = a_done_run(mean_s=3600.0)
    a_new_vintage()
    repricing.reprice([run.pk], by=admin(), note="Ember 2026")

    found = script_of(owner()).get(f"{BASE}/runs/{run.pk}/").json()

    assert found["emission_g"] == pytest.approx(9.6)
    assert found["intensity"]["g_per_kwh"] == 600.0
    assert found["emission_g"] == pytest.approx(
        found["intensity"]["g_per_kwh"]
        * found["pue"]
        * found["power"]["total_w"]
        * found["latency"]["mean_s"]
        / 3.6e6
    )
    assert [(one["is_headline"], one["made_by"], one["note"]) for one in found["estimates"]] == [
        (True, "admin", "Ember 2026"),
        (False, None, ""),
    ]


def test_a_hundred_runs_are_priced_with_a_fixed_number_of_questions(django_assert_num_queries):
    version = a_ready_version()
    runs = [a_done_run(version) for _ in range(8)]
    a_new_vintage()

    # Runs, estimates, intensities, RAM models.
    with django_assert_num_queries(4):
        repricing.preview([run.pk for run in runs])
