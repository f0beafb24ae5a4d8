"""Celery tasks. A message is only a nudge: each task is short, idempotent, and reads the database."""

import logging
import time
from functools import partial
from typing import Any

from celery import Task, shared_task
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from jobs import batches
from remoteworker import clock
from remoteworker.attempts import dispatch, poll, push_transfer
from remoteworker.models import Attempt, Worker
from remoteworker.workers import registry

log = logging.getLogger(__name__)
_quiet_until = 0.0  # of this process, by its monotonic clock


def nudge(task: "Task[Any, Any]", *args: object, expires: float = 30.0) -> None:
    """Ask Celery to run a task soon. An unreachable broker is logged and ignored, since the next tick follows.

    After a timeout, the broker is skipped for a moment, so that a page that nudges twenty workers waits only once
    for a frozen Redis.
    """
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return
    try:
        task.apply_async(args=args, retry=False, expires=expires)
    except (OperationalError, OSError) as failure:
        _quiet_until = time.monotonic() + settings.BROKER_PAUSE_SECONDS
        log.warning("broker unreachable", extra={"task": task.name, "reason": type(failure).__name__})


def nudge_on_commit(task: "Task[Any, Any]", *args: object) -> None:
    """Nudge after the current transaction commits; never fails the caller."""
    wanted = partial(nudge, task, *args)
    waiting = transaction.get_connection().run_on_commit
    if any(isinstance(f, partial) and (f.func, f.args) == (nudge, wanted.args) for _, f, *_ in waiting):
        return  # once a transaction: canceling a hundred files is one message
    transaction.on_commit(wanted, robust=True)


@shared_task
def dispatch_queued() -> None:
    """Tick: claim queued files, then send one message per worker with attempts to dispatch, so that none waits for
    another."""
    clock.follow("dispatch_queued")
    if dispatch.assign():
        nudge(dispatch_queued)
    for worker in dispatch.workers_to_hand_over():
        nudge(hand_over, worker.pk)


@shared_task
def hand_over(worker_id: int) -> None:
    dispatch.hand_over(worker_id)


@shared_task
def poll_workers() -> None:
    """Tick: send one message for each worker to poll."""
    clock.follow("poll_workers")
    for worker in poll.workers_to_poll():
        nudge(poll_worker, worker.pk)
    for attempt in push_transfer.next_to_bring():
        nudge(bring_file, str(attempt.pk))


@shared_task
def bring_file(attempt_id: str) -> None:
    """Push mode: send some slices of a file; the next message or tick continues."""
    if push_transfer.bring(attempt_id):
        nudge(bring_file, attempt_id)


@shared_task
def poll_worker(worker_id: int) -> None:
    poll.poll_worker(worker_id)


@shared_task
def reap() -> None:
    """Tick: finish what was interrupted: changed worker settings, partial cancellations, and files on workers that
    are no longer polled."""
    clock.follow("reap")
    registry.sync_from_settings()
    batches.finish_cancels()
    for attempt in (
        Attempt.objects.filter(ended_at=None)
        .exclude(worker__in=Worker.usable())
        .select_related("worker", "job_input__job", "job_input__upload")
    ):
        poll.give_back_unpolled(attempt)
