"""What goes wrong gets a sentence, in the browser, and leaves nothing behind."""

import re
from pathlib import Path

import pytest

from tests.benchmarks.hostile import fails_while_running
from tests.journeys import steps

pytestmark = pytest.mark.browser


@pytest.fixture
def member(site, visitor, request):
    """Somebody signed up, by the name of the test."""
    steps.sign_up(visitor, site, re.sub(r"\W+", "-", request.node.originalname)[-40:].strip("-"))
    return visitor


def files_of(site, pattern):
    return sorted((Path(site.environment["CARBONSITE_DATA"]) / "models").rglob(pattern))


def test_an_empty_file_is_refused_before_it_is_sent(site, member, tmp_path):
    empty = tmp_path / "empty.onnx"
    empty.touch()
    member.goto(f"{site.url}/models/new/")

    member.locator("input[type=file]").set_input_files(empty)

    member.get_by_text("is empty (0 bytes)").first.wait_for()


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"Dear Sir or Madam,\n" * 200, "not an ONNX model"),
        (steps.SQUEEZENET.read_bytes()[:5000], "cut off|incomplete|truncated|ends"),
    ],
    ids=["text", "truncated"],
)
def test_what_is_no_model_is_rejected(site, member_of, tmp_path, content, sentence):
    page = member_of(sentence[:3])
    path = tmp_path / "renamed.onnx"
    path.write_bytes(content)

    steps.upload(page, site, path)

    page.get_by_text(re.compile(sentence, re.IGNORECASE)).first.wait_for()


@pytest.fixture
def member_of(site, visitor):
    """Sign somebody up by a name of one's choice."""

    def sign_up(name):
        steps.sign_up(visitor, site, f"member-{name}")
        return visitor

    return sign_up


def test_an_upload_stopped_half_way_leaves_nothing_behind(site, member, tmp_path):
    large = tmp_path / "large.onnx"
    with large.open("wb") as file:
        file.truncate(300 * 1024 * 1024)
    before = files_of(site, "*.onnx")
    member.goto(f"{site.url}/models/new/")
    member.locator("input[type=file]").set_input_files(large)
    client = member.context.new_cdp_session(member)
    client.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 5_000_000},
    )

    member.get_by_role("button", name="Upload", exact=True).click()
    member.get_by_role("button", name="Stop the upload").click()

    member.get_by_text("Stopped. Nothing was stored.").first.wait_for()
    assert files_of(site, "*.onnx") == before
    member.wait_for_function("true")


def test_a_model_that_fails_while_running_says_why(site, member, tmp_path):
    path = tmp_path / "fails.onnx"
    path.write_bytes(fails_while_running())
    steps.describe_laptop(member, site)
    model_url = steps.upload(member, site, path)
    member.get_by_role("link", name="Run it").first.wait_for()

    member.goto(f"{model_url}run/")
    member.get_by_role("button", name="Run it").click()

    failure = member.locator(".note.is-bad")
    failure.wait_for(timeout=steps.MEASURED_WITHIN_MS)
    assert "Failed" in failure.inner_text()
    assert "Traceback" not in failure.inner_text()


def test_a_machine_without_power_and_one_below_zero_are_refused_with_all_kept(site, member):
    member.goto(f"{site.url}/hardware/new/")
    member.get_by_label("Name", exact=True).fill("Perpetuum mobile")
    member.locator("[name=cpu_tdp_w]").fill("-5")
    member.get_by_role("button", name="Save this machine").click()
    member.get_by_text("You gave -5").first.wait_for()

    member.locator("[name=cpu_tdp_w]").fill("0")
    member.locator("[name=ram_gb]").fill("0")
    member.get_by_role("button", name="Save this machine").click()

    member.get_by_text("no power at all").first.wait_for()
    assert member.get_by_label("Name", exact=True).input_value() == "Perpetuum mobile"


def test_a_country_without_data_names_its_stand_in(site, member):
    member.goto(f"{site.url}/hardware/new/")

    zone = member.locator("input[role=combobox]").first
    zone.fill("Andorra")
    member.get_by_role("option").filter(has_text="Andorra").first.click()

    member.get_by_text(re.compile("Andorra has no figure")).first.wait_for()


def test_somebody_elses_run_is_not_found(site, member, new_context):
    member.goto(f"{site.url}/models/new/")
    member.get_by_role("button", name=re.compile("sample")).first.click()
    member.wait_for_url(re.compile(r"/models/[0-9a-f-]{36}/"))
    stranger = new_context().new_page()
    steps.sign_up(stranger, site, "a-stranger")

    response = stranger.goto(member.url)

    assert response.status == 404
