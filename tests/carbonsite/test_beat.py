"""The clock that rings for the sweep, while somebody moves the machine's."""

from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery

from carbonsite import beat
from carbonsite.beat import SteadyScheduler

pytestmark = pytest.mark.one_back_end
HOUR = timedelta(hours=1)


class Times:
    """Two clocks: one that tells the time of day, and may be moved, and one that only runs."""

    def __init__(self):
        self.day, self.run_s = datetime(2026, 11, 23, 12, tzinfo=UTC), 1000.0

    def pass_s(self, seconds):
        self.day += timedelta(seconds=seconds)
        self.run_s += seconds


@pytest.fixture
def times(monkeypatch):
    both = Times()
    monkeypatch.setattr(beat, "monotonic", lambda: both.run_s)
    return both


@pytest.fixture
def a_beat(times, tmp_path, monkeypatch):
    """A maker of schedulers that ring every 15 s, all with one file; ``rung`` has their bells."""
    app = Celery("test", set_as_current=False)
    app.conf.update(timezone="UTC", broker_url="memory://")
    app.conf.beat_schedule = {"sweep": {"task": "sweep", "schedule": 15.0}}
    monkeypatch.setattr(Celery, "now", lambda _: times.day)

    def make():
        scheduler = SteadyScheduler(app, schedule_filename=str(tmp_path / "beat"))
        scheduler.rung = []
        scheduler.producer = None
        scheduler.apply_entry = lambda entry, **_: scheduler.rung.append(times.run_s)
        return scheduler

    return make


def tick_for(scheduler, times, seconds):
    """Have the scheduler look as often as it wants, until so many seconds have passed."""
    end_s = times.run_s + seconds
    while times.run_s < end_s:
        # Celery gets up a hundredth of a second early, so as not to come late.
        times.pass_s(max(scheduler.tick(), 0.01))


def test_it_rings_every_15_seconds(a_beat, times):
    scheduler = a_beat()

    tick_for(scheduler, times, 150)

    assert len(scheduler.rung) == pytest.approx(10, abs=1)


@pytest.mark.parametrize("moved_by", [HOUR, -HOUR])
def test_a_clock_that_is_moved_an_hour_keeps_it_ringing(a_beat, times, moved_by):
    scheduler = a_beat()
    tick_for(scheduler, times, 40)
    scheduler.rung.clear()

    times.day += moved_by
    tick_for(scheduler, times, 60)

    assert len(scheduler.rung) in {3, 4, 5}


def test_a_clock_put_back_while_it_was_away_keeps_it_ringing_too(a_beat, times):
    before = a_beat()
    tick_for(before, times, 40)
    before.close()

    times.day -= HOUR
    after = a_beat()
    tick_for(after, times, 60)

    assert len(after.rung) in {3, 4, 5}
