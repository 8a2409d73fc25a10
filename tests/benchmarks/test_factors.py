"""A history as stored and at today's factors, and why it moved between two runs."""

import csv
import math
from datetime import timedelta

import pytest
from django.utils import timezone

from benchmarks.factors import TODAY, explained
from benchmarks.pricing import Factors, pricing_of
from benchmarks.timeline import timeline_of
from hardware.models import CarbonIntensity, Processor
from tests.people import (
    MACHINE,
    SOFTWARE,
    a_done_run,
    a_model,
    a_processor,
    a_profile,
    a_ready_version,
    a_zone,
    stranger,
)

pytestmark = pytest.mark.django_db
NEW_RUNTIME = {
    "software": {**SOFTWARE, "onnxruntime": "1.33.0"},
    "software_fingerprint": "software-2",
}
NEW_MACHINE = {"machine": {**MACHINE, "cpu": "Intel Xeon"}, "machine_fingerprint": "machine-2"}


def days_ago(days):
    return timezone.now() - timedelta(days=days)


def page_of(client, onnx_model, query=""):
    return client.get(f"/models/{onnx_model.pk}/{query}").text


def points_at_todays_factors(onnx_model):
    timeline = timeline_of(onnx_model)
    stretches = [one for line in timeline.lines for one in line.stretches]
    prices = pricing_of([one.circumstances for one in stretches], Factors(TODAY))
    return [prices.applied_to(point) for point in timeline.all_points()]


def parts_of(before, after, **options):
    """The parts of a change by their labels; they have to add up to it."""
    explanation = explained(before, after, **options)
    parts = {part.label: part for part in explanation.parts}
    total_g = math.fsum(part.part_g for part in parts.values())
    size_g = max(explanation.before_g, explanation.after_g)
    assert total_g == pytest.approx(explanation.whole_g, abs=1e-9 * size_g)
    return parts


def test_at_todays_factors_every_point_is_what_a_run_of_today_would_store():
    cpu = a_processor("EPYC 7282", vendor="AMD", tdp_w=120.0)
    profile = a_profile(cpu=cpu, cpu_tdp_w=None, pue=1.2)
    version = a_ready_version()
    a_done_run(version, profile, mean_s=0.002, finished_at=days_ago(2))
    CarbonIntensity.objects.create(
        zone=profile.zone, year=2025, g_per_kwh=600.0, source="test table"
    )
    Processor.objects.update(tdp_w=150.0)
    fresh = a_done_run(version, type(profile).objects.get(pk=profile.pk), mean_s=0.002)

    points = points_at_todays_factors(version.onnx_model)

    new, old = points
    assert new.emission_g == fresh.estimate.emission_g
    assert old.emission_g == pytest.approx(fresh.estimate.emission_g, rel=1e-12)
    assert old.energy_kwh == pytest.approx(fresh.estimate.energy_kwh, rel=1e-12)
    assert old.intensity_g_per_kwh == 600.0


def test_what_was_typed_or_has_gone_stays_at_todays_factors():
    cpu = a_processor("EPYC 7282", vendor="AMD", tdp_w=120.0)
    typed = a_done_run(profile=a_profile(name="Typed", cpu_tdp_w=13.0))
    gone = a_done_run(profile=a_profile(name="Gone", cpu=cpu, cpu_tdp_w=None))
    gone.profile.delete()
    cpu.delete()

    for run in (typed, gone):
        (point,) = points_at_todays_factors(run.version.onnx_model)
        assert point.emission_g == pytest.approx(run.estimate.emission_g, rel=1e-12)


def test_a_new_version_is_the_models_doing_and_the_intervals_are_noise():
    first = a_ready_version(content=b"one")
    before = a_done_run(first, mean_s=0.002)
    after = a_done_run(a_ready_version(onnx_model=first.onnx_model, content=b"two"), mean_s=0.001)

    parts = parts_of(before, after)

    assert set(parts) == {"Model", "Noise"}
    assert parts["Model"].note == "v1 to v2"
    assert parts["Model"].ratio + parts["Noise"].ratio == pytest.approx(-0.5)
    assert parts["Noise"].ratio == pytest.approx(-0.0144, abs=0.0005)


