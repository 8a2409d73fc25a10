"""Every page, as one who hears it or sees it badly meets it: axe finds nothing to object."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.journeys import steps

pytestmark = pytest.mark.browser

AXE = Axe()

OPEN_PAGES = (
    "/",
    "/no-such-page/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/models/",
    "/hardware/",
    "/compare/",
    "/reference/?q=zzzz",
    "/reference/?table=processors",
    "/reference/?table=ram-models&sort=-w_per_gb",
    "/reference/?table=embodied",
    "/reference/zones/DEU/",
    "/reference/match/?name=Apple+M1",
)
OWN_PAGES = (
    "/",
    "/models/",
    "/models/new/",
    "/runs/",
    "/hardware/",
    "/hardware/new/",
    "/accounts/",
    "/accounts/tokens/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/sessions/",
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/",
    "/accounts/2fa/webauthn/add/",
)
PROFILE_PAGES = ("", "edit/", "delete/")
MODEL_PAGES = ("", "run/", "inputs/", "edit/", "delete/", "versions/new/")
RUN_PAGES = ("", "countries/?zone=DEU", "?zone=FRA&inferences_per_day=1000")
# Colours and scrolling boxes differ: the light theme on a desk, the dark one on a phone.
VIEWS = (
    {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
)


def test_no_page_shuts_anybody_out(site, visitor, new_context):
    steps.sign_up(visitor, site, "needs-contrast")
    steps.describe_laptop(visitor, site)
    own_pages = [visitor.url + part for part in PROFILE_PAGES]
    model_url = steps.upload(visitor, site, steps.SQUEEZENET)
    visitor.get_by_role("link", name="Run it").first.wait_for()
    run_url = steps.run_quickly(visitor, model_url)
    own_pages += [model_url + part for part in MODEL_PAGES]
    own_pages += [run_url + part for part in RUN_PAGES]
    own_pages += [sweep_of(visitor, sample_of(visitor, site)), comparison(visitor, site)]
    own_pages += [site.url + path for path in OWN_PAGES]
    account = visitor.context.storage_state()

    objections = []
    for view in VIEWS:
        stranger, owner = new_context(**view), new_context(**view, storage_state=account)
        objections += objections_to(stranger.new_page(), [site.url + path for path in OPEN_PAGES])
        objections += objections_to(owner.new_page(), own_pages)

    assert objections == []


def sample_of(page, site):
    """The address of the sample model, which takes any batch size."""
    page.goto(f"{site.url}/models/new/")
    page.get_by_role("button", name="Try the sample model").click()
    page.wait_for_url(re.compile(r"/models/[0-9a-f-]{36}/"))
    page.get_by_role("link", name="Run it").first.wait_for()
    return page.url


def sweep_of(page, model_url):
    """The address of a sweep that has only been asked for."""
    page.goto(f"{model_url}run/")
    page.get_by_label("Batch size").fill("1, 2")
    page.get_by_role("button", name="Run it").click()
    page.wait_for_url(re.compile(r"/sweeps/"))
    return page.url


def comparison(page, site):
    page.goto(f"{site.url}/compare/")
    for box in page.locator("[name=v]").all()[:2]:
        box.check()
    page.get_by_role("button", name="Compare", exact=True).click()
    page.locator("#criteria").wait_for()
    return page.url


def objections_to(page, urls):
    """What axe finds wrong with each page: its address, the rule, the elements."""
    found = []
    for url in urls:
        page.goto(url)
        # Its own requests for the style sheets are of no use here.
        answer = AXE.run(page, options={"preload": False, "resultTypes": ["violations"]})
        for violation in answer.response["violations"]:
            places = [node["target"] for node in violation["nodes"][:3]]
            found.append((url, violation["id"], places))
    return found
