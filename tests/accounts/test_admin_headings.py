"""What the admin's first page calls its parts."""

import re

import pytest
from django.urls import reverse

from tests.people import admin

pytestmark = pytest.mark.django_db


def test_every_part_of_the_admin_has_a_title_of_its_own(client):
    client.force_login(admin())

    page = client.get(reverse("admin:index")).text

    titles = re.findall(r'class="section"[^>]*>\s*([^<]+?)\s*<', page)
    assert {"Accounts", "People and tokens"} <= set(titles)
    assert len(titles) == len(set(titles))
