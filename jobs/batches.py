"""Start, cancel, and retry jobs: the single entry point of pages, API, admin, and command line."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from gpu_worker.shared.protocol import LANGUAGES, WHISPER_MODELS, InvalidMessage, Options, parse_options
from jobs import clock
from jobs.models import Job, JobInput, Session, Upload
from jobs.ports import worker_capabilities
from jobs.signals import input_canceled, input_queued
from jobs.statuses import ACTIVE, Event, InputStatus

IN_ONE_GO = 50  # files, to a transaction
NO_GPU_WORKER = (
    "No GPU worker is configured. Set REMOTE_WORKER_URL, add a worker in admin, or run the job without a GPU."
)
CLEARED_PROGRESS: dict[str, Any] = {
    "stage": "",
    "percent": 0.0,
    "audio_seconds": None,
    "speed": None,
    "eta_seconds": None,
    "worker_name": "",
}


class InvalidJob(ValueError):
    """The job cannot be created; `field` names the invalid option and the message says why."""

    def __init__(self, field: str, message: str, code: str = "INVALID_OPTION") -> None:
        super().__init__(message)
        self.field = field
        self.message = message
        self.code = code


def create_job(
    session: Session,
    uploads: Sequence[Upload],
    options: Options,
    *,
    use_remote: bool,
    created_by: User | None,
) -> Job:
    """Create and queue a job for these uploads. Raises InvalidJob without storing anything."""
    _check(session, uploads, options)
    if worker_capabilities.lacks_gpu(use_remote):
        raise InvalidJob("useRemote", NO_GPU_WORKER, "NO_GPU_WORKER")
    extra = {key: value for key, value in asdict(options).items() if key not in ("model", "language")}
    with transaction.atomic():
        if Session.objects.select_for_update().get(pk=session.pk).deleted_at is not None:
            raise InvalidJob("session", "This session has been deleted.", "SESSION_DELETED")
        deleted = set(session.uploads.exclude(deleted_at=None).values_list("pk", flat=True))
        if deleted & {upload.pk for upload in uploads}:
            raise InvalidJob("uploads", "A selected file has been deleted.", "UNKNOWN_UPLOAD")
        last = session.jobs.aggregate(last=Max("number"))["last"] or 0
        job = Job.objects.create(
            session=session,
            created_by=created_by,
            number=last + 1,
            model=options.model,
            language=options.language,
            use_remote=use_remote,
            options=extra,
        )
        now = clock.now()
        JobInput.objects.bulk_create(
            JobInput(job=job, upload=upload, position=position, queued_at=now)
            for position, upload in enumerate(uploads)
        )
        Upload.objects.filter(inputs__job=job, is_used=False).update(is_used=True)
        session.touch()
        # `remoteworker.receivers.nudge_dispatch` receives it: the file is dispatched without waiting for a tick.
        input_queued.send(sender=Job, job=job)
    return job


def cancel_job(job: Job, actor: str) -> int:
    """Cancel all inputs that have not ended and return how many. Queued ones first, so that none starts meanwhile."""
    Job.objects.filter(pk=job.pk, cancel_requested_at=None).update(cancel_requested_at=timezone.now())
    entries = list(job.inputs.filter(status__in=ACTIVE))
    entries.sort(key=lambda entry: entry.status != InputStatus.QUEUED)
    return _each(entries, lambda entry: cancel_input(entry, actor))


def finish_cancels() -> int:
    """Finish cancellations that were interrupted because the process was killed."""
    begun = Job.objects.filter(cancel_requested_at__isnull=False, inputs__status__in=ACTIVE).distinct()
    return sum(cancel_job(job, "controller") for job in begun)


def cancel_input(job_input: JobInput, actor: str) -> bool:
    """Cancel one file immediately, regardless of its worker. Return False if it had already ended."""
    with transaction.atomic():
        moved = job_input.move_to(Event.CANCELED, actor=actor, stage="")
        if moved:
            input_canceled.send(sender=JobInput, job_input=job_input)
    return moved


def retry_job(job: Job, actor: str) -> int:
    """Retry all failed inputs, or all canceled ones if none failed; return how many."""
    ended = list(job.inputs.filter(status=InputStatus.FAILED))
    if not ended:
        ended = list(job.inputs.filter(status=InputStatus.CANCELED))
    return _each(ended, lambda entry: retry_input(entry, actor))


def retry_input(job_input: JobInput, actor: str) -> bool:
    """Retry one failed or canceled file. Return False if it is neither or was deleted."""
    with transaction.atomic():
        if _is_deleted(job_input):
            return False
        moved = job_input.move_to(
            Event.RETRIED,
            actor=actor,
            queued_at=clock.now(),
            not_before=None,
            tries_from=F("attempt_count"),
            remote_last_error=None,
            **CLEARED_PROGRESS,
        )
        if moved:
            Job.objects.filter(pk=job_input.job_id).update(cancel_requested_at=None)
            input_queued.send(sender=Job, job=job_input.job)
    return moved


def _is_deleted(job_input: JobInput) -> bool:
    """Return whether a file, its job, or its session is deleted; the answer holds until the transaction ends."""
    job = Job.lock(job_input.job_id)
    session = Session.objects.select_for_update().get(pk=job.session_id)
    upload = Upload.objects.get(pk=job_input.upload_id)
    return any(row.deleted_at is not None for row in (job, session, upload))


def _each(entries: Sequence[JobInput], verb: Callable[[JobInput], bool]) -> int:
    """Apply this to all inputs in batches: one transaction over a thousand files would block all other writers."""
    done = 0
    for first in range(0, len(entries), IN_ONE_GO):
        with transaction.atomic():
            done += sum(verb(entry) for entry in entries[first : first + IN_ONE_GO])
    return done


def _check(session: Session, uploads: Sequence[Upload], options: Options) -> None:
    if not uploads:
        raise InvalidJob("uploads", "Select at least one file.", "NO_FILES")
    if any(upload.session_id != session.pk for upload in uploads):
        raise InvalidJob("uploads", "A selected file is not in this session.", "UNKNOWN_UPLOAD")
    if len({upload.pk for upload in uploads}) != len(uploads):
        raise InvalidJob("uploads", "A file was selected twice.")
    if options.model not in WHISPER_MODELS and options.model not in worker_capabilities.current().models:
        raise InvalidJob("model", f"Unknown model: “{options.model[:80]}”.", "UNKNOWN_MODEL")
    if options.language and options.language not in LANGUAGES:
        raise InvalidJob("language", f"Unknown language: “{options.language[:20]}”.", "UNKNOWN_LANGUAGE")
    if options.model.endswith(".en") and options.language not in ("", "en"):
        raise InvalidJob("language", f"The model {options.model} supports English only.")
    try:
        parse_options(options.to_wire())
    except InvalidMessage as wrong:
        raise InvalidJob(wrong.field_name.removeprefix("options."), str(wrong)) from wrong
