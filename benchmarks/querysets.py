"""The questions put to models, versions and runs: who may see what, and who may claim a run."""

import uuid
from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.querysets import OwnedQuerySet

# Leases, bells and signs of life are told by the clock of the database: workers' own may differ
# by hours.
LEASE = timedelta(seconds=60)
# No lease ends later, and nothing else is noted for a time to come: the clock has been put back.
FAR_AHEAD = 2 * LEASE
NO_TIME = timedelta()
MAX_ATTEMPTS = 3
# A heartbeat comes every 10 s; one that waited for a locked database comes late.
ALIVE_FOR = timedelta(seconds=45)
FORGOTTEN_AFTER = timedelta(days=1)
# What reading a version's file told of its inside: up to 4 MiB a row, for the pages about it.
CONTENTS = ("operators", "uncounted_operators", "inputs", "outputs")
CONTENTS_OF_VERSION = tuple(f"version__{name}" for name in CONTENTS)
# What a run under way must forget to be queued again.
QUEUED_AGAIN = {
    "status": "queued",
    "phase": "",
    "claim_token": None,
    "lease_expires_at": None,
    "started_at": None,
    "sample_count": 0,
}


def _lies_back(field: str, *, by: timedelta) -> Q:
    """Whether a moment lies back so far, or so far ahead that the clock has been put back."""
    now = Now()
    return Q(**{f"{field}__lt": now - by}) | Q(**{f"{field}__gt": now + FAR_AHEAD})


class ModelVersionQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Versions of the models that ``user`` may read."""
        if user.is_staff:
            return self
        return self.filter(Q(onnx_model__visibility="public") | Q(onnx_model__owner_id=user.pk))

    def editable_by(self, user):
        """Versions of the models that ``user`` may change."""
        return self.filter(onnx_model__owner_id=user.pk) if user.pk else self.none()

    def for_tables(self):
        """Versions as tables list them: without the operators and tensors of their files.

        The names of operators that nobody can count are shown beside the MACs, and few.
        """
        return self.defer(*(name for name in CONTENTS if name != "uncounted_operators"))

    def uninspected(self, *, waiting_longer_than):
        """Versions still waiting to be read, whose message may have been lost."""
        return self.filter(
            _lies_back("inspection_rung_at", by=waiting_longer_than), status="inspecting"
        )

    def stored_bytes(self, user) -> int:
        """Return how much of their quota the files of ``user`` use, in bytes.

        Versions with the same bytes share a file, which counts once.
        """
        files = self.filter(onnx_model__owner_id=user.pk).order_by().values("file", "size_bytes")
        total = files.distinct().aggregate(total=models.Sum("size_bytes"))
        return total["total"] or 0


class InputSetQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Real inputs that ``user`` may list and download: their own; staff those of all.

        A public model makes them no more public: they may hold what is nobody else's business.
        """
        return self if user.is_staff else self.editable_by(user)

    def editable_by(self, user):
        """Real inputs of the models that ``user`` may change."""
        return self.filter(onnx_model__owner_id=user.pk) if user.pk else self.none()

    def stored_bytes(self, user) -> int:
        """Return how much of their quota the real inputs of ``user`` use, in bytes."""
        total = self.filter(onnx_model__owner_id=user.pk).aggregate(total=models.Sum("size_bytes"))
        return total["total"] or 0


class OfAVersionQuerySet(OwnedQuerySet):
    """What somebody asked for about a version: as visible as its model, and the asker's own."""

    def visible_to(self, user):
        """Those of ``user``'s own models, of the public ones, and their own; staff read all."""
        if user.is_staff:
            return self
        return self.filter(
            Q(version__onnx_model__visibility="public")
            | Q(version__onnx_model__owner_id=user.pk)
            | Q(owner_id=user.pk)
        )


class SweepQuerySet(OfAVersionQuerySet):
    def with_counts(self):
        """Each sweep with how many runs it has, and how many of them are over and done."""
        is_open = Q(runs__status__in=["queued", "measuring"])
        return self.annotate(
            run_count=models.Count("runs"),
            open_count=models.Count("runs", filter=is_open),
            done_count=models.Count("runs", filter=Q(runs__status="done")),
        )


