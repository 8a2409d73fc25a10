"""The Celery application: the doorbell that tells workers to look into the database."""

import os

from celery import Celery

from carbonsite import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "carbonsite.settings")

broker.register()
app = Celery("carbonsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
