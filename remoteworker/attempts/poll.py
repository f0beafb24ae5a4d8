"""Polls workers for the status of their attempts and delivers cancellations. `apply` interprets the responses."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from django.conf import settings
from django.db import transaction
from django.db.models import F

from gpu_worker.shared.protocol import MAX_JOBS_ASKED
from jobs.models import Job, JobInput
from jobs.statuses import InputStatus
from remoteworker import clock
from remoteworker.attempts import apply, dispatch, job_requests, leases, push_transfer
from remoteworker.attempts.leases import Observation
from remoteworker.models import POLLING, Attempt, Worker
from remoteworker.workers import health, registry
from remoteworker.workers.client import (
    JobNotFound,
    NotAStatus,
    WorkerBusy,
    WorkerClient,
    WorkerError,
    WorkerRefused,
)

log = logging.getLogger(__name__)


def workers_to_poll() -> list[Worker]:
    """Return the workers with active attempts, pending cancellations, or a due ping."""
    now = clock.now()
    waits = JobInput.objects.filter(status=InputStatus.QUEUED).exists()
    return [worker for worker in registry.enabled_workers() if _is_due(worker, now, waits)]


def _is_due(worker: Worker, now: datetime, waits: bool) -> bool:
    """Return whether to poll a worker now. `worker` comes from enabled_workers."""
    since = now - worker.checked_at if worker.checked_at is not None else None
    if (
        since is None or since >= timedelta(seconds=settings.PING_SECONDS) or since < timedelta(0)
    ):  # the clock went back
        return True
    if worker.is_circuit_open and since < timedelta(seconds=settings.PROBE_SECONDS):
        return False
    if worker.active or worker.pending:  # type: ignore[attr-defined]  # annotated
        return True
    if worker.is_connected:
        return not worker.models_at_hand  # it is still loading them
    return waits


def poll_worker(worker_id: int) -> None:
    """Poll all attempts of one worker; an unresponsive worker is probed once for all of them.

    One poller a worker: the messages for a frozen one must not pile up and hold every thread.
    """
    row = Worker.objects.filter(pk=worker_id)
    if not POLLING.claim(row):
        return
    try:
        _poll(Worker.objects.get(pk=worker_id))
    finally:
        POLLING.release(row, polled_at=clock.now())


def _poll(worker: Worker) -> None:
    was_awake = _grant_unwatched(worker)
    running = list(
        worker.active_attempts()
        .exclude(worker_job_id="")
        .select_related("job_input__job", "job_input__upload", "worker")
    )
    is_reachable = _ping_if_due(worker)
    with registry.client_of(worker) as client:
        if is_reachable:
            pass_on_cancels(worker, client)
        seen = _observe(running, client, worker) if is_reachable else {}
        silence = Observation(reason=_reason(worker))
        judged: list[tuple[Attempt, Observation]] = []
        for attempt in running:
            observation = replace(seen.get(attempt.pk, silence), was_awake=was_awake)
            status = observation.status
            if not (attempt.is_push and status is not None and push_transfer.follow(attempt, status, client)):
                judged.append((attempt, observation))
    apply.observations(judged, clock.now())


def _grant_unwatched(worker: Worker) -> bool:
    """Extend leases by the time during which the worker was not polled; return whether there was none.

    A lease that expired while the controller was suspended means nothing: every attempt is polled once before any
    expires.
    """
    gap = leases.unwatched(worker.polled_at, clock.now(), timedelta(seconds=settings.AWAKE_SECONDS))
    if not gap:
        return True
    log.warning("nobody polled", extra={"worker": worker.name, "seconds": round(gap.total_seconds(), 1)})
    accepted = worker.active_attempts().exclude(worker_job_id="")
    given = {name: F(name) + gap for name in ("lease_until", "deadline_at", "outputs_due_at")}
    with transaction.atomic():
        Job.lock_all(Job.objects.filter(pk__in=accepted.values("job_input__job")))
        accepted.update(**given)
        clock.bound(accepted)
    return False


def give_back_unpolled(attempt: Attempt) -> None:
    """Requeue files of workers that are no longer polled because they were disabled or removed from the settings."""
    dispatch.move_away(attempt, dispatch.ACTOR, "The worker was retired.")


def pass_on_cancels(worker: Worker, client: WorkerClient) -> None:
    """Tell a worker to stop canceled attempts until it confirms."""
    canceled = worker.attempts.filter(cancel_pending=True)
    for attempt in canceled.select_related("job_input__job", "job_input__upload", "worker"):
        try:
            _tell(attempt, client)
        except (JobNotFound, WorkerBusy):
            pass  # it is not there: as good as stopped
        except WorkerError as failure:
            log.warning("cancel not delivered", extra={"worker": worker.name, "reason": str(failure)})
            if not isinstance(failure, WorkerRefused):
                return
            if attempt.worker_job_id:
                continue
        as_told = {"worker_job_id": attempt.worker_job_id, "sent_at": attempt.sent_at}
        Attempt.objects.filter(pk=attempt.pk, **as_told).update(cancel_pending=False)
        log.info("cancel delivered", extra={"worker": worker.name, "workerJobId": attempt.worker_job_id})


def _tell(attempt: Attempt, client: WorkerClient) -> None:
    """Stop an attempt on its worker. If its dispatch was never answered, dispatch it again to get its id."""
    if not attempt.worker_job_id and attempt.sent_at is not None:
        request = job_requests.job_request(attempt, attempt.worker)
        attempt.worker_job_id, _status = client.create_job(request, str(attempt.pk))
        Attempt.objects.filter(pk=attempt.pk).update(worker_job_id=attempt.worker_job_id)
    if not attempt.worker_job_id:
        return
    if attempt.is_push:
        client.delete_job(attempt.worker_job_id)
    else:
        client.cancel_job(attempt.worker_job_id)


def _ping_if_due(worker: Worker) -> bool:
    """Return whether to continue. A worker that failed before is probed with one ping for all its attempts."""
    due = clock.now() - timedelta(seconds=settings.PING_SECONDS)
    is_settled = worker.is_connected and bool(worker.models_at_hand)
    if is_settled and worker.checked_at is not None and worker.checked_at > due:
        return True
    is_reachable = health.ping(worker)
    worker.refresh_from_db()
    return is_reachable


def _observe(running: Sequence[Attempt], client: WorkerClient, worker: Worker) -> dict[object, Observation]:
    """Return the worker's status for each attempt, omitting those that are no longer needed."""
    found: dict[object, Observation] = {}
    try:
        if worker.reported.answers_many:
            for batch in _batches(running, MAX_JOBS_ASKED):
                answers = client.job_statuses([attempt.worker_job_id for attempt in batch])
                for attempt in batch:
                    if attempt.worker_job_id in answers:  # else what it said of this one makes no sense
                        status = answers[attempt.worker_job_id]
                        found[attempt.pk] = Observation(status=status, is_unknown=status is None)
        else:
            for attempt in running:
                found[attempt.pk] = _observe_one(attempt, client)
    except WorkerError as failure:
        code = failure.code if isinstance(failure, WorkerRefused) else "UNREACHABLE"
        health.note_failure(worker, code, str(failure))
        worker.last_error = {"code": code, "message": str(failure)}
    return found


def _observe_one(attempt: Attempt, client: WorkerClient) -> Observation:
    try:
        return Observation(status=client.job_status(attempt.worker_job_id))
    except JobNotFound:
        return Observation(is_unknown=True)
    except NotAStatus as odd:  # of this job alone: the others are asked for all the same
        return Observation(reason=str(odd))


def _batches(attempts: Sequence[Attempt], size: int) -> Iterator[list[Attempt]]:
    rest = iter(attempts)
    while batch := list(islice(rest, size)):
        yield batch


def _reason(worker: Worker) -> str:
    return str((worker.last_error or {}).get("message", "the worker cannot be reached"))
