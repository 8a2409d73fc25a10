"""Asking for a run, watching it, reading its result."""

import re
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from benchmarks.models import Run
from benchmarks.reports import report_of
from hardware.models import CarbonIntensity
from tests.people import (
    a_done_run,
    a_meter,
    a_missing_meter,
    a_model,
    a_processor,
    a_profile,
    a_queued_run,
    a_ready_version,
    a_zone,
    anonymous,
    stranger,
    teammate,
)

pytestmark = pytest.mark.django_db

TOKENS = {"name": "tokens", "dtype": "int64", "shape": ["batch", "sequence"]}
RATE = {"name": "sr", "dtype": "int64", "shape": []}
IMAGE = {"name": "image", "dtype": "float32", "shape": [None, 3, None, None]}


def ask(client, version, profile, **fields):
    settings = {"batch_size": "1", "intra_op_threads": "1", "effort": "quick"}
    chosen = {"version": str(version.pk), "profile": str(profile.pk), **settings, **fields}
    return client.post(f"/models/{version.onnx_model.pk}/run/", chosen)


def a_measured_run(**fields):
    now = timezone.now()
    claim = {"claim_token": uuid.uuid4(), "lease_expires_at": now + timedelta(minutes=1)}
    values = {"status": "measuring", "phase": "measuring", "started_at": now, **claim, **fields}
    return a_queued_run(**values)


def test_a_run_is_queued_with_what_was_chosen(signed_in):
    version, profile = a_ready_version(), a_profile()

    response = ask(signed_in, version, profile, batch_size="8")

    run = Run.objects.get()
    assert response.headers["Location"] == f"/runs/{run.pk}/"
    assert (run.batch_size, run.effort, run.input_choices) == (8, "quick", {})


def test_a_free_dimension_and_a_range_become_the_runs_inputs(signed_in):
    version = a_ready_version(inputs=[TOKENS, RATE])

    ask(signed_in, version, a_profile(), dim_0_1="128", low_1="16000", high_1="16000")

    assert Run.objects.get().input_choices == {
        "dims": {"sequence": 128},
        "ranges": {"sr": [16000, 16000]},
    }


def test_nameless_dimensions_make_a_whole_shape_that_follows_the_batch(signed_in):
    version = a_ready_version(inputs=[IMAGE])

    ask(signed_in, version, a_profile(), size_0_2="640", size_0_3="480", batch_size="2")

    assert Run.objects.get().input_choices == {"shapes": {"image": [2, 3, 640, 480]}}


def test_an_input_without_declared_dimensions_asks_for_its_shape(signed_in):
    version = a_ready_version(inputs=[{"name": "x", "dtype": "float32", "shape": None}])

    refused = ask(signed_in, version, a_profile(), shape_0="")
    ask(signed_in, version, a_profile(name="Other"), shape_0="1, 3, 640, 640")

    assert "This field is required" in refused.text
    assert Run.objects.get().input_choices == {"shapes": {"x": [1, 3, 640, 640]}}


def test_the_form_lists_each_input_with_its_type_and_shape(signed_in):
    version = a_ready_version(inputs=[TOKENS, IMAGE])
    a_profile()

    page = signed_in.get(f"/models/{version.onnx_model.pk}/run/").text

    assert "batch × sequence" in page
    assert "? × 3 × ? × ?" in page
    assert page.count('value="1"') >= 5


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("batch_size", "0", "from 1 to 4096"),
        ("intra_op_threads", "4000", "The measuring machine has"),
        ("effort", "heroic", "heroic is not one of the available choices"),
        ("low_0", "3", "Give both ends of the range"),
        ("dim_0_1", "-5", "greater than or equal to 1"),
    ],
)
def test_a_bad_setting_is_refused_beside_its_field(signed_in, field, value, sentence):
    version = a_ready_version(inputs=[TOKENS])

    response = ask(signed_in, version, a_profile(), **{field: value})

    assert response.status_code == 400
    assert sentence in response.text
    assert not Run.objects.exists()


def test_a_range_the_wrong_way_round_is_refused(signed_in):
    version = a_ready_version(inputs=[TOKENS])

    response = ask(signed_in, version, a_profile(), low_0="9", high_0="3")

    assert "must be at least 9" in response.text


def test_without_a_machine_the_form_leads_to_one_and_back(signed_in):
    onnx_model = a_ready_version().onnx_model

    page = signed_in.get(f"/models/{onnx_model.pk}/run/").text

    assert f"/hardware/new/?next=/models/{onnx_model.pk}/run/" in page


def test_a_private_machine_of_somebody_else_cannot_be_chosen(signed_in):
    version = a_ready_version()
    a_profile()

    response = ask(signed_in, version, a_profile(stranger(), "Theirs"))

    assert response.status_code == 400
    assert "Theirs" not in response.text


def test_a_version_being_inspected_cannot_be_run_yet(signed_in):
    version = a_ready_version(status="inspecting")

    assert "still being inspected" in signed_in.get(f"/models/{version.onnx_model.pk}/run/").text


