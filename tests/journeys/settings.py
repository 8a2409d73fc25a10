"""The site's own settings, in a hurry: short measurements, and passwords that are hashed fast."""

from carbonsite.settings import *  # noqa: F403

MEASURING_S = 2.0
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
