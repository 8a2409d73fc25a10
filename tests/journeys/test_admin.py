"""The admin in a real browser: every list and form opens, and nothing breaks the site's policy."""

import pytest

from tests.journeys import steps
from tests.journeys.conftest import ADMIN, ADMIN_PASSWORD

pytestmark = pytest.mark.browser

LISTS = (
    "hardware/zone",
    "hardware/carbonintensity",
    "hardware/processor",
    "hardware/rammodel",
    "hardware/puefigure",
    "hardware/embodiedfigure",
    "hardware/equivalence",
    "hardware/referencefile",
    "hardware/hardwareprofile",
    "benchmarks/onnxmodel",
    "benchmarks/modelversion",
    "benchmarks/run",
    "accounts/user",
    "accounts/apitoken",
)


@pytest.fixture
def admin(site, visitor):
    """The administrator's browser; the visitor's fixture fails a test on any complaint of it."""
    steps.log_in(visitor, site, ADMIN, ADMIN_PASSWORD)
    return visitor


def test_every_list_and_form_of_the_admin_opens(site, admin):
    for path in LISTS:
        assert admin.goto(f"{site.url}/admin/{path}/").ok
        first = admin.locator("#result_list tbody :is(th, td) a").first
        if first.count():
            assert admin.goto(site.url + first.get_attribute("href")).ok
            admin.locator("#content h1").wait_for()
