"""What a public id is: a UUID of version 7, so that ids sort by the time they were made."""

import uuid

from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """Return a new id, later ones sorting after earlier ones."""
    return uuid7()