def test_the_same_file_again_as_a_version_is_not_the_models_doing():
    first = a_ready_version()
    before = a_done_run(first, mean_s=0.002)
    after = a_done_run(a_ready_version(onnx_model=first.onnx_model), mean_s=0.001)

    assert set(parts_of(before, after)) == {"Noise"}


def test_a_runtime_and_a_machine_changed_together_share_and_it_is_said():
    version = a_ready_version()
    before = a_done_run(version, mean_s=0.001)
    after = a_done_run(version, mean_s=0.004, measurement={**NEW_RUNTIME, **NEW_MACHINE})

    parts = parts_of(before, after)

    assert parts["Runtime"].part_g == pytest.approx(parts["Machine"].part_g)
    assert parts["Runtime"].note.startswith("onnxruntime 1.32.0 to 1.33.0 (changed at the same")
    assert "measured on AMD EPYC 7B13 to Intel Xeon" in parts["Machine"].note


def test_a_corrected_table_is_told_apart_from_a_profile_that_was_edited():
    cpu = a_processor("EPYC 7282", vendor="AMD", tdp_w=120.0)
    version, profile = a_ready_version(), a_profile(cpu=cpu, cpu_tdp_w=None)
    first = a_done_run(version, profile)
    Processor.objects.update(tdp_w=150.0)
    profile = type(profile).objects.get(pk=profile.pk)
    corrected = a_done_run(version, profile)
    profile.cpu_count, profile.pue = 2, 1.5
    profile.save()
    edited = a_done_run(version, profile)

    assert set(parts_of(first, corrected)) == {"Power table"}
    parts = parts_of(corrected, edited)
    assert set(parts) == {"Machine"}
    assert parts["Machine"].note == "CPU described anew, 150 W to 300 W, PUE 1 to 1.5"


def test_a_new_intensity_is_the_grids_doing_and_gone_at_todays_factors():
    version = a_ready_version()
    before = a_done_run(version, a_profile())
    CarbonIntensity.objects.create(zone=a_zone(), year=2025, g_per_kwh=356.5, source="test table")
    after = a_done_run(version, before.profile)

    parts = parts_of(before, after)

    assert set(parts) == {"Grid intensity"}
    assert parts["Grid intensity"].ratio == pytest.approx(-0.5)
    assert parts["Grid intensity"].note == (
        "713 g/kWh (India 2023, life cycle) to 357 g/kWh (India 2025, life cycle)"
    )
    assert parts_of(before, after, factors=TODAY) == {}


def test_other_settings_are_named_as_the_cause():
    version = a_ready_version()
    before = a_done_run(version, mean_s=0.002)
    after = a_done_run(version, mean_s=0.001, batch_size=8)

    assert parts_of(before, after)["Settings"].note == "batch 1 to 8"


def test_a_run_without_an_interval_still_has_parts():
    version = a_ready_version()
    before = a_done_run(version, mean_s=0.002, measurement={"ci95_low_s": None})
    after = a_done_run(version, mean_s=0.001, measurement=NEW_RUNTIME)

    assert set(parts_of(before, after)) == {"Runtime"}


def test_the_page_explains_the_newest_change_unasked(signed_in):
    version = a_ready_version()
    a_done_run(version, mean_s=0.002, finished_at=days_ago(1))
    a_done_run(version, mean_s=0.001, measurement=NEW_RUNTIME)

    page = page_of(signed_in, version.onnx_model)

    why = page.split('id="why"')[1]
    assert "onnxruntime 1.32.0 to 1.33.0" in why
    assert ">-50 %</span>" in why
    assert "All that the two runs do not share" in why
    assert '<th scope="row">software: onnxruntime</th>' in why


def test_two_chosen_runs_are_explained_in_the_order_of_time(signed_in):
    version = a_ready_version()
    oldest = a_done_run(version, mean_s=0.004, finished_at=days_ago(3))
    a_done_run(version, mean_s=0.002, finished_at=days_ago(2))
    newest = a_done_run(version, mean_s=0.001)

    page = page_of(signed_in, version.onnx_model, f"?before={newest.pk}&after={oldest.pk}")

    assert ">-75 %</span>" in page.split('id="why"')[1]


