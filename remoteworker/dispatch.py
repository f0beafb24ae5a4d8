"""Handing inputs to workers: claim (conditional update), call, write the outcome (conditional update)."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from gpu_worker import protocol
from gpu_worker.protocol import ERRORS, InputSpec, JobRequest
from jobs.models import Job, JobInput
from jobs.statuses import Event, InputStatus
from remoteworker import fleet, signing
from remoteworker.client import JobNotFound, WorkerBusy, WorkerError, WorkerRefused, WorkerUnavailable
from remoteworker.models import Attempt, Worker

log = logging.getLogger(__name__)
ACTOR = "controller"


def workers_with_work() -> list[Worker]:
    """The workers that could take a waiting input now, or have one to be handed over again."""
    now = timezone.now()
    wanted = {fleet.kind_for(remote) for remote in _waiting(now).values_list("job__use_remote", flat=True)}
    unanswered = Q(attempts__ended_at=None, attempts__worker_job_id="")
    resend = set(Worker.usable().filter(unanswered).values_list("pk", flat=True))
    return [
        worker
        for worker in fleet.enabled_workers()
        if worker.pk in resend or (worker.kind in wanted and fleet.free_slots(worker))
    ]


def dispatch_to(worker_id: int) -> None:
    """Hand one worker what it has slots for, and again what it has not answered for."""
    worker = fleet.enabled_workers().filter(pk=worker_id).first()
    if worker is None:
        return
    patience = timezone.now() - timedelta(seconds=protocol.TOTAL_SECONDS)
    unanswered = (
        worker.active_attempts()
        .filter(Q(sent_at=None) | Q(sent_at__lt=patience), worker_job_id="")
        .select_related("job_input__job", "job_input__upload")
    )
    for attempt in unanswered:
        send(attempt, worker)
    for attempt in claim(worker, fleet.free_slots(worker)):
        if not worker.is_connected:
            push_back(attempt, settings.BUSY_SECONDS)
        else:
            send(attempt, worker)


def claim(worker: Worker, slots: int) -> Iterable[Attempt]:
    """Claim up to `slots` waiting inputs for the worker, oldest first; each comes with its new attempt."""
    waiting = _waiting(timezone.now()).select_related("job", "upload").order_by("queued_at", "position")
    kinds = [remote for remote in (False, True) if fleet.kind_for(remote) == worker.kind]
    for job_input in waiting.filter(job__use_remote__in=kinds)[:slots]:
        attempt = _claim_one(job_input, worker)
        if attempt is not None:
            yield attempt


def send(attempt: Attempt, worker: Worker) -> None:
    """Hand an attempt over. Harmless to repeat: its id is the idempotency key."""
    if not attempt.job_input.upload.path.exists():
        _refuse(attempt, "UPLOAD_MISSING", ERRORS["UPLOAD_MISSING"].sentence)
        return
    Attempt.objects.filter(pk=attempt.pk).update(sent_at=timezone.now())
    fields = {"worker": worker.name, "attempt": attempt.number, "inputId": str(attempt.job_input_id)}
    log.info("dispatch", extra=fields)
    try:
        with fleet.client_of(worker) as client:
            worker_job_id, _status = client.create_job(job_request(attempt, worker), str(attempt.pk))
    except WorkerError as failure:
        log.warning("dispatch failed", extra={**fields, "reason": str(failure)})
        _after_failure(attempt, worker, failure)
    else:
        log.info("dispatched", extra={**fields, "workerJobId": worker_job_id})
        accept(attempt, worker_job_id)


def accept(attempt: Attempt, worker_job_id: str) -> bool:
    """Note the worker's id of the job and that it runs there; False where the attempt is over or has another id."""
    now = timezone.now()
    with transaction.atomic():
        Job.lock(attempt.job_input.job_id)
        bound = Attempt.objects.filter(
            pk=attempt.pk, ended_at=None, worker_job_id__in=("", worker_job_id)
        ).update(
            worker_job_id=worker_job_id,
            accepted_at=now,
            last_contact_at=now,
            lease_until=now + timedelta(seconds=settings.LEASE_SECONDS),
        )
        if bound:
            attempt.job_input.move_to(
                Event.ACCEPTED,
                actor=attempt.worker.name,
                stage="queued",
                started_at=now,
                remote_last_error=None,
                tries=F("tries") + 1,
            )
        else:
            # canceled while the call was under way: the worker took a job that nobody wants
            Attempt.objects.filter(pk=attempt.pk, worker_job_id="").update(
                worker_job_id=worker_job_id, cancel_pending=True
            )
    attempt.refresh_from_db()
    return bool(bound)


