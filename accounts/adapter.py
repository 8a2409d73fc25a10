"""How the account pages send their mail, and what they do when it does not go out."""

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib import messages

UNSENT = (
    "The e-mail could not be sent, because our mail server does not answer. "
    "Ask for it again in some minutes; everything else has been done."
)
logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """django-allauth's own, save that a mail server that is away breaks no page."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail; where it does not go out, tell the log why and the reader that."""
        try:
            super().send_mail(template_prefix, email, context)
        # smtplib's errors are OSErrors too. Who has an account gets mail and who has none gets
        # mail, so that nobody learns from this which is the case.
        except OSError:
            logger.exception("The mail %s could not be sent", template_prefix)
            messages.warning(self.request, UNSENT)
