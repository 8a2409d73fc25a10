"""What the site forgets, and after how long: results only when its operator says so."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import AuditEntry
from benchmarks.models import IdempotencyKey, Run
from benchmarks.stored_files import delete_strays, stray_files

# A client that retries after a month has forgotten what it asked for.
IDEMPOTENCY_KEYS_KEPT = timedelta(days=30)
# An upload's file is there a moment before its row.
STRAY_FILES_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Leftover:
    """One kind of thing that need not be kept, how many there are, and how they are removed."""

    what: str
    rows: QuerySet

    @property
    def count(self) -> int:
        return self.rows.count()

    def remove(self) -> None:
        """Delete them, with all that hangs on them."""
        self.rows.delete()


def leftovers(*, failed_runs_kept: timedelta | None = None) -> Iterator[Leftover]:
    """Yield what may go now: nothing that anybody would miss, unless a time is given for it.

    ``failed_runs_kept`` is for failed and cancelled runs; runs with a result are never pruned.
    """
    now = timezone.now()
    yield Leftover("sessions that have expired", Session.objects.filter(expire_date__lt=now))
    alive = Session.objects.filter(expire_date__gte=now).values("session_key")
    log_ins = UserSession.objects.exclude(session_key__in=alive)
    yield Leftover("addresses and browsers of log-ins that are over", log_ins)
    keys = IdempotencyKey.objects.filter(created_at__lt=now - IDEMPOTENCY_KEYS_KEPT)
    yield Leftover("keys of requests made long ago", keys)
    kept = timedelta(days=settings.AUDIT_LOG_DAYS)
    yield Leftover("entries of the audit log", AuditEntry.objects.older_than(kept))
    if failed_runs_kept is not None:
        ended = Run.objects.filter(
            status__in=["failed", "cancelled"], finished_at__lt=now - failed_runs_kept
        )
        yield Leftover("failed and cancelled runs", ended)


def prune(*, failed_runs_kept: timedelta | None = None, is_rehearsal: bool = False) -> list[str]:
    """Delete what may go and return a line for each kind; a rehearsal deletes nothing."""
    told = []
    for leftover in leftovers(failed_runs_kept=failed_runs_kept):
        told.append(f"{leftover.count} {leftover.what}")
        if not is_rehearsal:
            leftover.remove()
    names = stray_files(older_than=STRAY_FILES_KEPT)
    told.append(f"{len(names)} stored files that no version needs")
    if not is_rehearsal:
        delete_strays(names)
    return told
