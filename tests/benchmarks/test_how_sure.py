"""How sure a result is: its range, its grade, and the making of the machine, on page and API."""

import pytest
from django.utils import timezone

from benchmarks.models import Run
from hardware.models import CarbonIntensity, EmbodiedFigure, PueFigure
from tests.api.scripts import BASE, script_of
from tests.people import (
    MACHINE,
    a_done_run,
    a_processor,
    a_profile,
    a_queued_run,
    a_zone,
    owner,
)

pytestmark = pytest.mark.django_db

ORIGINS = ("pue_origin", "embodied_origin")


def page_of(client, run):
    return client.get(f"/runs/{run.pk}/").text


def from_api(run):
    return script_of(owner()).get(f"{BASE}/runs/{run.pk}/").json()


def a_zone_with_years(**g_per_kwh_by_year):
    zone = a_zone("FRA", "France", g_per_kwh=None)
    for year, g_per_kwh in g_per_kwh_by_year.items():
        a_year(zone, int(year.removeprefix("y")), g_per_kwh)
    return zone


def a_year(zone, year, g_per_kwh, measure="life_cycle"):
    CarbonIntensity.objects.create(
        zone=zone, year=year, g_per_kwh=g_per_kwh, measure=measure, source="test table"
    )


def test_the_range_holds_the_low_and_high_of_the_last_five_years(signed_in):
    zone = a_zone_with_years(y2018=900.0, y2021=70.0, y2023=40.0, y2025=50.0)
    a_year(zone, 2024, 5.0, measure="operational")

    run = a_done_run(profile=a_profile(zone=zone), mean_s=3600.0)

    by_name = {one["name"]: one for one in run.estimate.power_models}
    low = by_name["Lowest intensity of 2021 to 2025"]
    high = by_name["Highest intensity of 2021 to 2025"]
    assert low["emission_g"] == pytest.approx(0.016 * 40)
    assert high["emission_g"] == pytest.approx(0.016 * 70)
    assert high["source"] == "70 g/kWh in 2021: test table"
    page = page_of(signed_in, run)
    assert "Lowest intensity of 2021 to 2025" in page
    assert from_api(run)["range"]["models"][-1]["name"] == high["name"]


def test_a_place_with_one_year_says_that_its_years_are_not_in_the_range(signed_in):
    run = a_done_run()

    assert not [one for one in run.estimate.power_models if "intensity of" in one["name"]]
    assert "only one of the last five is known for India" in page_of(signed_in, run)


def test_a_run_stored_before_the_years_were_noted_still_has_its_page(signed_in):
    run = a_done_run()
    older = {
        name: value
        for name, value in run.assumptions.items()
        if name not in {"recent", "embodied_kg_co2e", "lifetime_years", *ORIGINS}
    }
    Run.objects.filter(pk=run.pk).update(assumptions=older)

    assert "The range" in page_of(signed_in, run)
    assert from_api(run)["sci"] is None


def test_the_grade_stands_beside_the_grams_with_its_reasons(signed_in):
    run = a_done_run()

    page, found = page_of(signed_in, run), from_api(run)["grade"]

    # Another processor (3), typed power (1), three years since 2023 or more (1 or 2).
    assert found["letter"] in {"C", "D"}
    assert f"Grade {found['letter']}" in page
    assert found["reasons"][0].startswith("The time was taken on another processor")
    assert all(reason.replace("'", "&#x27;") in page for reason in found["reasons"])


def test_a_quiet_run_on_the_profiles_own_machine_is_an_a(signed_in):
    cpu = a_processor("EPYC 7B13", vendor="AMD", tdp_w=240)
    run = a_done_run(
        profile=a_profile(
            cpu=cpu,
            cpu_tdp_w=None,
            zone=a_zone("FRA", "France", g_per_kwh=50.0, year=timezone.now().year),
        ),
        measurement={"quiet_ratio": 0.98, "is_noisy": False},
    )

    assert from_api(run)["grade"]["letter"] == "A"
    assert "is-grade-a" in page_of(signed_in, run)


