"""What people type about themselves: a sign-up, and a new API token."""

from datetime import datetime, timedelta

from allauth.account import forms as allauth_forms
from django import forms
from django.utils import timezone

from accounts.models import ApiToken

NEVER = "never"
# Days, as text from the form.
LIFETIMES = [("30", "30 days"), ("90", "90 days"), ("365", "1 year"), (NEVER, "Never expires")]


class SignupForm(allauth_forms.SignupForm):
    """The sign-up of django-allauth, with what to know said before one types."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = "Letters, digits and @ . + - _"
        self.fields["email"].label = "E-mail"
        self.fields["email"].help_text = "Only needed to reset a forgotten password."
        self.fields["password2"].label = "The same password again"
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class TokenForm(forms.Form):
    """A new API token: what it is for, what it may do, how long it lives."""

    name = forms.CharField(
        max_length=ApiToken._meta.get_field("name").max_length,
        help_text="What will use it, so that you know later which one to revoke.",
    )
    scope = forms.ChoiceField(
        label="What it may do",
        choices=[
            (ApiToken.Scope.READ, "Read: look at models, runs and profiles"),
            (ApiToken.Scope.WRITE, "Read and write: also upload models and start runs"),
        ],
        widget=forms.RadioSelect,
        initial=ApiToken.Scope.READ,
    )
    lifetime = forms.ChoiceField(label="Valid for", choices=LIFETIMES, initial="90")

    def expires_at(self) -> datetime | None:
        """Return when the token asked for ends; None is never."""
        days = self.cleaned_data["lifetime"]
        return timezone.now() + timedelta(days=int(days)) if days != NEVER else None