def push_back(attempt: Attempt, seconds: float, error: dict[str, str] | None = None) -> None:
    """Put the input back into the queue for a while; no try is burnt."""
    with transaction.atomic():
        later = timezone.now() + timedelta(seconds=seconds)
        if attempt.job_input.move_to(
            Event.PUSHED_BACK, actor=ACTOR, not_before=later, worker_name="", remote_last_error=error
        ):
            attempt.end(Attempt.Outcome.SUPERSEDED)


def job_request(attempt: Attempt, worker: Worker) -> JobRequest:
    """Return the body of POST /v1/jobs: equal for every repeat of the same attempt.

    In push mode it names no address at all: that is how the worker knows.
    """
    job_input = attempt.job_input
    job, upload = job_input.job, job_input.upload
    addresses = _Addresses() if attempt.is_push else _addresses(attempt, worker)
    source = InputSpec(
        input_id=str(job_input.pk),
        filename=upload.name,
        content_type=upload.content_type,
        size_bytes=upload.size_bytes,
        download_url=addresses.download,
        sha256=upload.sha256,
    )
    return JobRequest(
        controller_job_id=str(job.pk),
        controller_session_hash=signing.session_hash(job.session_id),
        inputs=(source,),
        options=job.worker_options(),
        callback_url=addresses.complete,
        outputs_upload_url=addresses.outputs,
        attempt=attempt.number,
        deadline_at=attempt.deadline_at.isoformat(),
    )


class _Addresses(NamedTuple):
    """Where a worker finds this controller."""

    download: str = ""
    complete: str = ""
    outputs: str = ""


def _addresses(attempt: Attempt, worker: Worker) -> _Addresses:
    job_id, input_id = attempt.job_input.job_id, attempt.job_input_id
    is_local = worker.kind == Worker.Kind.LOCAL
    base = settings.LOCAL_CONTROLLER_URL if is_local else settings.CONTROLLER_BASE_URL
    expires = int(attempt.deadline_at.timestamp())
    signature = signing.sign_input(job_id, input_id, attempt.number, expires)
    link = reverse("worker-input", args=[job_id, input_id])
    return _Addresses(
        download=f"{base}{link}?expires={expires}&sig={signature}",
        complete=base + reverse("worker-complete", args=[job_id]),
        outputs=base + reverse("worker-outputs", args=[job_id]),
    )


def _waiting(now: datetime) -> QuerySet[JobInput]:
    return JobInput.objects.filter(status=InputStatus.QUEUED, not_before__lte=now)


def _claim_one(job_input: JobInput, worker: Worker) -> Attempt | None:
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
        deadline = timezone.now() + timedelta(seconds=settings.REMOTE_WORKER_TIMEOUT_SECONDS)
        return Attempt.objects.create(
            job_input=job_input,
            worker=worker,
            number=job_input.attempt_count,
            deadline_at=deadline,
            is_push=worker.kind == Worker.Kind.REMOTE and settings.REMOTE_WORKER_UPLOAD_MODE == "push",
        )


def _after_failure(attempt: Attempt, worker: Worker, failure: WorkerError) -> None:
    if isinstance(failure, WorkerRefused):
        _refuse(attempt, failure.code, failure.message)
    elif isinstance(failure, WorkerBusy):
        push_back(attempt, max(settings.BUSY_SECONDS, min(failure.retry_after, 300.0)))
    elif isinstance(failure, WorkerUnavailable | JobNotFound):
        fleet.note_failure(worker, "UNREACHABLE", str(failure))
        error = {"code": "UNREACHABLE", "message": str(failure)}
        JobInput.objects.filter(pk=attempt.job_input_id).update(remote_last_error=error)
        if getattr(failure, "is_unsent", False):
            push_back(attempt, settings.BUSY_SECONDS, error)
        elif timezone.now() - attempt.created_at > timedelta(seconds=settings.DISPATCH_TIMEOUT_SECONDS):
            _give_up(attempt)


def _refuse(attempt: Attempt, code: str, message: str) -> None:
    error = {"code": code, "message": message}
    with transaction.atomic():
        if attempt.job_input.move_to(
            Event.REFUSED, actor=attempt.worker.name, code=code, message=message, remote_last_error=error
        ):
            attempt.end(Attempt.Outcome.FAILED, code=code, message=message)


def _give_up(attempt: Attempt) -> None:
    code = "REMOTE_DISPATCH_TIMEOUT"
    message = ERRORS[code].sentence
    with transaction.atomic():
        if attempt.job_input.move_to(Event.DISPATCH_TIMED_OUT, actor=ACTOR, code=code, message=message):
            attempt.end(Attempt.Outcome.FAILED, code=code, message=message)
