"""Somebody inside the attacked site, who tells how things stand there.

``python -m tests.attacks.insider`` reads lines of JSON, a function's name and its arguments, and
answers each with a line: the function's value, or the traceback of its failure.
"""

import json
import os
import sys
import time
import traceback
from contextlib import suppress
from functools import cache as once
from importlib import import_module

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "carbonsite.settings")
django.setup()

# Only now: these want Django's models.
from django.conf import settings  # noqa: E402
from django.contrib.auth import (  # noqa: E402
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
)
from django.contrib.auth.hashers import make_password  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.db import close_old_connections  # noqa: E402

from accounts.models import ApiToken, User  # noqa: E402
from benchmarks.folders import incoming_folder  # noqa: E402
from benchmarks.models import ModelVersion  # noqa: E402
from benchmarks.received import stored_bytes, sweep_incoming  # noqa: E402
from tests.faults import invariants  # noqa: E402
from tests.people import PASSWORD  # noqa: E402


@once
def hashed_password():
    """Everybody's password, as it is stored: hashing takes a third of a second on purpose."""
    return make_password(PASSWORD)


def new_user(name, *, is_staff=False):
    """Make a user; return a token and a session's key."""
    user = User.objects.create_user(name, email=f"{name}@example.org", is_staff=is_staff)
    user.password = hashed_password()
    user.save()
    _, secret = ApiToken.objects.issue(owner=user, name="attack", scope="write")
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return {"token": secret, "session": session.session_key, "id": str(user.pk)}


def stored_by(name):
    """How many bytes a user stores, how many models they have, and what their files are called."""
    user = User.objects.get(username=name)
    versions = ModelVersion.objects.filter(onnx_model__owner=user)
    return {
        "bytes": stored_bytes(user),
        "models": user.onnx_models.count(),
        "names": list(versions.values_list("original_name", flat=True)),
    }


def broken():
    """What does not hold (tests/faults/invariants.py)."""
    return invariants.broken()


def sweep_later():
    """Sweep as if it were three hours later; return how many unfinished uploads there were."""
    parts = list(incoming_folder().glob("*.part"))
    for part in parts:
        os.utime(part, (time.time() - 3 * 3600,) * 2)
    sweep_incoming()
    return len(parts)


def part_bytes():
    """How many bytes of unfinished uploads lie on the disk."""
    found = 0
    for part in incoming_folder().glob("*.part"):
        # Some go while they are looked for.
        with suppress(FileNotFoundError):
            found += part.stat().st_size
    return found


def forget_counts():
    """Have every limit start again."""
    cache.clear()


FUNCTIONS = {
    one.__name__: one
    for one in (new_user, stored_by, broken, sweep_later, part_bytes, forget_counts)
}


def main() -> None:
    """Answer until nobody asks any more."""
    for line in sys.stdin:
        question, arguments = json.loads(line)
        # As a request does: the database may have been away since the last question.
        close_old_connections()
        try:
            answer = {"value": FUNCTIONS[question](**arguments)}
        except Exception:  # noqa: BLE001 - whoever asked is told
            answer = {"failure": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
