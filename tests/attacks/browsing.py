"""How the cases of abuse use the site: as a browser, as a log-in."""

import re

from django.test import Client
from django.urls import reverse

from tests.people import PASSWORD

NOBODYS_ID = "0198f0a1-7c1e-7d44-9f2b-3a1f5c2e8b10"


def browser_of(user=None, **options):
    """A browser in which ``user`` is logged in; a fault of the site is an answer to it."""
    client = Client(raise_request_exception=False, **options)
    if user is not None:
        client.force_login(user)
    return client


def log_in(client, login="owner", password=PASSWORD, **more):
    return client.post(reverse("account_login"), {"login": login, "password": password, **more})


def plain(page):
    """The page without the tokens of its forms, and what was typed into them."""
    return re.sub(r'value="\w*"', "", re.sub(r"\w{64}", "", page))
