"""Abuse of what the site offers: other people's things, floods, and what leaks."""

import re
from itertools import pairwise

import pytest
from django.urls import reverse
from rest_framework.throttling import SimpleRateThrottle

from accounts.ids import new_id
from accounts.models import ApiToken, User
from benchmarks.models import Measurement, ModelVersion, OnnxModel, Run
from hardware.models import HardwareProfile
from tests.api.scripts import BASE, an_onnx_file, assert_problem, script_of
from tests.attacks.browsing import NOBODYS_ID, browser_of, plain
from tests.attacks.page_routes import PAGES
from tests.attacks.test_routes import OWN, Site
from tests.people import PASSWORD, a_done_run, a_model, a_profile, a_ready_version, owner, stranger

pytestmark = [pytest.mark.django_db, pytest.mark.one_back_end]


def addresses_of(run):
    """Every address at which a run's model can be read."""
    onnx_model = run.version.onnx_model
    page = onnx_model.get_absolute_url()
    return [
        *(page, f"{page}history.json", f"{page}history.csv", run.get_absolute_url()),
        *(f"{page}history/", f"{BASE}/models/{onnx_model.pk}/history/"),
        *(f"/runs/{run.pk}/status/", f"{BASE}/models/{onnx_model.pk}/"),
        *(f"{BASE}/versions/{run.version_id}/", f"{BASE}/runs/{run.pk}/"),
    ]


def test_b01_what_was_public_is_gone_at_once_when_it_becomes_private():
    run = a_done_run()
    onnx_model = run.version.onnx_model
    reader, keeper = browser_of(), browser_of(owner())
    onnx_model.visibility = "public"
    onnx_model.save()
    before = [reader.get(address) for address in addresses_of(run)]

    keeper.post(
        f"/models/{onnx_model.pk}/edit/", {"name": onnx_model.name, "visibility": "private"}
    )
    after = [reader.get(address).status_code for address in addresses_of(run)]

    assert {answer.status_code for answer in before} <= {200, 286}
    assert {answer["Cache-Control"] for answer in before} == {"private, no-cache"}
    assert after == [404] * len(after)
    assert onnx_model.name not in reader.get("/models/").content.decode()
    assert reader.get(f"{BASE}/models/").json()["results"] == []
    assert reader.get(f"{BASE}/runs/?model={onnx_model.pk}").json()["results"] == []


@pytest.mark.parametrize("path", ["models", "versions", "runs", "profiles"])
def test_b02_what_is_not_there_and_what_is_not_yours_sound_the_same(path):
    run = a_done_run()
    pk_by_path = {
        "models": run.version.onnx_model_id,
        "versions": run.version_id,
        "runs": run.pk,
        "profiles": run.profile_id,
    }
    script = script_of(stranger())

    foreign = script.get(f"{BASE}/{path}/{pk_by_path[path]}/")
    absent = script.get(f"{BASE}/{path}/{NOBODYS_ID}/")

    assert foreign.status_code == absent.status_code == 404
    assert foreign.content == absent.content


@pytest.mark.parametrize("name", ["model", "model-edit", "model-history-csv", "run", "profile"])
def test_b03_pages_too_tell_no_difference(name):
    site = Site()
    foreign = site.page(OWN[name])
    absent = re.sub("[0-9a-f-]{36}", NOBODYS_ID, foreign)
    client = browser_of(stranger())

    pages = [client.get(address).content.decode() for address in (foreign, absent)]

    assert plain(pages[0]).replace(foreign, "") == plain(pages[1]).replace(absent, "")


@pytest.mark.parametrize("name", sorted(name for name, row in PAGES.items() if "POST" in row))
def test_b13_no_form_is_taken_from_another_site(name):
    site = Site()
    client, address = browser_of(owner(), enforce_csrf_checks=True), site.page(OWN[name])
    counts = [one.objects.count() for one in (OnnxModel, Run, HardwareProfile, ApiToken)]

    status = client.post(address).status_code

    # 405: there is no form at that address; 411: refused by its length, before anything else.
    assert (
        status in {403, 405, 411} or PAGES[name]["POST"][0] in {302, 404} and status in {302, 404}
    )
    assert counts == [one.objects.count() for one in (OnnxModel, Run, HardwareProfile, ApiToken)]


