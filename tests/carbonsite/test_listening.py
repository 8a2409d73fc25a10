"""Where the site listens, and where it refuses to."""

import socket

import pytest
from django.core.management import CommandError

from carbonsite import listening
from carbonsite.management.commands import up

pytestmark = pytest.mark.one_back_end


def test_a_taken_port_gives_way_to_the_next_free_one():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with listening.listen("127.0.0.1", port) as listener:
            found = listener.getsockname()[1]

    assert port < found <= port + listening.PORTS_TRIED


def test_an_address_of_another_machine_is_refused_with_a_sentence():
    with pytest.raises(listening.CannotListen, match="Is it an address of this machine"):
        listening.listen("192.0.2.1", 8000)


@pytest.mark.parametrize(
    ("host", "url"), [("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://127.0.0.1:")]
)
def test_the_url_is_one_that_a_browser_on_this_machine_opens(host, url):
    with socket.create_server((host, 0)) as listener:
        port = listener.getsockname()[1]

        assert listening.url_of(listener) == f"{url}{port}/"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_the_machine_itself_may_always_listen(host, settings):
    settings.ALLOWED_HOSTS = settings.LOOPBACK_HOSTS

    up.refuse_open_doors(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_listening_to_strangers_needs_the_names_of_the_site(host, settings):
    settings.ALLOWED_HOSTS = settings.LOOPBACK_HOSTS

    with pytest.raises(CommandError, match="ALLOWED_HOSTS is not set"):
        up.refuse_open_doors(host)


def test_a_site_with_names_may_listen_to_strangers(settings):
    settings.ALLOWED_HOSTS = ["carbonsite.example.org"]

    up.refuse_open_doors("0.0.0.0")


def test_one_data_folder_serves_one_site_at_a_time(settings, tmp_path):
    settings.DATA_DIR = tmp_path

    with up.lock_data_folder(), pytest.raises(CommandError, match="already runs"):
        up.lock_data_folder()
    with up.lock_data_folder() as lock:
        assert not lock.closed