@pytest.mark.parametrize("asked", ["nonsense", "somebody else's"])
def test_runs_that_are_not_this_models_are_not_explained(signed_in, asked):
    theirs = a_done_run(a_ready_version(stranger()), a_profile(stranger()))
    version = a_ready_version()
    a_done_run(version, finished_at=days_ago(1))
    newest = a_done_run(version)
    other = theirs.pk if asked != "nonsense" else asked

    page = page_of(signed_in, version.onnx_model, f"?before={other}&after={newest.pk}")

    assert "two different finished runs of this model are needed" in page
    assert "Why did it move?" in page


def test_a_single_run_has_nothing_to_explain_and_a_what_if(signed_in):
    page = page_of(signed_in, a_done_run().version.onnx_model)

    assert "Why did it move?" not in page
    assert 'id="whatif"' in page


def test_the_page_the_data_and_the_file_follow_the_factors(signed_in):
    run = a_done_run(mean_s=3600.0)
    onnx_model = run.version.onnx_model
    CarbonIntensity.objects.update(g_per_kwh=1000.0)

    address = f"/models/{onnx_model.pk}/"
    page = page_of(signed_in, onnx_model, "?factors=today")
    data = signed_in.get(f"{address}history.json?factors=today").json()
    text = signed_in.get(f"{address}history.csv?factors=today").getvalue().decode()

    assert "16 <span" in page.split('id="history"')[0]
    assert "at today's factors" in page.replace("&#x27;", "'")
    column = data["columns"].index("emission_g")
    assert data["series"][0]["points"][0][column] == pytest.approx(16.0)
    assert ",1000.0,16.0," in text
    assert "11.4 <span" in page_of(signed_in, onnx_model).split('id="history"')[0]


def test_the_file_names_the_intensity_that_it_is_priced_with(signed_in):
    address = f"/models/{a_done_run().version.onnx_model.pk}/history.csv"
    a_zone(year=2025, g_per_kwh=100.0)
    france = a_zone("FRA", "France", g_per_kwh=None)
    france.intensities.create(year=2022, g_per_kwh=50.0, measure="co2_only", source="test table")

    def intensity(query):
        (row,) = csv.DictReader(signed_in.get(address + query).getvalue().decode().splitlines())
        return [row[f"intensity_{name}"] for name in ("g_per_kwh", "zone", "year", "measure")]

    assert intensity("") == ["713.0", "IND", "2023", "life_cycle"]
    assert intensity("?factors=today") == ["100.0", "IND", "2025", "life_cycle"]
    assert intensity("?zone=FRA") == ["50.0", "FRA", "2022", "co2_only"]


def test_the_links_of_the_chart_keep_the_factors_and_the_what_if(signed_in):
    onnx_model = a_done_run().version.onnx_model

    page = page_of(signed_in, onnx_model, "?factors=today&zone=IND&page=2")

    assert "?factors=today&amp;zone=IND&amp;metric=energy" in page
    assert '<input type="hidden" name="factors" value="today">' in page


def test_the_table_and_the_chart_show_each_points_grade(signed_in):
    run = a_done_run(a_ready_version(onnx_model=a_model()))

    page = page_of(signed_in, run.version.onnx_model)
    data = signed_in.get(f"/models/{run.version.onnx_model.pk}/history.json").json()

    letter = data["series"][0]["points"][0][data["columns"].index("grade")]
    assert letter in {"C", "D"}
    assert f'href="/runs/{run.pk}/#grade"' in page
    assert f"Grade {letter}" in signed_in.get(f"/runs/{run.pk}/").text


def test_todays_factors_ask_three_questions_more(signed_in, django_assert_num_queries):
    version = a_ready_version()
    a_done_run(version, finished_at=days_ago(1))
    a_done_run(version)
    # As the plain page, and: the runs' assumptions, intensities; for "why" intensities again.
    with django_assert_num_queries(22):
        page_of(signed_in, version.onnx_model, "?factors=today")
    for _ in range(5):
        a_done_run(version)
    with django_assert_num_queries(22):
        page_of(signed_in, version.onnx_model, "?factors=today")
