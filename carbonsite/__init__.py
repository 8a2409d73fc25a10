"""The site assembled: settings, routes and the Celery application."""

from carbonsite.celery import app as celery_app

__all__ = ["celery_app"]
