"""Asking workers how their attempts are, and writing down what `leases.decide` says of the answers."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Greatest

from gpu_worker.shared.protocol import MAX_JOBS_ASKED, JobStatus
from jobs.models import Job, JobInput, Session
from jobs.statuses import Event, InputStatus
from remoteworker import clock
from remoteworker.attempts import dispatch, job_requests, leases, push_transfer
from remoteworker.attempts.leases import Decision, Observation, Times
from remoteworker.models import Attempt, Worker
from remoteworker.workers import fleet
from remoteworker.workers.client import (
    JobNotFound,
    NotAStatus,
    WorkerBusy,
    WorkerClient,
    WorkerError,
    WorkerRefused,
)

log = logging.getLogger(__name__)
ACTOR = "controller"
AT_WORK = ("loading_model", "diarizing", "transcribing", "uploading")  # stages of a file in the engine
PROGRESS = (
    "stage",
    "percent",
    "audio_seconds",
    "audio_duration",
    "speed",
    "eta_seconds",
    "remote_last_error",
)


def workers_to_poll() -> list[Worker]:
    """The workers with something under way, a cancel to pass on, or a ping due."""
    now = clock.now()
    waits = JobInput.objects.filter(status=InputStatus.QUEUED).exists()
    return [worker for worker in fleet.enabled_workers() if _is_due(worker, now, waits)]


def _is_due(worker: Worker, now: datetime, waits: bool) -> bool:
    """Whether to look at a worker now. `worker` comes from enabled_workers."""
    since = now - worker.checked_at if worker.checked_at is not None else None
    if (
        since is None or since >= _seconds(settings.PING_SECONDS) or since < timedelta(0)
    ):  # the clock went back
        return True
    if worker.is_circuit_open and since < _seconds(settings.PROBE_SECONDS):
        return False
    if worker.active or worker.pending:  # type: ignore[attr-defined]  # annotated
        return True
    if worker.is_connected:
        return not worker.models_at_hand  # it is still loading them
    return waits


def poll_worker(worker_id: int) -> None:
    """Poll every attempt of one worker; one that is silent is asked once for all of them."""
    if not fleet.hold(worker_id, "polled_until"):
        return
    try:
        _poll(Worker.objects.get(pk=worker_id))
    finally:
        Worker.objects.filter(pk=worker_id).update(polled_until=None, polled_at=clock.now())


def _poll(worker: Worker) -> None:
    was_awake = _grant_unwatched(worker)
    running = list(
        worker.active_attempts()
        .exclude(worker_job_id="")
        .select_related("job_input__job", "job_input__upload", "worker")
    )
    is_reachable = _ping_if_due(worker)
    with fleet.client_of(worker) as client:
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
    apply_all(judged, clock.now())


def _grant_unwatched(worker: Worker) -> bool:
    """Give back the time that nobody looked at the worker; return whether there was none.

    A controller that slept learns nothing from a lease that ran out meanwhile: every attempt is polled once
    before any is given up.
    """
    gap = leases.unwatched(worker.polled_at, clock.now(), _seconds(settings.AWAKE_SECONDS))
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


def apply(attempt: Attempt, seen: Observation, now: datetime) -> None:
    """Write what `decide` says of one observation."""
    apply_all([(attempt, seen)], now)


def apply_all(observed: Iterable[tuple[Attempt, Observation]], now: datetime) -> None:
    """Write what `decide` says of each; all leases of a round are renewed by one UPDATE."""
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
    """Renew leases by one UPDATE, but for what somebody else is changing just now: the next round does that.

    Waiting for one row with others held would be a deadlock with a Cancel, which goes through them in another order.
    """
    until = now + _seconds(settings.LEASE_SECONDS)
    with transaction.atomic():
        rows = Attempt.objects.select_for_update(skip_locked=True, no_key=True).order_by()
        free = list(rows.filter(pk__in=attempts, ended_at=None).values_list("pk", flat=True))
        Attempt.objects.filter(pk__in=free).update(last_contact_at=now, lease_until=until)


def _note_attempt(attempt: Attempt, status: JobStatus, decision: Decision, now: datetime) -> None:
    """What changes once or twice in an attempt's life."""
    news: dict[str, Any] = {}
    boot_id = str(status.get("bootId") or "")[:64]
    if boot_id != attempt.boot_id:
        news["boot_id"] = boot_id
    if attempt.began_at is None and status.get("stage") in AT_WORK:
        news["began_at"] = now
        # Room for what the worker did before is over: from here on the file has as long as any.
        news["deadline_at"] = min(attempt.deadline_at, now + _seconds(settings.REMOTE_WORKER_TIMEOUT_SECONDS))
    if decision.outputs_expected != (attempt.outputs_due_at is not None):
        grace = now + _seconds(settings.OUTPUTS_GRACE_SECONDS)
        news["outputs_due_at"] = grace if decision.outputs_expected else None
    if news:
        Attempt.objects.filter(pk=attempt.pk, ended_at=None).update(**news)


