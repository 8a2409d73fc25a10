"""What people do on the site, as one would tell it."""

import json
import re
from pathlib import Path

import onnx
from axe_playwright_python.sync_playwright import Axe

LIGHT_MODELS = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
SQUEEZENET = LIGHT_MODELS / "light_squeezenet.onnx"
PASSWORD = "correct horse 4 battery"
MEASURED_WITHIN_MS = 60_000


def sign_up(page, site, name):
    page.goto(f"{site.url}/accounts/signup/")
    page.get_by_label("Username").fill(name)
    page.locator("input[name=password1]").fill(PASSWORD)
    page.locator("input[name=password2]").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign up").click()
    page.wait_for_url(re.compile(r"/$"))


def log_in(page, site, name, password=PASSWORD):
    page.goto(f"{site.url}/accounts/login/")
    page.locator("input[name=login]").fill(name)
    page.locator("input[name=password]").fill(password)
    page.locator("main").get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(re.compile(r"/$"))


def log_out(page):
    page.locator("header details.menu summary").click()
    page.get_by_text("Log out", exact=True).click()
    page.wait_for_url(re.compile(r"/$"))


def describe_laptop(page, site, name="Laptop"):
    """The article's machine: 13 W of CPU and 8 GB of RAM, in India."""
    page.goto(f"{site.url}/hardware/new/")
    page.get_by_label("Name", exact=True).fill(name)
    zone = page.locator("input[role=combobox]").first
    zone.fill("India")
    page.locator(".suggestions").get_by_role("option").filter(has_text="India").first.click()
    page.locator("[name=cpu_name]").fill("A laptop's CPU")
    page.locator("[name=cpu_tdp_w]").fill("13")
    page.locator("[name=ram_gb]").fill("8")
    page.get_by_role("button", name="Save this machine").click()
    page.wait_for_url(re.compile(r"/hardware/[0-9a-f-]{36}/"))


def upload(page, site, path, name=None):
    page.goto(f"{site.url}/models/new/")
    page.locator("input[type=file]").set_input_files(path)
    if name:
        page.locator("input[name=name]").fill(name)
    page.get_by_role("button", name="Upload", exact=True).click()
    page.wait_for_url(re.compile(r"/models/[0-9a-f-]{36}/"))
    return page.url


def run_quickly(page, model_url):
    """Run the newest version by the quick effort and wait for the answer; its URL is returned."""
    page.goto(f"{model_url}run/")
    page.locator("[name=effort][value=quick], select[name=effort]").first.evaluate(
        "e => { if (e.tagName === 'SELECT') e.value = 'quick'; else e.checked = true; }"
    )
    page.get_by_role("button", name="Run it").click()
    return wait_for_result(page)


def first_run_of(page, site, name, *, model_name):
    """Somebody new describes a laptop, uploads a model and runs it; the model's URL, the run's."""
    page.set_default_timeout(20_000)
    sign_up(page, site, name)
    describe_laptop(page, site)
    model_url = upload(page, site, SQUEEZENET, model_name)
    page.get_by_role("link", name="Run it").first.wait_for()
    return model_url, run_quickly(page, model_url)


def wait_for_result(page):
    page.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}/"))
    page.locator("#formula").wait_for(timeout=MEASURED_WITHIN_MS)
    return page.url


def from_api(page, site, path):
    """The JSON of an API address, fetched with the page's own session."""
    response = page.request.get(f"{site.url}/api/v1{path}")
    assert response.ok, response.text()
    return json.loads(response.text())


def run_from_api(page, site, run_url):
    return from_api(page, site, f"/runs/{run_url.rstrip('/').rsplit('/', 1)[-1]}/")


WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
# Colours and scrolling boxes differ: the light theme on a desk, the dark one on a phone.
VIEWS = (
    {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
)


def assert_accessible(visited):
    """Axe finds nothing on this page in either view, and the phone's does not scroll sideways.

    In tabs of its own: axe's styles break the site's policy, which the visitor would complain of.
    """
    for view in VIEWS:
        page = visited.context.new_page()
        page.emulate_media(color_scheme=view["color_scheme"])
        page.set_viewport_size(view["viewport"])
        page.goto(visited.url)
        assert_axe_finds_nothing(page)
        page.close()


def assert_axe_finds_nothing(page):
    """The same of a page as it stands, in whatever view it has."""
    found = Axe().run(page, options=WCAG)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url