@pytest.mark.parametrize("path", ["profiles", "runs", "models"])
def test_b14_the_api_takes_no_session_without_its_token(path):
    client = browser_of(owner(), enforce_csrf_checks=True)

    answer = client.post(f"{BASE}/{path}/", {"name": "x"}, content_type="application/json")

    assert_problem(answer, 403)


EXTRA = {
    "id": NOBODYS_ID,
    "pk": NOBODYS_ID,
    "owner": NOBODYS_ID,
    "owner_id": NOBODYS_ID,
    "status": "done",
    "sha256": "0" * 64,
    "size_bytes": 1,
    "file": "../../secret_key",
    "claim_token": NOBODYS_ID,
    "emission_g": 0,
    "created_at": "2001-01-01T00:00:00Z",
    "edited_by": NOBODYS_ID,
    "is_staff": True,
    "is_superuser": True,
    "is_edited": True,
}


def test_b15_nothing_is_set_that_is_not_asked_for_over_the_api():
    version, profile = a_ready_version(), a_profile()
    script = script_of(owner())
    stored = ModelVersion.objects.values().get()
    run_of = {"version": str(version.pk), "profile": str(profile.pk)}

    script.patch(
        f"{BASE}/models/{version.onnx_model_id}/", {**EXTRA, "name": "Renamed"}, format="json"
    )
    script.patch(f"{BASE}/profiles/{profile.pk}/", {**EXTRA, "name": "Renamed"}, format="json")
    run = script.post(f"{BASE}/runs/", {**EXTRA, **run_of}, format="json").json()
    sent = script.post(
        f"{BASE}/models/",
        {**EXTRA, "name": "New", "file": an_onnx_file(b"new")},
        format="multipart",
    ).json()

    assert ModelVersion.objects.values().get(pk=version.pk) == stored
    assert OnnxModel.objects.exclude(owner=owner()).count() == 0
    assert HardwareProfile.objects.get(pk=profile.pk).owner == owner()
    assert run["status"] == "queued"
    assert run["id"] != NOBODYS_ID
    assert (sent["latest_version"]["status"], sent["latest_version"]["size_bytes"]) == (
        "inspecting",
        3,
    )
    assert not User.objects.filter(is_staff=True).exists()


def test_b16_nor_by_a_form():
    onnx_model = a_model()
    client = browser_of(owner())

    client.post(
        f"/models/{onnx_model.pk}/edit/", {**EXTRA, "name": "Renamed", "visibility": "private"}
    )
    browser_of().post(
        reverse("account_signup"),
        {**EXTRA, "username": "new", "password1": PASSWORD, "password2": PASSWORD},
    )
    client.post("/accounts/tokens/", {**EXTRA, "name": "t", "scope": "read", "lifetime": "30"})

    onnx_model.refresh_from_db()
    assert (onnx_model.owner, onnx_model.name) == (owner(), "Renamed")
    assert not User.objects.get(username="new").is_staff
    assert ApiToken.objects.get().owner == owner()


ENDS = ["0", "-1", "1e9", "9" * 30, "9" * 5000, "x", "%00", "%ff", "\u0661", "last", "1&page=2"]


@pytest.mark.parametrize(
    "address", ["/models/", "/runs/", "/hardware/", "/reference/", "model", f"{BASE}/runs/"]
)
def test_b17_pages_end_where_numbers_do_not(address):
    run = a_done_run()
    address = run.version.onnx_model.get_absolute_url() if address == "model" else address
    client = browser_of(owner())

    statuses = {
        client.get(f"{address}?{name}={end}").status_code
        for name in ("page", "per_page", "range", "cursor", "sort", "q", "show", "metric")
        for end in ENDS
    }

    assert statuses <= {200, 400, 404}


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
    + ["http:evil.example", "\thttps://evil.example", "https:\\\\evil.example", "///evil.example"],
)
@pytest.mark.parametrize("name", ["account_login", "account_logout", "account_signup"])
def test_b18_no_address_of_ours_leads_elsewhere(name, target):
    owner()
    client = browser_of(owner() if name == "account_logout" else None)
    typed = {"login": "owner", "password": PASSWORD, "username": "new", "next": target}
    typed |= {"password1": PASSWORD, "password2": PASSWORD}

    answer = client.post(reverse(name), typed)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/")
    assert "evil" not in answer["Location"]


