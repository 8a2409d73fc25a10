"""The WSGI entry that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "carbonsite.settings")
django_application = get_wsgi_application()

# Only now: what they import wants Django's models.
from carbonsite.foreign_text import refuse_foreign_text  # noqa: E402
from carbonsite.whole_body import insist_on_whole_bodies  # noqa: E402

application = refuse_foreign_text(insist_on_whole_bodies(django_application))
