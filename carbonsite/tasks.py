"""What the clock asks for that concerns the whole site."""

import logging

from celery import shared_task

from carbonsite import retention

logger = logging.getLogger(__name__)


@shared_task(expires=3600)
def prune():
    """Forget what nobody would miss, once a day."""
    logger.info("Pruned: %s", "; ".join(retention.prune()))
