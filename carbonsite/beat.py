"""The clock that rings for the sweep: it goes on when somebody moves the machine's."""

from time import monotonic
from typing import Any

from celery.beat import PersistentScheduler, ScheduleEntry


class SteadyScheduler(PersistentScheduler):
    """Celery's own, which after a clock is put back an hour would ring nothing for that hour.

    It keeps what comes next by the time of day, and the last time of each entry in its file.
    """

    def setup_schedule(self) -> None:
        """Read what ran last, in an earlier life."""
        super().setup_schedule()
        for entry in self.schedule.values():
            _not_in_future(entry)

    def is_due(self, entry: ScheduleEntry) -> Any:
        """Whether the entry's time has come, and how many seconds to look away."""
        _not_in_future(entry)
        return super().is_due(entry)

    def _when(self, entry: ScheduleEntry, next_time_to_run: float, **_: Any) -> float:
        """The place of the entry in the order of what comes next, on a clock that nobody moves."""
        return monotonic() + (self.adjust(next_time_to_run) or 0)


def _not_in_future(entry: ScheduleEntry) -> None:
    entry.last_run_at = min(entry.last_run_at, entry.default_now())
