"""Celery tasks. A message is only a nudge: each task is short, idempotent, and reads the database.

How a file gets from queued to committed, with the task, the function, and the status that it leaves:

1. `jobs.batches.create_job` stores the job and sends a signal; `receivers.nudge_dispatch` sends the first message.
   A tick every REMOTE_WORKER_POLL_SECONDS does the same. (queued)
2. `dispatch_queued` runs `dispatch.assign`: `queue.next_up` says which files are next, `scheduler.plan` which
   worker takes each, and `dispatch.claim` makes the attempt. (dispatching)
3. `hand_over`, one per worker, runs `dispatch.hand_over`: `dispatch.send` posts the job, and `dispatch.accept` stores
   the worker's ID for it. (running; or queued again by `dispatch.push_back` if the worker is full or unreachable)
4. `bring_file`, in push mode only, runs `push_transfer.bring`: the file is sent in slices. Otherwise the worker
   downloads it from `views.worker_input`. (running)
5. `poll_workers` sends one message per worker; `poll_worker` runs `poll.poll_worker`: it asks the worker,
   `leases.decide` judges the answer, and `apply.observations` renews the lease and stores the progress, or ends the
   attempt. (running; or failed, or queued again if another attempt is allowed)
6. The worker sends its documents to `views.worker_outputs`, where `results.stage` stores them. In push mode
   `push_transfer.follow` downloads them during a poll. (running)
7. The worker reports the end to `views.worker_complete`: `results.finish` commits the result exactly once, in the
   transaction that ends the attempt. In push mode `push_transfer.follow` does. (complete)

`reap` finishes what a killed process left halfway. A cancel ends the attempt in the transaction of the click
(`receivers.fence_attempt`); `poll.pass_on_cancels` tells the worker afterwards.
"""

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
