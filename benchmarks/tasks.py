"""The doorbell: each task carries an id at most, makes one call and brings nothing back."""

import logging

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from kombu.exceptions import OperationalError

from benchmarks import cage, execution, folders, inspection, received
from benchmarks.heartbeat import Heartbeat
from benchmarks.models import Worker

logger = logging.getLogger(__name__)
_heartbeats: list[Heartbeat] = []


@worker_ready.connect
def begin_the_heartbeat(sender, **_):
    heartbeat = Heartbeat(sender.hostname, sender.app.amqp.queues.consume_from)
    _heartbeats.append(heartbeat)
    heartbeat.start()


@worker_shutdown.connect
def end_the_heartbeat(**_):
    while _heartbeats:
        _heartbeats.pop().stop()


@worker_shutting_down.connect
def hand_back_the_run_under_way(**_):
    execution.worker_is_stopping.set()


@worker_ready.connect
def try_the_cage(sender, **_):
    if "measure" in sender.app.amqp.queues.consume_from:
        cage.announce()


@shared_task
def inspect_version(version_id):
    inspection.inspect(version_id)


@shared_task
def measure_run(run_id):
    if execution.execute(run_id):
        ring(measure_run, run_id)


# So that a while without workers leaves no flood; longer than clocks of two machines differ.
@shared_task(expires=2 * 3600)
def sweep():
    """Ring again for what nobody picked up, hand on what was dropped, throw away leftovers."""
    for run_id in execution.reap_stalled() + execution.unanswered():
        ring(measure_run, run_id)
    for version_id in inspection.unanswered():
        ring(inspect_version, version_id)
    received.sweep_incoming()
    folders.sweep_work()
    execution.sweep_leftovers()
    Worker.objects.forgotten().delete()


def ring(task, row_id) -> None:
    """Tell the workers of a row; when the broker is down or full, the sweep tells them later."""
    try:
        task.delay(str(row_id))
    except (OperationalError, OSError):
        logger.warning("The broker did not take %s(%s); the sweep will.", task.name, row_id)
