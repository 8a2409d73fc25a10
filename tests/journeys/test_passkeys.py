"""Coming in without a password: a passkey on the device, added, used, and enough by itself."""

import re

import pytest

from tests.journeys import steps

pytestmark = pytest.mark.browser


@pytest.fixture
def visitor_with_passkeys(site, visitor):
    """A browser whose device can keep passkeys; those are bound to a name, not an address."""
    device = visitor.context.new_cdp_session(visitor)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return visitor


def test_a_passkey_is_added_and_lets_its_owner_in(site, visitor_with_passkeys):
    page = visitor_with_passkeys
    named_site = site.at("localhost")
    steps.sign_up(page, named_site, "key-owner")
    page.goto(f"{named_site.url}/accounts/2fa/webauthn/add/")
    if "reauth" in page.url:
        page.locator("input[name=password]").fill(steps.PASSWORD)
        page.locator("main form button[type=submit]").first.click()
    page.locator("#id_passwordless").check()
    page.locator("#mfa_webauthn_add").click()
    page.wait_for_url("**/recovery-codes/**")

    steps.log_out(page)
    page.goto(f"{named_site.url}/accounts/login/")
    page.locator("#passkey_login").click()

    page.wait_for_url(re.compile(r"//localhost:\d+/$"))
    assert "key-owner" in page.locator("header").inner_text()
