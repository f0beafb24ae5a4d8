"""Dispatches inputs to workers: claim (conditional UPDATE), request, record the outcome (conditional UPDATE)."""

import logging
import time
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from gpu_worker.shared.protocol import ERRORS
from jobs.models import Job, JobInput, Session
from jobs.statuses import LOST_CODES, Event
from remoteworker import clock
from remoteworker.attempts import job_requests
from remoteworker.models import ASSIGNING, HANDING_OVER, Attempt, Tick, Worker
from remoteworker.scheduling import queue, scheduler
from remoteworker.workers import capacity, health, registry
from remoteworker.workers.client import JobNotFound, WorkerBusy, WorkerError, WorkerRefused, WorkerUnavailable

log = logging.getLogger(__name__)
ACTOR = "controller"
QUEUED_AGAIN = queue.CLEARED
ASSIGN_SECONDS = 0.1  # of claiming, until a tick lets the next one go on
CLAIMS = 20  # of one kind in a tick; what is looked at for more would have to be looked at again


def assign() -> bool:
    """Claim queued inputs for workers with free slots; return whether it stopped with more to claim.

    Only one process at a time: two would both count the same free slots.
    """
    assignment = Tick.objects.filter(name="assign")
    Tick.objects.get_or_create(name="assign", defaults={"at": clock.now()})
    if not ASSIGNING.claim(assignment, at=clock.now()):
        return False
    try:
        more = [_assign(kind) for kind in Worker.Kind]  # each kind has its turn
        return any(more)
    finally:
        ASSIGNING.release(assignment)


def _assign(kind: Worker.Kind) -> bool:
    candidates = capacity.candidates(kind)
    if not any(box.free for box in candidates):
        return False
    room = min(CLAIMS, sum(box.free for box in candidates))
    limits = queue.Limits.of(kind, candidates)
    waiting = {entry.pk: entry for entry in queue.next_up(kind, room + queue.PASSED_OVER, limits)}
    workers = Worker.objects.in_bulk([box.worker_id for box in candidates])
    files = queue.files(waiting.values(), limits)
    deadline = time.monotonic() + ASSIGN_SECONDS
    for number, (file, box) in enumerate(scheduler.plan(files, candidates), start=1):
        claim(waiting[file.input_id], workers[box.worker_id])
        if number >= CLAIMS or time.monotonic() > deadline:
            return True
    return False


def claim(job_input: JobInput, worker: Worker) -> Attempt | None:
    """Claim a queued input for a worker with a new attempt; None if another process was faster."""
    now = clock.now()
    with transaction.atomic():
        claimed = job_input.move_to(
            Event.CLAIMED,
            actor=ACTOR,
            attempt_count=F("attempt_count") + 1,
            worker_name=worker.name,
            stage="",
            percent=0.0,
        )
        if not claimed:
            return None
        Session.objects.filter(jobs=job_input.job_id).update(served_at=now)
        replaced = job_input.attempts.filter(error_code__in=LOST_CODES)
        replaced.update(cancel_pending=True)  # until now its result would have been welcome
        return Attempt.objects.create(
            job_input=job_input,
            worker=worker,
            number=job_input.attempt_count,
            created_at=now,
            deadline_at=now + timedelta(seconds=worker.seconds_for_a_file(worker.active_attempts().count())),
            is_push=worker.kind == Worker.Kind.REMOTE and settings.REMOTE_WORKER_UPLOAD_MODE == "push",
        )


def workers_to_hand_over() -> QuerySet[Worker]:
    """Return the workers with attempts to dispatch, for the first time or again."""
    return Worker.usable().filter(attempts__in=_unanswered()).distinct()


def hand_over(worker_id: int) -> None:
    """Dispatch claimed attempts to a worker, and repeat unanswered ones. One process per worker at a time."""
    row = Worker.objects.filter(pk=worker_id)
    if not HANDING_OVER.claim(row):
        return
    try:
        tried: set[object] = set()
        while worker := Worker.usable().filter(pk=worker_id).first():
            batch = [attempt for attempt in _unanswered().filter(worker=worker) if attempt.pk not in tried]
            if not batch or not _hand_over(batch, worker):
                return
            tried |= {attempt.pk for attempt in batch}
    finally:
        HANDING_OVER.release(row)


def _hand_over(batch: Iterable[Attempt], worker: Worker) -> bool:
    """Send each attempt; once the worker does not respond or is at capacity, requeue the unsent ones."""
    goes_on = True
    for attempt in batch:
        if goes_on:
            goes_on = send(attempt, worker)
        elif attempt.sent_at is None:
            push_back(attempt, settings.BUSY_SECONDS)
    return goes_on


def _unanswered() -> QuerySet[Attempt]:
    patience = clock.now() - timedelta(seconds=settings.CALL_SECONDS)
    return (
        Attempt.objects.filter(Q(sent_at=None) | Q(sent_at__lt=patience), ended_at=None, worker_job_id="")
        .select_related("job_input__job", "job_input__upload", "worker")
        .order_by("created_at")
    )