@pytest.mark.breaks_a_page
@pytest.mark.parametrize("address", ["/models/", f"{BASE}/models/", "/nothing/", "/models/new/"])
def test_b19_no_answer_tells_how_we_are_made(address, monkeypatch, settings):
    def broken(*_, **__):
        raise RuntimeError("SEVENTEEN")

    for place in (
        "benchmarks.views.models.overview.with_summary",
        "benchmarks.views.uploads._page",
    ):
        monkeypatch.setattr(place, broken)
    monkeypatch.setattr("benchmarks.api.model_views.OnnxModels.get_queryset", broken)

    answer = browser_of(owner()).get(address)

    text = answer.content.decode()
    assert answer.status_code in {404, 500}
    for secret in ("SEVENTEEN", "Traceback", "RuntimeError", settings.SECRET_KEY, "/benchmarks/"):
        assert secret not in text
    assert str(settings.BASE_DIR) not in text
    assert "urlpatterns" not in text


def test_b24_nobody_gets_what_anothers_key_made():
    version, profile = a_ready_version(), a_profile()
    asked = {"version": str(version.pk), "profile": str(profile.pk)}
    key = {"HTTP_IDEMPOTENCY_KEY": "the-same"}
    mine = script_of(owner()).post(f"{BASE}/runs/", asked, format="json", **key)

    theirs = script_of(stranger()).post(f"{BASE}/runs/", asked, format="json", **key)

    assert mine.status_code == 201
    assert theirs.status_code == 400
    assert mine.json()["id"] not in theirs.content.decode()


def test_b25_writes_are_counted_over_pages_and_api_together(monkeypatch):
    rates = {**SimpleRateThrottle.THROTTLE_RATES, "writes": "4/min"}
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", rates)
    client, script = browser_of(owner()), script_of(owner())
    form = {"name": "t", "scope": "read", "lifetime": "30"}

    pages = [client.post("/accounts/tokens/", form) for _ in range(3)]
    calls = [script.post(f"{BASE}/profiles/", {}, format="json") for _ in range(2)]
    pages.append(client.post("/models/new/", {}, HTTP_ACCEPT="application/json"))
    refused = client.post("/accounts/tokens/", form)
    other = browser_of(stranger()).post("/accounts/tokens/", form)

    assert [one.status_code for one in pages] == [200, 200, 200, 429]
    assert [one.status_code for one in calls] == [400, 429]
    assert int(pages[-1]["Retry-After"]) > 0
    assert "Wait" in pages[-1].json()["errors"]["file"][0]
    assert (refused.status_code, refused["Retry-After"].isdigit()) == (429, True)
    assert "You have changed a great many things" in refused.text
    assert client.get("/models/").status_code == 200
    assert other.status_code == 200


def test_b26_waiting_runs_of_one_user_have_an_end(settings):
    settings.USER_QUEUED_RUN_LIMIT = 2
    asked = {"version": str(a_ready_version().pk), "profile": str(a_profile().pk)}
    script = script_of(owner())

    answers = [script.post(f"{BASE}/runs/", asked, format="json") for _ in range(3)]

    assert [one.status_code for one in answers] == [201, 201, 400]
    assert Run.objects.count() == 2


def test_b27_downloads_are_attachments_that_no_browser_opens():
    site = Site()
    client = browser_of(owner())

    for name in ("model-history-csv", "input-set-file"):
        answer = client.get(site.page(OWN[name]))
        assert answer["Content-Disposition"].startswith("attachment; filename=")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "html" not in answer["Content-Type"]


def test_b32_whoever_asks_while_a_run_ends_gets_an_answer():
    run = a_done_run()
    Measurement.objects.all().delete()
    # As it is read: the run's row just before its end, its estimates just after.
    Run.objects.update(status="queued", finished_at=None, started_at=None)

    answers = [
        browser_of(owner()).get(address)
        for address in (f"{BASE}/runs/{run.pk}/", f"/runs/{run.pk}/", f"{BASE}/runs/", "/runs/")
    ]

    assert [one.status_code for one in answers] == [200] * 4


def test_b28_a_name_of_anothers_tells_nothing():
    a_model(name="Secret")

    answer = script_of(stranger()).post(
        f"{BASE}/models/", {"name": "Secret", "file": an_onnx_file(b"x")}, format="multipart"
    )

    assert answer.status_code == 201


def test_b31_ids_cannot_be_guessed_from_one_another():
    ids = sorted(new_id().int for _ in range(100))

    # Ids of one millisecond share a counter; 32 random bits follow it (RFC 9562, 6.2).
    close = [before for before, after in pairwise(ids) if after - before < 2**24]
    assert len(close) < 10
