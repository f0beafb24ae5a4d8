"""Applies the decisions of `leases.decide`: ends attempts, renews leases, records progress."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Greatest

from gpu_worker.shared.protocol import BEGUN_STAGES, JobStatus
from jobs.models import Job, JobInput, Session
from jobs.statuses import AT_A_WORKER, Event, InputStatus
from remoteworker.attempts import dispatch, leases
from remoteworker.attempts.leases import Decision, Observation, Times
from remoteworker.models import Attempt

log = logging.getLogger(__name__)
PROGRESS = (
    "stage",
    "percent",
    "audio_seconds",
    "audio_duration",
    "speed",
    "eta_seconds",
    "remote_last_error",
)


def observation(attempt: Attempt, seen: Observation, now: datetime) -> None:
    """Apply the decision for one observation."""
    observations([(attempt, seen)], now)


def observations(observed: Iterable[tuple[Attempt, Observation]], now: datetime) -> None:
    """Apply the decisions for all; one UPDATE renews all leases of a round."""
    renewed = []
    for attempt, seen in observed:
        lease = attempt.lease_until or now
        decision = leases.decide(Times(lease, attempt.deadline_at, attempt.outputs_due_at), seen, now)
        if decision.event is not None:
            _end(attempt, decision, now)
        elif decision.is_contact and seen.status is not None:
            renewed.append(attempt.pk)
            _note_attempt(attempt, seen.status, decision, now)
            _note_progress(attempt, seen.status)
        else:
            error = {"code": "UNREACHABLE", "message": seen.reason}
            _current_input(attempt).update(remote_last_error=error)
    _renew(renewed, now)


def _renew(attempts: Sequence[UUID], now: datetime) -> None:
    """Renew leases with one UPDATE, skipping locked rows, which the next round renews.

    Waiting for a row while holding others could deadlock with a cancellation, which locks in a different order.
    """
    until = now + timedelta(seconds=settings.LEASE_SECONDS)
    with transaction.atomic():
        rows = Attempt.objects.select_for_update(skip_locked=True, no_key=True).order_by()
        free = list(rows.filter(pk__in=attempts, ended_at=None).values_list("pk", flat=True))
        Attempt.objects.filter(pk__in=free).update(last_contact_at=now, lease_until=until)


def _note_attempt(attempt: Attempt, status: JobStatus, decision: Decision, now: datetime) -> None:
    """Record what changes only once or twice per attempt."""
    news: dict[str, Any] = {}
    boot_id = str(status.get("bootId") or "")[:64]
    if boot_id != attempt.boot_id:
        news["boot_id"] = boot_id
    if attempt.began_at is None and status.get("stage") in BEGUN_STAGES:
        news["began_at"] = now
        # Room for what the worker did before is over: from here on the file has as long as any.
        news["deadline_at"] = min(
            attempt.deadline_at, now + timedelta(seconds=settings.REMOTE_WORKER_TIMEOUT_SECONDS)
        )
    if decision.outputs_expected != (attempt.outputs_due_at is not None):
        grace = now + timedelta(seconds=settings.OUTPUTS_GRACE_SECONDS)
        news["outputs_due_at"] = grace if decision.outputs_expected else None
    if news:
        Attempt.objects.filter(pk=attempt.pk, ended_at=None).update(**news)


def _end(attempt: Attempt, decision: Decision, now: datetime) -> None:
    """Fail the input, or requeue it if another automatic attempt is allowed."""
    assert decision.event is not None
    error = {"code": decision.code, "message": decision.message}
    event = decision.event
    changes: dict[str, Any] = {"remote_last_error": error}
    if event == Event.LOST and dispatch.may_try_again(attempt):
        event, changes = Event.REQUEUED, {**changes, **dispatch.QUEUED_AGAIN, "not_before": None}
    with transaction.atomic():
        if decision.code == "REMOTE_LEASE_EXPIRED" and _is_renewed(attempt, now):
            return
        stop = event in (Event.TIMED_OUT, Event.REQUEUED)  # one that was lost may still bring its result
        moved = attempt.finish(
            event, Attempt.Outcome.FAILED, actor=dispatch.ACTOR, tell_worker=stop, **error, **changes
        )
        if not moved and not _is_wanted(attempt):
            _drop(attempt, error)
    if moved:
        ids = {"worker": attempt.worker.name, "workerJobId": attempt.worker_job_id}
        log.warning("attempt ended", extra={**ids, "code": decision.code})


def _is_renewed(attempt: Attempt, now: datetime) -> bool:
    """Return whether it wrote back during a failed poll. Takes the job's lock, so that the answer holds."""
    Job.lock(attempt.job_input.job_id)
    return Attempt.objects.filter(pk=attempt.pk, lease_until__gt=now).exists()


def _drop(attempt: Attempt, error: dict[str, str]) -> None:
    """Close an attempt that its input no longer needs, unless it was just closed."""
    if Attempt.objects.filter(pk=attempt.pk, ended_at=None).exists():
        attempt.end(Attempt.Outcome.SUPERSEDED, tell_worker=True, **error)


def _is_wanted(attempt: Attempt) -> bool:
    """Return whether its input still waits for this attempt."""
    job_input = JobInput.objects.get(pk=attempt.job_input_id)
    is_active = job_input.status in AT_A_WORKER
    return is_active and job_input.attempt_count == attempt.number


def _note_progress(attempt: Attempt, status: JobStatus) -> None:
    """Write stage and progress to the input while this attempt is the latest; percent never decreases."""
    progress = cast(dict[str, Any], status["progress"])
    job_input = attempt.job_input
    stage = str(status.get("stage") or "")[:20]
    if stage != job_input.stage:
        ids = {"worker": attempt.worker.name, "workerJobId": attempt.worker_job_id}
        log.info("poll status change", extra={**ids, "stage": stage})
    news = {
        "stage": stage,
        "percent": max(job_input.percent, min(100.0, _number(progress.get("percent")) or 0.0)),
        "audio_seconds": _number(progress.get("audioSeconds")),
        "audio_duration": _number(progress.get("audioDuration")),
        "speed": _number(progress.get("speed")),
        "eta_seconds": _number(progress.get("etaSeconds")),
        "remote_last_error": None,
    }
    if any(getattr(job_input, name) != news[name] for name in PROGRESS):
        with transaction.atomic():
            Job.lock_all(Job.objects.filter(pk=job_input.job_id))  # it may have been deleted
            _current_input(attempt).update(**{**news, "percent": Greatest("percent", news["percent"])})
            Session.note_change(pk=job_input.job.session_id)


def _current_input(attempt: Attempt) -> QuerySet[JobInput]:
    """Return the row of the input that this attempt runs."""
    return JobInput.objects.filter(
        pk=attempt.job_input_id, status=InputStatus.RUNNING, attempt_count=attempt.number
    )


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e12 < value < 1e12:
        return None
    return float(value)