def send(attempt: Attempt, worker: Worker) -> bool:
    """Dispatch an attempt; return False if the worker accepts no others now. Idempotent: its id is the key."""
    if not attempt.job_input.upload.path.exists():
        _refuse(attempt, "UPLOAD_MISSING", ERRORS["UPLOAD_MISSING"].sentence)
        return True
    if not Attempt.objects.filter(pk=attempt.pk, ended_at=None).update(sent_at=clock.now()):
        return True  # canceled or moved since the list was read
    fields = {"worker": worker.name, "attempt": attempt.number, "inputId": str(attempt.job_input_id)}
    log.info("dispatch", extra=fields)
    try:
        with registry.client_of(worker) as client:
            request = job_requests.job_request(attempt, worker)
            worker_job_id, _status = client.create_job(request, str(attempt.pk))
    except WorkerError as failure:
        log.warning("dispatch failed", extra={**fields, "reason": str(failure)})
        _after_failure(attempt, worker, failure)
        return not isinstance(failure, WorkerUnavailable | WorkerBusy)
    log.info("dispatched", extra={**fields, "workerJobId": worker_job_id})
    capacity.note_taken(worker)
    accept(attempt, worker_job_id)
    return True


def accept(attempt: Attempt, worker_job_id: str, *, is_answer: bool = True) -> bool:
    """Record the worker's job id and that it is running; False if the attempt has ended or has a different id.

    The response to the dispatch is authoritative: an id that was adopted from a write-back in the meantime is
    replaced, and that job is told to stop when it writes again. A response that arrives too late stops the job on
    the worker, so that nothing runs twice.
    """
    now = clock.now()
    with transaction.atomic():
        Job.lock(attempt.job_input.job_id)
        row = Attempt.objects.filter(pk=attempt.pk)
        if not is_answer:
            row = row.filter(worker_job_id__in=("", worker_job_id))
        bound = row.filter(ended_at=None).update(
            worker_job_id=worker_job_id,
            accepted_at=now,
            last_contact_at=now,
            lease_until=now + timedelta(seconds=settings.LEASE_SECONDS),
        )
        if bound:
            attempt.job_input.move_to(
                Event.ACCEPTED,
                actor=attempt.worker.name,
                attempt=attempt.number,
                stage="queued",
                started_at=now,
                remote_last_error=None,
                tries=F("tries") + 1,
            )
        else:
            # canceled while the call was under way: the worker took a job that nobody wants
            unwanted = row.exclude(worker_job_id=worker_job_id).exclude(outcome=Attempt.Outcome.COMPLETE)
            unwanted.update(worker_job_id=worker_job_id, cancel_pending=True)
    attempt.refresh_from_db()
    return bool(bound)


def push_back(attempt: Attempt, seconds: float, error: dict[str, str] | None = None) -> None:
    """Requeue the input for later; this does not count as an attempt.

    A worker that received it before, but whose response was lost, is told to stop.
    """
    attempt.finish(
        Event.PUSHED_BACK,
        Attempt.Outcome.SUPERSEDED,
        actor=ACTOR,
        tell_worker=attempt.sent_at is not None,
        not_before=clock.now() + timedelta(seconds=seconds),
        worker_name="",
        remote_last_error=error,
    )


def move_away(attempt: Attempt, actor: str, reason: str) -> bool:
    """Withdraw an input from its worker for another one, fenced immediately; this does not count as an attempt."""
    return attempt.finish(
        Event.MOVED,
        Attempt.Outcome.SUPERSEDED,
        actor=actor,
        message=reason,
        attempt_code=queue.MOVED,
        tell_worker=True,
        not_before=None,
        **QUEUED_AGAIN,
    )


def move_all(attempts: QuerySet[Attempt], actor: str, reason: str) -> int:
    """Withdraw inputs from their workers for other ones; return how many. Ended inputs are not touched."""
    active = attempts.filter(ended_at=None).select_related("job_input__job", "worker")
    return sum(move_away(attempt, actor, reason) for attempt in active)


def may_try_again(attempt: Attempt) -> bool:
    """Return whether another automatic attempt is allowed; superseded attempts do not count."""
    job_input = JobInput.objects.get(pk=attempt.job_input_id)
    counted = job_input.attempts.filter(number__gt=job_input.tries_from)
    used = counted.exclude(outcome=Attempt.Outcome.SUPERSEDED).count()
    return used < settings.REMOTE_WORKER_MAX_ATTEMPTS


def _after_failure(attempt: Attempt, worker: Worker, failure: WorkerError) -> None:
    if isinstance(failure, WorkerRefused):
        _refuse(attempt, failure.code, failure.message)
    elif isinstance(failure, WorkerBusy):
        capacity.note_busy(worker, failure.retry_after)
        push_back(attempt, settings.BUSY_SECONDS)  # the worker waits longer, the file may go to another one
    elif isinstance(failure, WorkerUnavailable | JobNotFound):
        health.note_failure(worker, "UNREACHABLE", str(failure))
        error = {"code": "UNREACHABLE", "message": str(failure)}
        JobInput.objects.filter(pk=attempt.job_input_id).update(remote_last_error=error)
        if getattr(failure, "is_unsent", False):
            push_back(attempt, settings.BUSY_SECONDS, error)
        elif clock.now() - attempt.created_at > timedelta(seconds=settings.DISPATCH_TIMEOUT_SECONDS):
            _give_up(attempt)


def _refuse(attempt: Attempt, code: str, message: str) -> None:
    error = {"code": code, "message": message}
    attempt.finish(
        Event.REFUSED,
        Attempt.Outcome.FAILED,
        actor=attempt.worker.name,
        code=code,
        message=message,
        remote_last_error=error,
    )


def _give_up(attempt: Attempt) -> None:
    code = "REMOTE_DISPATCH_TIMEOUT"
    message = ERRORS[code].sentence
    event, changes = Event.DISPATCH_TIMED_OUT, {}
    if may_try_again(attempt):
        event, changes = Event.REQUEUED, {**QUEUED_AGAIN, "not_before": None}
    attempt.finish(
        event, Attempt.Outcome.FAILED, actor=ACTOR, code=code, message=message, tell_worker=True, **changes
    )
