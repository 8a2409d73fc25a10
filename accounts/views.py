"""The pages on which people look after their account and their API tokens."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import audit
from accounts.forms import TokenForm
from accounts.models import ApiToken, AuditEntry

ACTIVITY_SHOWN = 15


@login_required
@require_safe
def account_settings(request):
    """Everything about one's account on one page, each with its state."""
    authenticators = Authenticator.objects.filter(user=request.user)
    return render(
        request,
        "accounts/settings.html",
        {
            "email_address": EmailAddress.objects.get_primary(request.user),
            "has_app": authenticators.filter(type=Authenticator.Type.TOTP).exists(),
            "passkey_count": authenticators.filter(type=Authenticator.Type.WEBAUTHN).count(),
            "session_count": len(UserSession.objects.purge_and_list(request.user)),
            "token_count": ApiToken.objects.visible_to(request.user).usable().count(),
            "activity": AuditEntry.objects.visible_to(request.user)[:ACTIVITY_SHOWN],
        },
    )


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request):
    """List one's tokens; a new one's secret is in the answer to its POST and nowhere else."""
    form = TokenForm(request.POST or None)
    token = secret = None
    if request.method == "POST" and form.is_valid():
        token, secret = ApiToken.objects.issue(
            owner=request.user,
            name=form.cleaned_data["name"],
            scope=form.cleaned_data["scope"],
            expires_at=form.expires_at(),
        )
        audit.note(audit.Action.TOKEN_MADE, actor=request.user, subject=str(token), request=request)
        form = TokenForm()
    return render(
        request,
        "accounts/tokens.html",
        {
            "form": form,
            "new_token": token,
            "secret": secret,
            "tokens": ApiToken.objects.visible_to(request.user),
            "api_url": request.build_absolute_uri(reverse("api-root")),
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def token_revoke(request, pk):
    """Ask, then close the token for good."""
    token = get_object_or_404(ApiToken.objects.editable_by(request.user), pk=pk)
    if request.method != "POST":
        return render(request, "accounts/token_revoke.html", {"token": token})
    token.revoke()
    audit.note(audit.Action.TOKEN_REVOKED, actor=request.user, subject=str(token), request=request)
    messages.success(request, f"“{token.name}” is revoked. Whatever used it is locked out now.")
    return redirect("tokens")
