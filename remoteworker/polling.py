"""Asking workers how their attempts are: `decide` is pure, `poll_worker` asks and writes the outcome."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Greatest
from django.utils import timezone

from gpu_worker.protocol import ERRORS, JobStatus, parse_error
from jobs.models import JobInput
from jobs.statuses import Event, InputStatus
from remoteworker import dispatch, fleet, pushing
from remoteworker.client import JobNotFound, WorkerClient, WorkerError, WorkerRefused
from remoteworker.models import Attempt, Worker

log = logging.getLogger(__name__)
ACTOR = "controller"
POLL_CLAIM_SECONDS = 60.0  # longer than any poll; ends the claim of a poller that was killed


@dataclass(frozen=True)
class Times:
    """What the clock says of an attempt; aware datetimes."""

    lease_until: datetime
    deadline_at: datetime
    outputs_due_at: datetime | None = None


@dataclass(frozen=True)
class Observation:
    """What one poll brought: a status, a genuine 404, or nothing but a reason."""

    status: JobStatus | None = None
    is_unknown: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Decision:
    """What follows. No event: the attempt goes on; `is_contact` renews its lease."""

    event: Event | None = None
    code: str = ""
    message: str = ""
    is_contact: bool = False
    outputs_expected: bool = False


def decide(times: Times, seen: Observation, now: datetime) -> Decision:
    """Judge a running attempt by one observation, made just now by a poller that was awake.

    A poll that says `complete` never completes anything: only the worker's callback does, and in push
    mode the documents that are then fetched.
    """
    if seen.is_unknown:
        return _fail(Event.LOST, "REMOTE_JOB_NOT_FOUND")
    if seen.status is not None and seen.status["status"] == "failed":
        error = parse_error(seen.status.get("error"))
        code = error["code"] if error else "PROCESSING_ERROR"
        return _fail(Event.FAILED_BY_WORKER, code, error["message"] if error else "")
    if seen.status is not None and seen.status["status"] == "canceled":
        return _fail(Event.FAILED_BY_WORKER, "CANCELED", "The worker canceled this job.")
    if seen.status is not None and seen.status["status"] == "complete":
        if times.outputs_due_at is not None and now >= times.outputs_due_at:
            return _fail(Event.FAILED_BY_WORKER, "REMOTE_OUTPUTS_MISSING")
        return Decision(is_contact=True, outputs_expected=True)
    if now >= times.deadline_at:
        return _fail(Event.TIMED_OUT, "REMOTE_TIMEOUT")
    if seen.status is None and now >= times.lease_until:
        return _fail(Event.LOST, "REMOTE_LEASE_EXPIRED", seen.reason)
    return Decision(is_contact=seen.status is not None)


def _fail(event: Event, code: str, message: str = "") -> Decision:
    return Decision(event=event, code=code, message=message or ERRORS[code].sentence)


def workers_to_poll() -> list[Worker]:
    """The workers with something under way, a cancel to pass on, or a ping due."""
    due = timezone.now() - timedelta(seconds=settings.PING_SECONDS)
    waits = JobInput.objects.filter(status=InputStatus.QUEUED).exists()
    return [
        worker
        for worker in fleet.enabled_workers()
        if worker.active  # type: ignore[attr-defined]  # annotated
        or worker.pending  # type: ignore[attr-defined]
        or worker.checked_at is None
        or worker.checked_at <= due
        or (worker.is_connected and not worker.models_at_hand)  # it is still loading them
        or (waits and not worker.is_connected)
    ]


def poll_worker(worker_id: int) -> None:
    """Poll every attempt of one worker; one that is silent is asked once for all of them."""
    if not _claim_poll(worker_id):
        return
    try:
        _poll(Worker.objects.get(pk=worker_id))
    finally:
        Worker.objects.filter(pk=worker_id).update(polled_until=None)


def _claim_poll(worker_id: int) -> bool:
    """One poller a worker: the messages for a frozen one must not pile up and hold every thread."""
    now = timezone.now()
    is_free = Q(polled_until=None) | Q(polled_until__lt=now)
    until = now + _seconds(POLL_CLAIM_SECONDS)
    return bool(Worker.objects.filter(is_free, pk=worker_id).update(polled_until=until))


def _poll(worker: Worker) -> None:
    running = list(
        worker.active_attempts()
        .exclude(worker_job_id="")
        .select_related("job_input__job", "job_input__upload")
    )
    is_reachable = _ping_if_due(worker)
    with fleet.client_of(worker) as client:
        if is_reachable:
            pass_on_cancels(worker, client)
        for attempt in running:
            seen = _observe(attempt, client, worker) if is_reachable else Observation(reason=_reason(worker))
            is_reachable = is_reachable and (seen.status is not None or seen.is_unknown)
            if attempt.is_push and seen.status is not None and pushing.follow(attempt, seen.status, client):
                continue
            apply(attempt, seen, timezone.now())


def apply(attempt: Attempt, seen: Observation, now: datetime) -> None:
    """Write what `decide` says of one observation."""
    lease = attempt.lease_until or now
    decision = decide(Times(lease, attempt.deadline_at, attempt.outputs_due_at), seen, now)
    if decision.event is not None:
        _end(attempt, decision)
        return
    if not decision.is_contact:
        error = {"code": "UNREACHABLE", "message": seen.reason}
        JobInput.objects.filter(pk=attempt.job_input_id, status=InputStatus.RUNNING).update(
            remote_last_error=error
        )
        return
    assert seen.status is not None
    renewed: dict[str, Any] = {"last_contact_at": now, "lease_until": now + _seconds(settings.LEASE_SECONDS)}
    if decision.outputs_expected and attempt.outputs_due_at is None:
        renewed["outputs_due_at"] = now + _seconds(settings.OUTPUTS_GRACE_SECONDS)
    Attempt.objects.filter(pk=attempt.pk, ended_at=None).update(
        boot_id=str(seen.status.get("bootId") or "")[:64], **renewed
    )
    _note_progress(attempt, seen.status)


def judge_unpolled(attempt: Attempt) -> None:
    """Judge an attempt whose worker was disabled: nobody polls it, so it ends with its lease."""
    if attempt.worker_job_id:
        apply(attempt, Observation(reason="the worker was disabled"), timezone.now())
    else:
        dispatch.push_back(attempt, 0.0)


def pass_on_cancels(worker: Worker, client: WorkerClient) -> None:
    """Tell a worker to stop what was canceled here, until it has heard it."""
    for attempt in worker.attempts.filter(cancel_pending=True):
        try:
            if attempt.worker_job_id and attempt.is_push:
                client.delete_job(attempt.worker_job_id)
            elif attempt.worker_job_id:
                client.cancel_job(attempt.worker_job_id)
        except JobNotFound:
            pass  # it is gone there: as good as stopped
        except WorkerError as failure:
            log.warning("cancel not delivered", extra={"worker": worker.name, "reason": str(failure)})
            if isinstance(failure, WorkerRefused):
                continue
            return
        Attempt.objects.filter(pk=attempt.pk).update(cancel_pending=False)
        log.info("cancel delivered", extra={"worker": worker.name, "workerJobId": attempt.worker_job_id})


def _ping_if_due(worker: Worker) -> bool:
    due = timezone.now() - _seconds(settings.PING_SECONDS)
    is_settled = worker.is_connected and bool(worker.models_at_hand)
    if is_settled and worker.checked_at is not None and worker.checked_at > due:
        return True
    is_reachable = fleet.ping(worker)
    worker.refresh_from_db()
    return is_reachable


def _observe(attempt: Attempt, client: WorkerClient, worker: Worker) -> Observation:
    try:
        return Observation(status=client.job_status(attempt.worker_job_id))
    except JobNotFound:
        return Observation(is_unknown=True)
    except WorkerError as failure:
        code = failure.code if isinstance(failure, WorkerRefused) else "UNREACHABLE"
        fleet.note_failure(worker, code, str(failure))
        return Observation(reason=str(failure))


def _reason(worker: Worker) -> str:
    return str((worker.last_error or {}).get("message", "the worker cannot be reached"))


def _end(attempt: Attempt, decision: Decision) -> None:
    """Fail the input, or queue it again where the fleet may try again by itself."""
    assert decision.event is not None
    error = {"code": decision.code, "message": decision.message}
    job_input, event = attempt.job_input, decision.event
    changes: dict[str, Any] = {"remote_last_error": error}
    if event == Event.LOST and _tries(job_input) < settings.REMOTE_WORKER_MAX_ATTEMPTS:
        event, changes["not_before"] = Event.REQUEUED, timezone.now()
    is_failure = event != Event.REQUEUED
    with transaction.atomic():
        moved = job_input.move_to(
            event,
            actor=ACTOR,
            code=decision.code if is_failure else "",
            message=decision.message if is_failure else "",
            **changes,
        )
        if moved:
            stop = decision.event in (Event.TIMED_OUT, Event.LOST)
            attempt.end(Attempt.Outcome.FAILED, tell_worker=stop, **error)
        elif not _is_wanted(attempt):
            attempt.end(Attempt.Outcome.SUPERSEDED, tell_worker=True, **error)
    if moved:
        log.warning(
            "attempt ended",
            extra={
                "worker": attempt.worker.name,
                "workerJobId": attempt.worker_job_id,
                "code": decision.code,
            },
        )


def _is_wanted(attempt: Attempt) -> bool:
    """Whether its input still waits for this very attempt; otherwise nobody would ever end it."""
    job_input = JobInput.objects.get(pk=attempt.job_input_id)
    is_active = job_input.status in (InputStatus.DISPATCHING, InputStatus.RUNNING)
    return is_active and job_input.attempt_count == attempt.number


def _tries(job_input: JobInput) -> int:
    """How many attempts count since the last time a person queued it; superseded ones burnt no try."""
    counted = job_input.attempts.exclude(outcome=Attempt.Outcome.SUPERSEDED)
    return counted.filter(created_at__gte=job_input.queued_at).count()


def _note_progress(attempt: Attempt, status: JobStatus) -> None:
    """Write stage and progress to the input while this attempt is the latest; percent never falls."""
    progress = cast(dict[str, Any], status["progress"])
    stage = str(status.get("stage") or "")[:20]
    if stage != attempt.job_input.stage:
        log.info(
            "poll status change",
            extra={"worker": attempt.worker.name, "workerJobId": attempt.worker_job_id, "stage": stage},
        )
    percent = min(100.0, max(0.0, _number(progress.get("percent")) or 0.0))
    JobInput.objects.filter(
        pk=attempt.job_input_id, status=InputStatus.RUNNING, attempt_count=attempt.number
    ).update(
        stage=stage,
        percent=Greatest("percent", percent),
        audio_seconds=_number(progress.get("audioSeconds")),
        audio_duration=_number(progress.get("audioDuration")),
        speed=_number(progress.get("speed")),
        eta_seconds=_number(progress.get("etaSeconds")),
        remote_last_error=None,
    )


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e12 < value < 1e12:
        return None
    return float(value)


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
