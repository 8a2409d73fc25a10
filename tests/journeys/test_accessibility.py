"""Every main page, as one who hears it or sees it badly meets it: axe finds nothing to object."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.journeys import steps

pytestmark = pytest.mark.browser

AXE = Axe()

OPEN_PAGES = ("/", "/accounts/login/", "/reference/", "/reference/zones/DEU/")
OPEN_PAGES += ("/reference/?table=ram-models&sort=-w_per_gb", "/reference/match/?name=Apple+M1")
OWN_PAGES = ("/", "/models/", "/models/new/", "/hardware/", "/hardware/new/", "/accounts/tokens/")
# Colours and scrolling boxes differ: the light theme on a desk, the dark one on a phone.
VIEWS = (
    {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
)


def test_no_page_shuts_anybody_out(site, visitor, new_context):
    steps.sign_up(visitor, site, "needs-contrast")
    steps.describe_laptop(visitor, site)
    model_url = steps.upload(visitor, site, steps.SQUEEZENET)
    visitor.get_by_role("link", name="Run it").first.wait_for()
    run_url = steps.run_quickly(visitor, model_url)
    account = visitor.context.storage_state()
    own_pages = [site.url + path for path in OWN_PAGES] + [model_url, f"{model_url}run/", run_url]

    objections = []
    for view in VIEWS:
        stranger, owner = new_context(**view), new_context(**view, storage_state=account)
        objections += objections_to(stranger.new_page(), [site.url + path for path in OPEN_PAGES])
        objections += objections_to(owner.new_page(), own_pages)

    assert objections == []


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
