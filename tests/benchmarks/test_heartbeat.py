"""The sign of life by which the site knows that somebody will measure."""

import time
from datetime import timedelta

import pytest
from django.db import InterfaceError, connection
from django.db.models.functions import Now

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


@pytest.mark.parametrize("by", [-timedelta(minutes=1), timedelta(hours=1)])
def test_a_sign_of_life_from_long_ago_or_from_a_time_to_come_is_none(by):
    Worker.objects.create(
        name="measure@here", queues=["measure"], host="here", process_id=1, seen_at=Now() + by
    )

    assert Worker.objects.served_queues() == set()


def test_a_connection_that_breaks_does_not_end_the_heartbeat():
    def broken(*_):
        raise InterfaceError("connection already closed")

    heartbeat = Heartbeat("measure@here", ["measure"])

    with connection.execute_wrapper(broken):
        heartbeat._say()
    heartbeat._say()

    assert Worker.objects.alive().exists()