def test_the_result_shows_the_article_s_number_and_its_arithmetic(signed_in):
    run = a_done_run(mean_s=0.001)

    page = signed_in.get(f"/runs/{run.pk}/").text

    assert "3.17 <span" in page
    assert "13 W" in page
    assert "713 g/kWh" in page
    assert ">4.44 µWh</span>" in page
    assert "1,000,000 inferences" in page
    assert "inferences = 1 km by car" in page


def test_the_figure_can_be_reported_with_everything_it_rests_on(signed_in):
    run = a_done_run(mean_s=0.001)

    page = signed_in.get(f"/runs/{run.pk}/").text

    sentence = re.search(r'id="report-sentence">(.*?)</blockquote>', page, re.DOTALL)[1]
    assert "3.17 µg of CO₂ equivalent per inference" in sentence
    assert "Rated power 16 W × PUE 1 × 1 ms per inference" in sentence
    assert "(95 % interval 990 µs to 1.01 ms) × 713 g/kWh (India 2023" in sentence
    assert "AMD EPYC 7B13 with onnxruntime 1.32.0, batch size 1, 1 thread" in sentence
    assert sentence.endswith(f"http://testserver/runs/{run.pk}/")


def test_every_part_that_the_page_promises_is_on_it(signed_in):
    page = signed_in.get(f"/runs/{a_done_run().pk}/").text

    contents = re.search(r'aria-label="On this page">(.*?)</nav>', page, re.DOTALL)[1]
    promised = re.findall(r'href="#([a-z]+)"', contents)
    assert "latency" in promised
    assert [one for one in promised if f'id="{one}"' not in page] == []


def test_each_factor_links_to_its_row(signed_in):
    cpu = a_processor("M1")
    run = a_done_run(profile=a_profile(cpu=cpu, cpu_tdp_w=None))
    intensity = CarbonIntensity.objects.get()

    page = signed_in.get(f"/runs/{run.pk}/").text

    assert f"/reference/processors/{cpu.pk}/" in page
    assert f"/reference/zones/IND/#intensity-{intensity.pk}" in page


def test_a_stored_result_does_not_move_when_the_table_is_edited(signed_in):
    run = a_done_run(mean_s=0.001)
    CarbonIntensity.objects.update(g_per_kwh=50)

    assert "713 g/kWh" in signed_in.get(f"/runs/{run.pk}/").text


def test_the_page_says_when_another_machine_measured_than_the_profile_s(signed_in):
    laptop = a_profile(cpu=a_processor("M1"), cpu_tdp_w=None)
    same = a_profile(name="Server", cpu=a_processor("EPYC 7B13", vendor="AMD"), cpu_tdp_w=None)
    version = a_ready_version()

    elsewhere = signed_in.get(f"/runs/{a_done_run(version, laptop).pk}/").text
    at_home = signed_in.get(f"/runs/{a_done_run(version, same).pk}/").text

    assert "Measured on AMD EPYC 7B13, power of Apple M1." in elsewhere
    assert "Measured on" not in at_home


def test_a_borrowed_intensity_is_marked_as_assumed(signed_in):
    a_zone("WORLD", "World", g_per_kwh=458.0)
    run = a_done_run(profile=a_profile(zone=a_zone("ATA", "Antarctica", g_per_kwh=None)))

    page = signed_in.get(f"/runs/{run.pk}/").text

    assert 'class="assumed"' in page
    assert "There is no figure for Antarctica, so that of World was taken." in page


def test_the_parts_of_the_energy_include_the_overhead_of_the_data_centre(signed_in):
    run = a_done_run(profile=a_profile(pue=2))

    page = signed_in.get(f"/runs/{run.pk}/").text

    assert "Cooling and overhead" in page
    assert ">50 %</td>" in page


def test_metered_energy_stands_beside_the_rated_one_with_their_ratio(signed_in):
    # 6.5 W metered of the 13 W rated: a half, whatever the PUE.
    run = a_done_run(
        profile=a_profile(pue=2), mean_s=0.001, measurement={"metered": {"meters": [a_meter()]}}
    )

    (meter,) = report_of(run).working_meters
    page = signed_in.get(f"/runs/{run.pk}/").text

    assert meter.ratio == pytest.approx(0.5, rel=1e-12)
    assert "Processor (RAPL)" in page
    assert ">6.5 W</span>" in page
    assert ">2 W</span>" in page
    assert ">1.81 µWh</span>" in page
    assert "The meters are those of AMD EPYC 7B13" in page
    assert "a GPU that it did not use" not in page


def test_a_meter_of_what_the_profile_does_not_rate_has_no_ratio(signed_in):
    meters = [a_meter("nvml", covers="gpu", power_w=40.0)]
    run = a_done_run(measurement={"metered": {"meters": meters}})

    (meter,) = report_of(run).working_meters
    page = signed_in.get(f"/runs/{run.pk}/").text

    assert (meter.rated_energy_kwh, meter.ratio) == (0, None)
    assert "GPU (NVML)" in page
    assert "a GPU that it did not use" in page


