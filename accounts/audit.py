"""What is written into the audit log, and when: log-ins, keys, and who may see what."""

from allauth.account import signals as account
from allauth.account.adapter import get_adapter
from allauth.mfa import signals as mfa
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.core.exceptions import PermissionDenied
from django.dispatch import receiver

from accounts.models import AuditEntry

Action = AuditEntry.Action
MAX_SUBJECT_LENGTH = 200


def note(action: str, *, actor=None, subject: str = "", request=None) -> AuditEntry:
    """Write that ``actor`` (None for somebody unknown) did ``action`` to ``subject``."""
    return AuditEntry.objects.create(
        action=action,
        actor=actor,
        actor_name=actor.get_username() if actor else "",
        subject=subject[:MAX_SUBJECT_LENGTH],
        address=_address_of(request),
    )


def note_visibility(thing, *, actor) -> None:
    """Write that ``thing``, about to be saved, will be seen by others than before."""
    stored = type(thing)._base_manager.filter(pk=thing.pk).values_list("visibility", flat=True)
    before = stored.first()
    if before not in (None, thing.visibility):
        kind = thing._meta.verbose_name
        subject = f"{kind} “{thing.name}” ({thing.pk}): {before} to {thing.visibility}"
        note(Action.VISIBILITY_CHANGED, actor=actor, subject=subject)


def _address_of(request) -> str | None:
    if request is None:
        return None
    try:
        return get_adapter().get_client_ip(request)
    # A request without an address, or with fewer proxies than the settings say.
    except PermissionDenied:
        return None


# allauth's and Django's signals are the only word they give of these moments.
@receiver(account.user_logged_in)
def note_log_in(request, user, **_):
    note(Action.LOGGED_IN, actor=user, request=request)


@receiver(user_logged_out)
def note_log_out(request, user, **_):
    if user is not None:
        note(Action.LOGGED_OUT, actor=user, request=request)


@receiver(user_login_failed)
def note_failed_log_in(credentials, request=None, **_):
    # The name only: people type passwords into the wrong field, but never so that both are here.
    tried = str(credentials.get("username") or credentials.get("email") or "")
    note(Action.LOG_IN_FAILED, subject=tried.replace("\0", ""), request=request)


@receiver(account.user_signed_up)
def note_sign_up(request, user, **_):
    note(Action.SIGNED_UP, actor=user, request=request)


@receiver([account.password_set, account.password_changed, account.password_reset])
def note_password(request, user, **_):
    note(Action.PASSWORD_CHANGED, actor=user, request=request)


@receiver(account.email_changed)
def note_email(request, user, to_email_address, **_):
    note(Action.EMAIL_CHANGED, actor=user, subject=to_email_address.email, request=request)


@receiver(mfa.authenticator_added)
def note_factor_added(request, user, authenticator, **_):
    note(Action.FACTOR_ADDED, actor=user, subject=authenticator.type, request=request)


@receiver(mfa.authenticator_removed)
def note_factor_removed(request, user, authenticator, **_):
    note(Action.FACTOR_REMOVED, actor=user, subject=authenticator.type, request=request)
