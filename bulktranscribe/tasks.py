"""The periodic task that needs to know every app."""

from celery import shared_task

from bulktranscribe import audit
from remoteworker import clock


@shared_task
def prune() -> None:
    """Tick: what belongs to nobody any more leaves the disk."""
    clock.follow("prune")
    audit.sweep()
