"""Celery's part of `jobs`: ticks, harmless to repeat, that look in the database."""

from celery import shared_task

from jobs.media import audio_analysis, renditions
from jobs.notifications import delivery, outbox


@shared_task
def look_at_uploads() -> None:
    """Tick: what was uploaded is looked at."""
    audio_analysis.look_at_new()


@shared_task
def make_playable_copies() -> None:
    """Tick: what browsers cannot play gets a copy."""
    renditions.make_missing()


@shared_task
def tell_ends() -> None:
    """Tick: whoever wants to know is told that a job has ended."""
    outbox.notice_all()
    delivery.deliver_due()
