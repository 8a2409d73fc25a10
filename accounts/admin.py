"""How administrators see people and their tokens; a token's secret is seen by nobody."""

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import admin as auth_admin

from accounts import audit
from accounts.models import ApiToken, AuditEntry, User


@admin.register(User)
class UserAdmin(auth_admin.UserAdmin):
    """People, newest first."""

    list_display = ["username", "email", "date_joined", "last_login", "is_active", "is_staff"]
    list_filter = ["is_active", "is_staff", "date_joined"]
    ordering = ["-date_joined"]


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    """Tokens to look at and to revoke; they are made by their owners only."""

    list_display = [
        *("name", "owner", "hint", "scope"),
        *("created_at", "expires_at", "last_used_at", "revoked_at"),
    ]
    list_filter = ["scope", "created_at", "revoked_at"]
    list_select_related = ["owner"]
    search_fields = ["name", "owner__username", "hint"]
    date_hierarchy = "created_at"
    actions = ["revoke"]

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    @admin.action(description="Revoke the selected tokens", permissions=["delete"])
    def revoke(self, request, queryset):
        for token in queryset:
            token.revoke()
            subject = f"{token} of {token.owner}"
            audit.note(
                audit.Action.TOKEN_REVOKED, actor=request.user, subject=subject, request=request
            )
        self.message_user(request, "Revoked. Whatever used these tokens is locked out now.")


# Their own pages show what logs in as somebody else: a factor's secret, a session's key.
admin.site.unregister([Authenticator, UserSession])


class KeyAdmin(admin.ModelAdmin):
    """What lets people in: whose it is, and a way to take it away; never the key itself."""

    list_select_related = ["user"]
    search_fields = ["user__username"]

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False


@admin.register(Authenticator)
class AuthenticatorAdmin(KeyAdmin):
    """Second factors; deleting one lets in again who has lost it."""

    fields = list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type", "created_at"]


@admin.register(UserSession)
class UserSessionAdmin(KeyAdmin):
    """Where people are logged in."""

    fields = list_display = ["user", "created_at", "last_seen_at", "ip", "user_agent"]


@admin.register(AuditEntry, LogEntry)
class LogAdmin(admin.ModelAdmin):
    """What happened, to be read and searched; nobody writes, changes or deletes it here."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def get_list_display(self, request):
        if self.model is LogEntry:
            return ["action_time", "user", "content_type", "object_repr", "get_change_message"]
        return ["at", "action", "actor_name", "subject", "address"]

    def get_search_fields(self, request):
        if self.model is LogEntry:
            return ["user__username", "object_repr"]
        return ["actor_name", "subject", "address"]

    def get_list_filter(self, request):
        return ["action_time", "action_flag"] if self.model is LogEntry else ["at", "action"]
