"""The sign of life by which the site knows that somebody will measure."""

import time

import pytest

from benchmarks.heartbeat import Heartbeat
from benchmarks.models import Worker

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_worker_is_on_the_list_while_it_lives():
    heartbeat = Heartbeat("measure@here", ["measure"])

    heartbeat.start()
    deadline_s = time.monotonic() + 20
    while not Worker.objects.alive().exists() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    served = Worker.objects.served_queues()
    heartbeat.stop()

    assert served == {"measure"}
    assert not Worker.objects.exists()
