"""Celery tasks of `jobs`: idempotent ticks that check the database."""

from celery import shared_task

from jobs.media import audio_analysis, renditions
from jobs.notifications import delivery, outbox


@shared_task
def look_at_uploads() -> None:
    """Tick: analyze new uploads."""
    audio_analysis.look_at_new()


@shared_task
def make_playable_copies() -> None:
    """Tick: create missing playable copies."""
    renditions.make_missing()


@shared_task
def tell_ends() -> None:
    """Tick: send notifications about finished jobs."""
    outbox.notice_all()
    delivery.deliver_due()
