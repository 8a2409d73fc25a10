"""Who uses the site, and the tokens with which their scripts speak for them."""

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.ids import new_id

TOKEN_PREFIX = "cs_"  # noqa: S105 (what every token begins with)
TOKEN_BYTES = 32
# A token used a thousand times a minute must not write a thousand rows a minute.
LAST_USED_PRECISION = timedelta(minutes=1)


class User(AbstractUser):
    """A person with an account."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)


def token_digest(secret: str) -> str:
    """Return what is stored of a token: a SHA-256, enough for 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def visible_to(self, user):
        """Tokens ``user`` may see: their own, staff or not."""
        return self.filter(owner_id=user.pk)

    editable_by = visible_to

    def usable(self):
        """Tokens that open a door now: neither revoked nor expired."""
        return self.filter(revoked_at__isnull=True).filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
        )

    def issue(self, *, owner, name, scope, expires_at=None):
        """Return a new token and its secret, which is never to be had again."""
        secret = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        token = self.create(
            owner=owner,
            name=name,
            scope=scope,
            expires_at=expires_at,
            digest=token_digest(secret),
            hint=secret[:7],
        )
        return token, secret


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def visible_to(self, user):
        """What ``user`` did; staff read all of it in the admin only."""
        return self.filter(actor_id=user.pk)

    def older_than(self, age: timedelta):
        """Entries that need not be kept longer."""
        return self.filter(at__lt=timezone.now() - age)


class ApiToken(models.Model):
    """A named key of one user's; only its digest is kept."""

    class Scope(models.TextChoices):
        READ = "read", "Read"
        WRITE = "write", "Read and write"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    scope = models.CharField(max_length=10, choices=Scope, default=Scope.WRITE)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(scope__in=["read", "write"]), name="api_token_scope_known"
            )
        ]

    def __str__(self):
        return f"{self.name} ({self.hint}…)"

    @property
    def can_write(self) -> bool:
        return self.scope == self.Scope.WRITE

    @property
    def is_usable(self) -> bool:
        """Whether the token opens a door now: neither revoked nor expired."""
        is_current = self.expires_at is None or self.expires_at > timezone.now()
        return self.revoked_at is None and is_current

    def note_use(self) -> None:
        """Remember that the token was used, to the minute."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at > LAST_USED_PRECISION:
            ApiToken.objects.filter(pk=self.pk).update(last_used_at=now)

    def revoke(self) -> None:
        """Close the token for good; the row stays, to show that it was there."""
        ApiToken.objects.filter(pk=self.pk, revoked_at__isnull=True).update(
            revoked_at=timezone.now()
        )


class AuditEntry(models.Model):
    """One thing that somebody did about who may come in and who may see what; never changed."""

    class Action(models.TextChoices):
        SIGNED_UP = "signed_up", "Signed up"
        LOGGED_IN = "logged_in", "Logged in"
        LOGGED_OUT = "logged_out", "Logged out"
        LOG_IN_FAILED = "log_in_failed", "Failed to log in"
        PASSWORD_CHANGED = "password_changed", "Changed the password"
        EMAIL_CHANGED = "email_changed", "Changed the e-mail address"
        FACTOR_ADDED = "factor_added", "Added a second factor"
        FACTOR_REMOVED = "factor_removed", "Removed a second factor"
        TOKEN_MADE = "token_made", "Made an API token"
        TOKEN_REVOKED = "token_revoked", "Revoked an API token"
        VISIBILITY_CHANGED = "visibility_changed", "Changed who may see something"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(default=timezone.now)
    action = models.CharField(max_length=20, choices=Action)
    actor = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="audit_entries"
    )
    # Kept as it was: the account may be renamed or deleted.
    actor_name = models.CharField(max_length=150, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    address = models.GenericIPAddressField(null=True)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit log"
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_newest_first"),
            models.Index(fields=["actor", "-at"], name="audit_of_an_actor"),
        ]

    def __str__(self):
        return f"{self.actor_name or 'somebody'}: {self.get_action_display()}"
