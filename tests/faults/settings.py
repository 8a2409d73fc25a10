"""The site's own settings, with measurements short enough for a case each."""

from carbonsite.settings import *  # noqa: F403

MEASURING_S = 2.0