def test_each_missing_meter_says_why_it_is_missing(signed_in):
    reason = "this machine has no powercap energy counters (virtual machine)"
    meters = [a_missing_meter("rapl-package", covers="cpu", reason=reason), a_missing_meter()]
    run = a_done_run(measurement={"metered": {"meters": meters}})

    page = signed_in.get(f"/runs/{run.pk}/").text

    assert f"Processor (RAPL) not available: {reason}." in page
    assert "GPU (NVML) not available: this machine has no NVIDIA driver." in page
    assert "Metered / rated" not in page


def test_a_run_that_no_meter_was_looked_for_says_so(signed_in):
    assert "No meter was looked for" in signed_in.get(f"/runs/{a_done_run().pk}/").text


def test_a_failed_run_says_why_and_what_to_do(signed_in):
    now = timezone.now()
    ended = {"failure_code": "run_failed", "failure_message": "Gather index 5 is out of bounds."}
    run = a_queued_run(status="failed", finished_at=now, **ended)

    page = signed_in.get(f"/runs/{run.pk}/").text

    assert "Gather index 5 is out of bounds." in page
    assert "run_failed" in page
    assert "Change the settings" in page


def test_a_waiting_run_says_how_many_are_ahead(signed_in):
    version = a_ready_version()
    a_queued_run(version)
    run = a_queued_run(version)

    page = signed_in.get(f"/runs/{run.pk}/").text

    assert "1 run ahead: expect to wait about" in page
    assert f'hx-get="/runs/{run.pk}/status/"' in page


def test_a_run_under_way_shows_its_phase_and_samples(signed_in):
    run = a_measured_run(sample_count=312)

    page = signed_in.get(f"/runs/{run.pk}/status/")

    assert page.status_code == 200
    assert "Timing inferences." in page.text
    assert "312 samples so far" in page.text
    assert "Running longer" not in page.text


def test_a_late_run_says_that_it_is_late(signed_in):
    run = a_measured_run(started_at=timezone.now() - timedelta(minutes=3))

    assert "Running longer than expected" in signed_in.get(f"/runs/{run.pk}/status/").text


def test_polling_stops_when_the_run_is_over(signed_in):
    response = signed_in.get(f"/runs/{a_done_run().pk}/status/")

    assert response.status_code == 286
    assert response.headers["HX-Refresh"] == "true"


def test_the_owner_cancels_a_run(signed_in):
    run = a_queued_run()

    page = signed_in.post(f"/runs/{run.pk}/cancel/", follow=True)

    assert "so there is no result" in page.text


def test_cancelling_what_is_over_changes_nothing_and_says_so(signed_in):
    run = a_done_run()

    page = signed_in.post(f"/runs/{run.pk}/cancel/", follow=True)

    assert "was over already" in page.text
    assert Run.objects.get().status == "done"


def test_run_again_queues_the_same_measurement(signed_in):
    run = a_done_run(batch_size=4, effort="careful")

    signed_in.post(f"/runs/{run.pk}/again/")

    again = Run.objects.exclude(pk=run.pk).get()
    assert (again.batch_size, again.effort, again.status) == (4, "careful", "queued")


def test_run_again_without_its_machine_leads_to_the_form(signed_in):
    run = a_done_run()
    run.profile.delete()

    response = signed_in.post(f"/runs/{run.pk}/again/")

    assert response.headers["Location"] == f"/models/{run.version.onnx_model.pk}/run/"


@pytest.mark.parametrize("visitor", [teammate, stranger, anonymous])
def test_a_private_run_is_absent_for_everybody_else(client, visitor):
    run = a_done_run()
    if visitor is not anonymous:
        client.force_login(visitor())

    assert client.get(f"/runs/{run.pk}/").status_code == 404
    assert client.get(f"/runs/{run.pk}/status/").status_code == 404


@pytest.mark.parametrize("visitor", [teammate, stranger, anonymous])
def test_a_public_run_is_read_by_anybody_and_changed_by_nobody_else(client, visitor):
    run = a_done_run(a_ready_version(onnx_model=a_model(visibility="public")))
    if visitor is not anonymous:
        client.force_login(visitor())

    page = client.get(f"/runs/{run.pk}/")

    assert page.status_code == 200
    assert "Run again" not in page.text
    for action in ("cancel", "again"):
        assert client.post(f"/runs/{run.pk}/{action}/").status_code in {302, 404}
    assert Run.objects.count() == 1


def test_the_run_page_asks_few_questions(signed_in, django_assert_num_queries):
    run = a_done_run()

    # Session, user, run, estimates, equivalences; for the what-if zones, profiles, intensities
    # and the equivalences, for the text and the script alike.
    with django_assert_num_queries(9):
        signed_in.get(f"/runs/{run.pk}/")


def test_the_run_page_says_what_its_intensity_counts(signed_in):
    run = a_done_run()

    assert "2023</a>, life cycle: test table" in signed_in.get(f"/runs/{run.pk}/").text