@pytest.mark.parametrize(
    ("described", "measured"),
    [("M1", "Apple M1 Pro"), ("EPYC", "AMD EPYC 7B13 64-Core Processor")],
)
def test_a_name_that_only_resembles_the_measuring_processors_is_another_one(
    signed_in, described, measured
):
    vendor = measured.split()[0]
    run = a_done_run(
        profile=a_profile(cpu=a_processor(described, vendor=vendor), cpu_tdp_w=None),
        measurement={"machine": {**MACHINE, "cpu": measured}},
    )

    assert from_api(run)["grade"]["reasons"][0].startswith("The time was taken on another")
    assert f"Measured on {measured}, power of {vendor} {described}" in page_of(signed_in, run)


def test_measuring_again_queues_the_same_run(signed_in):
    run = a_done_run(batch_size=4, effort="careful")
    assert f'action="/runs/{run.pk}/again/"' in page_of(signed_in, run).split('id="grade"')[1]

    signed_in.post(f"/runs/{run.pk}/again/")

    again = Run.objects.exclude(pk=run.pk).get()
    assert (again.batch_size, again.effort, again.version_id) == (4, "careful", run.version_id)


def test_a_visitor_is_not_offered_to_measure_again(client):
    run = a_done_run()
    run.version.onnx_model.visibility = "public"
    run.version.onnx_model.save()

    page = page_of(client, run)

    assert "Grade " in page
    assert "Measure again" not in page


def test_the_pue_is_shown_with_its_row_and_source_and_keeps_them(signed_in):
    row = PueFigure.objects.create(provider="Acme", year=2024, pue=1.1, source="its own report")
    run = a_done_run(profile=a_profile(pue=1.1, pue_figure=row))
    PueFigure.objects.update(pue=1.5, source="a later report")

    page = page_of(signed_in, run)

    assert "Acme, 2024</a>: its own report" in page
    assert f"#row-{row.pk}" in page
    assert from_api(run)["pue_source"] == "Acme, 2024: its own report"
    assert from_api(a_done_run(profile=a_profile(pue=1.2)))["pue_source"] is None


def an_embodied_run():
    """One tonne over four years, for an hour: 28.538812785388 g (ISO/IEC 21031)."""
    profile = a_profile(embodied_kg_co2e=1000.0, lifetime_years=4.0)
    return a_done_run(profile=profile, mean_s=3600.0)


def test_the_making_of_the_machine_stands_apart(signed_in):
    run = an_embodied_run()

    sci = from_api(run)["sci"]
    assert sci["operational_g"] == pytest.approx(11.408, rel=1e-12)
    assert sci["embodied_g"] == pytest.approx(28.538812785388, rel=1e-13)
    assert sci["total_g"] == pytest.approx(39.946812785388, rel=1e-12)
    assert from_api(run)["emission_g"] == pytest.approx(11.408, rel=1e-12)
    assert "Software Carbon Intensity per inference" in page_of(signed_in, run)


def test_the_making_of_the_machine_names_its_row_and_source(signed_in):
    row = EmbodiedFigure.objects.create(
        key="laptop", name="Laptop", kind="machine", kg_co2e=175, source="a study"
    )
    profile = a_profile(embodied_kg_co2e=175, lifetime_years=4, embodied_figure=row)

    run = a_done_run(profile=profile)
    EmbodiedFigure.objects.update(source="a later study")

    assert f'#row-{row.pk}">Laptop</a>: a study' in page_of(signed_in, run)
    assert from_api(run)["sci"]["embodied_source"] == "Laptop: a study"
    assert from_api(an_embodied_run())["sci"]["embodied_source"] is None


def test_a_machine_that_tells_nothing_of_its_making_has_no_such_part(signed_in):
    run = a_done_run()

    assert from_api(run)["sci"] is None
    assert "Software Carbon Intensity" not in page_of(signed_in, run)


def test_a_run_without_a_result_has_no_grade():
    queued = from_api(a_queued_run())

    assert (queued["grade"], queued["sci"], queued["estimates"]) == (None, None, [])


def test_the_first_estimate_is_listed_and_stands():
    (only,) = from_api(a_done_run(measurement={"machine": MACHINE}))["estimates"]

    assert (only["is_headline"], only["made_by"], only["note"]) == (True, None, "")
    assert only["intensity"]["zone"] == "IND"
