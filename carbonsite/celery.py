"""The Celery application: the doorbell that tells workers to look into the database."""

import os

from celery import Celery

# carbonsite.logs connects to Celery's signals.
from carbonsite import broker, logs  # noqa: F401

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "carbonsite.settings")

broker.register()
app = Celery("carbonsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
