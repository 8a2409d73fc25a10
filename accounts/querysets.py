"""Who may see and change what belongs to somebody: the rule of every floor above."""

from django.db import models
from django.db.models import Q


class OwnedQuerySet(models.QuerySet):
    """Rows that have an ``owner``."""

    def editable_by(self, user):
        """Those that ``user`` may change: their own."""
        return self.filter(owner_id=user.pk) if user.pk else self.none()


class SharedQuerySet(OwnedQuerySet):
    """Rows whose ``owner`` says by their ``visibility`` who else may see them."""

    def visible_to(self, user):
        """Those that ``user`` may see: their own and the public ones; staff see all."""
        if user.is_staff:
            return self
        return self.filter(Q(visibility="public") | Q(owner_id=user.pk))
