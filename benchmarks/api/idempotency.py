"""How a retried POST gets back what the first one made: by its ``Idempotency-Key``."""

from collections.abc import Callable
from uuid import UUID

from django.db import IntegrityError, models, transaction
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError

from accounts.ids import new_id
from benchmarks.models import IdempotencyKey

HEADER = "Idempotency-Key"
MAX_KEY_LENGTH = 200
DRAIN_BYTES = 64 * 1024
KEY_PARAMETER = OpenApiParameter(
    HEADER,
    type={"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH, "pattern": "^[ -~]+$"},
    location=OpenApiParameter.HEADER,
    description=(
        "Any text of yours, new for each thing that you want made. The same key gives the same "
        "object back, so a request may be sent again when its answer got lost."
    ),
)


class Attempt:
    """One request to make something, which may be the second for the same thing."""

    def __init__(self, request, action: str):
        self.owner = request.user
        self.action = action
        self.key = _key_of(request)

    def earlier_id(self) -> UUID | None:
        """Return the id of what this key made before, if it did."""
        if self.key is None:
            return None
        return self._rows().values_list("object_id", flat=True).first()

    def make_once(self, make: Callable[[], models.Model]) -> UUID:
        """Return the id of what ``make`` makes, or of what the same key made meanwhile.

        The key's row comes first: of two requests at once, the database lets one pass and has
        the other wait until the first one's object is there, or is not to be.
        """
        if self.key is None:
            return make().pk
        try:
            with transaction.atomic():
                self._rows().create(object_id=new_id(), **self._place())
                made = make()
                self._rows().update(object_id=made.pk)
                return made.pk
        except IntegrityError:
            if (earlier_id := self.earlier_id()) is not None:
                return earlier_id
            raise

    def _place(self) -> dict:
        return {"owner": self.owner, "action": self.action, "key": self.key}

    def _rows(self):
        return IdempotencyKey.objects.filter(**self._place())


def drain(request) -> None:
    """Read a body to its end unseen, so that the client comes to hear the answer."""
    while request._request.read(DRAIN_BYTES):
        continue


def _key_of(request) -> str | None:
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise ValidationError(
            {HEADER: f"Use 1 to {MAX_KEY_LENGTH} letters, digits and signs of ASCII."}
        )
    return key
