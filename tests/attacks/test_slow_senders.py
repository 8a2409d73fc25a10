"""Attacks by patience: files sent so slowly that each holds one of the web server's threads."""

import json
import select
import socket
import threading

import pytest

from carbonsite.web_worker import PacedSocket, TooSlow
from tests.attacks.test_uploads import API, ORIGIN, PAGE, a_form
from tests.composed import wait_for

pytestmark = pytest.mark.one_back_end
SENT_AT_ONCE_BYTES = 100_000


def an_upload(door, path, *lines):
    """What comes of an upload that begins fast and goes on at 20 kB/s at most."""
    body, kind = a_form(bytes(400_000), csrf=True)
    head = door.head("POST", path, *lines, kind, ORIGIN, f"Content-Length: {len(body)}")
    with door.wire() as wire:
        wire.send(head, body[:SENT_AT_ONCE_BYTES])
        for start in range(SENT_AT_ONCE_BYTES, len(body), 1000):
            if select.select([wire.socket], [], [], 0.05)[0]:
                break
            wire.send(body[start : start + 1000])
        return wire.answer()


@pytest.mark.parametrize("path", [API, PAGE])
def test_a220_an_upload_that_dawdles_is_ended_and_told_so(impatient_door, newcomer, insider, path):
    who = newcomer()

    answer = an_upload(impatient_door, path, who.bearer if path == API else who.cookie)

    assert answer.status == 400
    assert b"came too slowly" in answer.body
    assert b"1 MB per second" in answer.body
    wait_for(lambda: insider.ask("part_bytes") == 0, "the rest to go", within_s=10)
    assert insider.ask("stored_by", name=who.name)["models"] == 0


def test_a221_a_page_that_sends_by_script_shows_the_reason(impatient_door, newcomer):
    answer = an_upload(impatient_door, PAGE, newcomer().cookie, "Accept: application/json")

    assert answer.status == 400
    assert "came too slowly" in json.loads(answer.body)["errors"]["file"][0]


def test_a222_a_trickle_uses_up_its_grace(settings):
    settings.UPLOAD_GRACE_S, settings.UPLOAD_SLOWEST_BYTES_PER_S = 0.3, 1_000_000
    ours, theirs = socket.socketpair()
    paced = PacedSocket(ours)
    is_over = threading.Event()

    def trickle():
        # Ten times the rate below which anybody is cut off.
        while not is_over.wait(0.01):
            theirs.send(b"a" * 400)

    def receive():
        for _ in range(500):
            paced.recv(1000)

    sender = threading.Thread(target=trickle)
    sender.start()
    try:
        with pytest.raises(TooSlow):
            receive()
    finally:
        is_over.set()
        sender.join()


def test_a223_bytes_earn_grace_back_and_no_more_than_there_was(settings):
    settings.UPLOAD_GRACE_S, settings.UPLOAD_SLOWEST_BYTES_PER_S = 5.0, 100_000
    ours, theirs = socket.socketpair()
    paced = PacedSocket(ours)
    # As if all but a tenth of a second of it had been used up.
    paced._grace_left_s = 0.1

    theirs.send(b"a" * 20_000)
    earned_s = len(paced.recv(20_000)) / 100_000
    late_s = paced._grace_left_s
    paced._grace_left_s = 4.99
    theirs.send(b"a" * 20_000)
    paced.recv(20_000)

    assert late_s == pytest.approx(0.1 + earned_s, abs=0.05)
    assert paced._grace_left_s == 5.0
