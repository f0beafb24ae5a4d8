"""Celery's part of `jobs`: a tick, harmless to repeat, that looks in the database."""

from celery import shared_task

from jobs import sounds


@shared_task
def look_at_uploads() -> None:
    """Tick: what was uploaded is looked at."""
    sounds.look_at_new()
