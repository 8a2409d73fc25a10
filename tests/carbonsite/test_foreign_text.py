"""Text that no part of the site can read is a 400 at the door, on pages and API alike."""

import pytest

from tests.people import admin

pytestmark = pytest.mark.django_db

NUL_ADDRESSES = (
    "/?q=%00",
    "/models/?q=a%00b",
    "/hardware/processors/?kind=%00",
    "/reference/?%00=1",
    "/admin/hardware/zone/?kind__exact=%00",
    "/api/v1/zones/?search=%00",
)


@pytest.mark.parametrize("address", NUL_ADDRESSES)
def test_an_address_with_a_nul_is_a_400(client, address):
    client.force_login(admin())

    assert client.get(address).status_code == 400


@pytest.mark.parametrize("name", ["sessionid", "csrftoken", "messages"])
def test_a_cookie_with_a_nul_is_a_400(client, name):
    # Browsers quote odd characters in octal, and Django undoes that.
    answer = client.get("/", HTTP_COOKIE=f'{name}="abcdefgh\\000"')

    assert answer.status_code == 400
    assert "could not read that request" in answer.content.decode()


def test_the_api_says_in_its_own_shape_that_a_request_holds_a_nul(client):
    problem = client.get("/api/v1/zones/?search=%00").json()

    assert (problem["status"], problem["type"]) == (400, "bad_request")
    assert "NUL" in problem["detail"]
