"""The folder broker loses and doubles nothing, whoever else is reading and writing."""

import json
import multiprocessing
import time
from pathlib import Path

import pytest
from kombu import Connection, Queue

from carbonsite import broker

# It is there where Redis is not.
pytestmark = pytest.mark.one_back_end
PUBLISHER_COUNT = 3
CONSUMER_COUNT = 2
MESSAGE_COUNT = 2400
DEADLINE_S = 60

broker.register()


def open_connection(folder: Path) -> Connection:
    options = {"folder": str(folder), "polling_interval": 0.005}
    return Connection("folder://", transport_options=options)


def publish(folder: Path, numbers: list[int]) -> None:
    with open_connection(folder) as connection:
        producer = connection.Producer()
        for number in numbers:
            producer.publish(number, routing_key="work", declare=[Queue("work")])


def consume(folder: Path, written_to: Path, all_taken) -> None:
    taken: list[int] = []

    def take(number, message):
        taken.append(number)
        message.ack()

    with (
        open_connection(folder) as connection,
        connection.Consumer(Queue("work"), callbacks=[take]),
    ):
        while not all_taken.is_set():
            try:
                connection.drain_events(timeout=0.2)
            except TimeoutError:
                continue
    written_to.write_text(json.dumps(taken))


def wait_until_taken(queue: Path, publishers) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if not any(one.is_alive() for one in publishers) and not any(queue.iterdir()):
            return
        time.sleep(0.05)
    pytest.fail("the messages were not taken in time")


@pytest.fixture
def rung():
    """This file rings real bells."""


def test_every_message_arrives_once_while_several_publish_and_several_take(tmp_path):
    context = multiprocessing.get_context("spawn")
    folder, all_taken = tmp_path / "broker", context.Event()
    answers = [tmp_path / f"taken-{number}.json" for number in range(CONSUMER_COUNT)]
    consumers = [
        context.Process(target=consume, args=(folder, answer, all_taken)) for answer in answers
    ]
    publishers = [
        context.Process(
            target=publish, args=(folder, list(range(start, MESSAGE_COUNT, PUBLISHER_COUNT)))
        )
        for start in range(PUBLISHER_COUNT)
    ]
    (folder / "work").mkdir(parents=True)

    for process in consumers + publishers:
        process.start()
    wait_until_taken(folder / "work", publishers)
    all_taken.set()
    for process in consumers + publishers:
        process.join(DEADLINE_S)

    taken = [number for answer in answers for number in json.loads(answer.read_text())]
    assert sorted(taken) == list(range(MESSAGE_COUNT))
    assert [process.exitcode for process in consumers + publishers] == [0] * 5


def test_messages_are_taken_in_the_order_they_were_sent(tmp_path):
    publish(tmp_path, [1, 2, 3])

    with open_connection(tmp_path) as connection:
        queue = connection.SimpleQueue("work")
        taken = [queue.get(timeout=1).payload for _ in range(3)]
        queue.close()

    assert taken == [1, 2, 3]


def test_a_message_half_written_is_not_seen(tmp_path):
    publish(tmp_path, [1])
    (tmp_path / "work" / ".00000000000000000001-half.json").write_text('{"bo')

    with open_connection(tmp_path) as connection:
        queue = connection.SimpleQueue("work")
        waiting_count = queue.qsize()
        queue.close()

    assert waiting_count == 1


def test_purging_a_queue_says_how_many_messages_it_held(tmp_path):
    publish(tmp_path, [1, 2, 3])

    with open_connection(tmp_path) as connection:
        purged_count = connection.default_channel.queue_purge("work")

    assert purged_count == 3
    assert not any((tmp_path / "work").iterdir())