class RunQuerySet(OfAVersionQuerySet):
    def with_results(self):
        """Each run with all that its page or its JSON shows, in two queries or three.

        What its version's file is made of comes when it is asked for.
        """
        return (
            self.select_related(
                "version__onnx_model", "profile", "owner", "measurement", "evaluation", "input_set"
            )
            .prefetch_related("estimates__made_by")
            .defer(*CONTENTS_OF_VERSION)
        )

    def done(self):
        """Runs that have a result."""
        return self.filter(status="done")

    def apart(self):
        """Runs asked for one by one, not as one setting among many of a sweep."""
        return self.filter(sweep__isnull=True)

    def waiting(self):
        """Queued runs in the order in which they will be measured."""
        return self.filter(status="queued").order_by("turn_at", "id")

    def unanswered(self, *, waiting_longer_than):
        """Waiting runs whose message may have been lost, in their order."""
        return self.waiting().filter(_lies_back("rung_at", by=waiting_longer_than))

    def ahead_of(self, run):
        """Runs that will be measured before ``run``, the one under way included."""
        return self.filter(
            Q(status="measuring")
            | Q(status="queued", turn_at__lt=run.turn_at)
            | Q(status="queued", turn_at=run.turn_at, pk__lt=run.pk)
        )

    def claim(self, pk, *, worker_name):
        """Take a queued run for measuring; None when someone else already has it.

        One conditional UPDATE, so a message delivered twice measures once. The answer is
        the fencing token under which alone the result may be written.
        """
        now, claim_token = timezone.now(), uuid.uuid4()
        taken = self.filter(pk=pk, status="queued").update(
            status="measuring",
            phase="starting",
            sample_count=0,
            claim_token=claim_token,
            claimed_by=worker_name,
            lease_expires_at=Now() + LEASE,
            started_at=now,
            attempts=F("attempts") + 1,
        )
        return claim_token if taken == 1 else None

    def claim_next(self, *, worker_name):
        """Take the run whose turn it is; its id and fencing token, or None when none waits."""
        while (pk := self.waiting().values_list("pk", flat=True).first()) is not None:
            # Another worker may have been faster: then the next one's turn has come.
            if (claim_token := self.claim(pk, worker_name=worker_name)) is not None:
                return pk, claim_token
        return None

    def held(self, pk, claim_token):
        """The run, as long as ``claim_token`` still holds it."""
        return self.filter(pk=pk, status="measuring", claim_token=claim_token)

    def renew(self, pk, claim_token, *, phase, sample_count):
        """Prolong the lease and note the progress; False when the claim is lost."""
        return (
            self.held(pk, claim_token).update(
                lease_expires_at=Now() + LEASE, phase=phase, sample_count=sample_count
            )
            == 1
        )

    def hand_back(self, pk, claim_token):
        """Queue a run again that its worker may not finish; the attempt does not count."""
        return self.held(pk, claim_token).update(**QUEUED_AGAIN, attempts=F("attempts") - 1) == 1

    def try_again(self, pk, claim_token):
        """Queue a run again whose child was ended by something else than its model."""
        return self.held(pk, claim_token).update(**QUEUED_AGAIN) == 1

    def stalled(self):
        """Runs under way whose worker has let the lease run out."""
        return self.filter(_lies_back("lease_expires_at", by=NO_TIME), status="measuring")

    def requeue_stalled(self, pk):
        """Queue a stalled run again while it has attempts left; False when it has none."""
        retriable = self.stalled().filter(pk=pk, attempts__lt=MAX_ATTEMPTS)
        return retriable.update(**QUEUED_AGAIN) == 1

    def cancel(self, pk):
        """End a run that is not over; False when it was. Its worker notices at the next tick."""
        return (
            self.filter(pk=pk, status__in=["queued", "measuring"]).update(
                status="cancelled",
                phase="",
                finished_at=timezone.now(),
                claim_token=None,
                lease_expires_at=None,
            )
            == 1
        )


class WorkerQuerySet(models.QuerySet):
    def alive(self):
        """Workers whose last sign of life is recent."""
        return self.exclude(_lies_back("seen_at", by=ALIVE_FOR))

    def served_queues(self) -> set[str]:
        """Return the queues that a living worker takes work from."""
        return {
            queue for queues in self.alive().values_list("queues", flat=True) for queue in queues
        }

    def serving(self, queue) -> int:
        """Return how many living workers take work from ``queue``."""
        return sum(queue in queues for queues in self.alive().values_list("queues", flat=True))

    def forgotten(self):
        """Workers that ended without a word long ago."""
        return self.filter(seen_at__lt=Now() - FORGOTTEN_AFTER)
