"""The periodic task that needs to know every app."""

from celery import shared_task

from bulktranscribe.integrity import storage_audit
from jobs import retention, trash
from jobs.notifications import delivery
from remoteworker import clock


@shared_task
def prune() -> None:
    """Tick: move expired sessions to Trash, permanently delete expired items, and remove orphaned files."""
    clock.follow("prune")
    retention.sweep()
    trash.purge()
    storage_audit.sweep()
    delivery.prune()
