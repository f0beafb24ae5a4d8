"""Receivers of the signals of `jobs`: an input was queued or canceled."""

from typing import Any

from django.dispatch import receiver

from jobs.models import JobInput
from jobs.signals import input_canceled, input_queued
from remoteworker import tasks
from remoteworker.models import Attempt


@receiver(input_queued)
def nudge_dispatch(**kwargs: Any) -> None:
    """Do not wait for the next tick."""
    tasks.nudge_on_commit(tasks.dispatch_queued)


@receiver(input_canceled)
def fence_attempt(job_input: JobInput, **kwargs: Any) -> None:
    """Close the attempt in the same transaction; its worker is told until it confirms."""
    attempt = job_input.attempts.filter(ended_at=None).first()
    if attempt is not None:
        attempt.end(Attempt.Outcome.CANCELED, tell_worker=True)
        tasks.nudge_on_commit(tasks.poll_worker, attempt.worker_id)