def give_back_unpolled(attempt: Attempt) -> None:
    """Nobody polls its worker any more, which was disabled or left the settings: another one takes the file."""
    dispatch.move_away(attempt, ACTOR, "The worker was taken out of service.")


def pass_on_cancels(worker: Worker, client: WorkerClient) -> None:
    """Tell a worker to stop what was canceled here, until it has heard it."""
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
    """Stop an attempt at its worker. One whose hand-over was never answered is handed over again, for its id."""
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
    """Whether to go on asking. A worker that failed before is probed by one ping, for all its attempts."""
    due = clock.now() - _seconds(settings.PING_SECONDS)
    is_settled = worker.is_connected and bool(worker.models_at_hand)
    if is_settled and worker.checked_at is not None and worker.checked_at > due:
        return True
    is_reachable = fleet.ping(worker)
    worker.refresh_from_db()
    return is_reachable


def _observe(running: Sequence[Attempt], client: WorkerClient, worker: Worker) -> dict[object, Observation]:
    """Return what the worker says of each attempt; those it was not asked for any more are left out."""
    found: dict[object, Observation] = {}
    try:
        if worker.capabilities.get("answersMany") is True:
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
        fleet.note_failure(worker, code, str(failure))
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


def _end(attempt: Attempt, decision: Decision, now: datetime) -> None:
    """Fail the input, or queue it again where the fleet may try again by itself."""
    assert decision.event is not None
    error = {"code": decision.code, "message": decision.message}
    event = decision.event
    changes: dict[str, Any] = {"remote_last_error": error}
    if event == Event.LOST and dispatch.may_try_again(attempt):
        event, changes = Event.REQUEUED, {**changes, **dispatch.QUEUED_AGAIN, "not_before": None}
    with transaction.atomic():
        if decision.code == "REMOTE_LEASE_EXPIRED" and _is_renewed(attempt, now):
            return
        moved = attempt.job_input.move_to(
            event,
            actor=ACTOR,
            attempt=attempt.number,
            code=decision.code,
            message=decision.message,
            **changes,
        )
        if moved:
            stop = event in (Event.TIMED_OUT, Event.REQUEUED)  # one that was lost may still bring its result
            attempt.end(Attempt.Outcome.FAILED, tell_worker=stop, **error)
        elif not _is_wanted(attempt):
            _drop(attempt, error)
    if moved:
        ids = {"worker": attempt.worker.name, "workerJobId": attempt.worker_job_id}
        log.warning("attempt ended", extra={**ids, "code": decision.code})


def _is_renewed(attempt: Attempt, now: datetime) -> bool:
    """Whether it wrote back while it was polled in vain. Takes the job's lock, so that this stays true."""
    Job.lock(attempt.job_input.job_id)
    return Attempt.objects.filter(pk=attempt.pk, lease_until__gt=now).exists()


def _drop(attempt: Attempt, error: dict[str, str]) -> None:
    """Close an attempt that its input went on without, unless somebody else has just closed it."""
    if Attempt.objects.filter(pk=attempt.pk, ended_at=None).exists():
        attempt.end(Attempt.Outcome.SUPERSEDED, tell_worker=True, **error)


def _is_wanted(attempt: Attempt) -> bool:
    """Whether its input still waits for this very attempt; otherwise nobody would ever end it."""
    job_input = JobInput.objects.get(pk=attempt.job_input_id)
    is_active = job_input.status in (InputStatus.DISPATCHING, InputStatus.RUNNING)
    return is_active and job_input.attempt_count == attempt.number


def _note_progress(attempt: Attempt, status: JobStatus) -> None:
    """Write stage and progress to the input while this attempt is the latest; percent never falls."""
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
    """The input's row, while this attempt runs it."""
    return JobInput.objects.filter(
        pk=attempt.job_input_id, status=InputStatus.RUNNING, attempt_count=attempt.number
    )


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e12 < value < 1e12:
        return None
    return float(value)


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
