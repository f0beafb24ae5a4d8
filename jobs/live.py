"""What the session page shows, as one JSON-ready mapping: read by the page at first and then every 2 s."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Prefetch
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from jobs import offers, reviews, standings
from jobs.models import IncomingUpload, Job, JobInput, Session, Upload
from jobs.reviews import Review
from jobs.standings import Standing
from jobs.statuses import ENDED, InputStatus, job_status

STAGE_TEXTS = {
    "queued": gettext_lazy("Waiting at the worker"),
    "downloading": gettext_lazy("Sending to the worker"),
    "decoding": gettext_lazy("Reading the sound"),
    "loading_model": gettext_lazy("Loading the speech model"),
    "transcribing": gettext_lazy("Transcribing"),
    "diarizing": gettext_lazy("Telling speakers apart"),
    "uploading": gettext_lazy("Fetching the transcript"),
    "complete": gettext_lazy("Fetching the transcript"),
}
WAITING = (InputStatus.QUEUED, InputStatus.DISPATCHING)


def session_state(session: Session) -> dict[str, Any]:
    """Return the whole state of a session: uploads, jobs newest first, totals, a notice."""
    uploads = session.uploads.annotate(used=Exists(JobInput.objects.filter(upload=OuterRef("pk"))))
    inputs = JobInput.objects.select_related("upload").order_by("position")
    jobs = list(session.jobs.order_by("-number").prefetch_related(Prefetch("inputs", inputs)))
    rows = [entry for job in jobs for entry in job.inputs.all()]
    standing, review = standings.of(rows), reviews.of(rows)
    waits = any(entry.status in WAITING for entry in rows)
    return {
        "session": {"id": str(session.pk), "name": session.name},
        "uploads": [upload_state(upload, is_new=not upload.used) for upload in uploads],
        "jobs": [job_state(job, standing, review) for job in jobs],
        "totals": {**totals(rows), "etaSeconds": _longest(standing)},
        "notice": (offers.current().notice or None) if waits or not jobs else None,
    }


def upload_state(upload: Upload, *, is_new: bool) -> dict[str, Any]:
    """Return one upload."""
    return {
        "id": str(upload.pk),
        "name": upload.name,
        "folder": upload.folder,
        "sizeBytes": upload.size_bytes,
        "isNew": is_new,
        "mediaUrl": reverse("upload-media", args=[upload.pk]),
    }


def incoming_state(entry: IncomingUpload) -> dict[str, Any]:
    """Return one file on its way, and what became of it."""
    twin = entry.duplicate_of
    return {
        "id": str(entry.pk),
        "name": entry.name,
        "folder": entry.folder,
        "sizeBytes": entry.size_bytes,
        "offsetBytes": entry.offset_bytes,
        "expiresAt": entry.expires_at.isoformat(),
        "upload": upload_state(entry.upload, is_new=True) if entry.upload else None,
        "duplicateOf": {"id": str(twin.pk), "name": twin.name, "folder": twin.folder} if twin else None,
    }


def job_state(
    job: Job, standing: dict[UUID, Standing] | None = None, review: dict[UUID, Review] | None = None
) -> dict[str, Any]:
    """Return one job with its inputs; uses prefetched inputs, standings and reviews where there are any."""
    inputs = list(job.inputs.all())
    standing = standings.of(inputs) if standing is None else standing
    review = reviews.of(inputs) if review is None else review
    status = job_status(
        [entry.status for entry in inputs]
    )  # the job's row may be a moment older than they are
    return {
        "id": str(job.pk),
        "number": job.number,
        "status": status,
        "statusText": str(status.label),
        "createdAt": job.created_at.isoformat(),
        "model": job.model,
        "language": job.language,
        "runsOn": "remote" if offers.runs_remotely(job.use_remote) else "local",
        "percent": round(sum(_settled_percent(entry) for entry in inputs) / max(1, len(inputs)), 1),
        "canCancel": any(entry.can_cancel for entry in inputs),
        "canRetry": any(entry.can_retry for entry in inputs),
        "inputs": [
            input_state(entry, standing.get(entry.pk, standings.UNKNOWN), review.get(entry.pk))
            for entry in inputs
        ],
    }


def file_state(entry: JobInput) -> dict[str, Any]:
    """Return one file of a job by itself."""
    standing = standings.of([entry]).get(entry.pk, standings.UNKNOWN)
    return input_state(entry, standing, reviews.of([entry]).get(entry.pk))


def input_state(entry: JobInput, standing: Standing, review: Review | None) -> dict[str, Any]:
    """Return one file of a job: where it stands, how far, what went wrong, where its transcript is."""
    is_complete = entry.status == InputStatus.COMPLETE
    return {
        "id": str(entry.pk),
        "uploadId": str(entry.upload_id),
        "name": entry.upload.name,
        "status": entry.status,
        "stage": entry.stage,
        "statusText": status_text(entry),
        "percent": round(_percent(entry), 1),
        "audioSeconds": entry.audio_seconds,
        "audioDuration": entry.audio_duration,
        "speed": entry.speed,
        "etaSeconds": _whole(standing.eta_seconds),
        "attempt": entry.tries,
        "attempts": settings.REMOTE_WORKER_MAX_ATTEMPTS,
        "filesAhead": standing.files_ahead,
        "lastContactAt": _moment(standing.last_contact_at),
        "unreachableSince": _moment(standing.unreachable_since),
        "givenUpAt": _moment(standing.given_up_at),
        "worker": entry.worker_name,
        "error": error_state(entry),
        "remote": {"lastError": entry.remote_last_error},
        "canCancel": entry.can_cancel,
        "canRetry": entry.can_retry,
        "transcriptUrl": reverse("transcript", args=[entry.pk]) if is_complete else None,
        "review": review_state(review) if is_complete and review else None,
    }


def review_state(review: Review) -> dict[str, Any]:
    """Return how far people are with the transcript of a file."""
    doubtful = ngettext("%(n)s doubtful place", "%(n)s doubtful places", review.doubtful) % {
        "n": review.doubtful
    }
    is_done = review.status == "done"
    return {
        "status": review.status,
        "text": review.status_text
        if is_done or not review.doubtful
        else f"{review.status_text} · {doubtful}",
        "doubtful": review.doubtful,
        "reviewer": review.reviewer,
    }


def status_text(entry: JobInput) -> str:
    """Say in words where a file stands."""
    if entry.status == InputStatus.QUEUED:
        return _("Waiting for a free worker")
    if entry.status == InputStatus.RUNNING and entry.stage in STAGE_TEXTS:
        return str(STAGE_TEXTS[entry.stage])
    return str(InputStatus(entry.status).label)


def error_state(entry: JobInput) -> dict[str, str] | None:
    """Return code, sentence, hint and the technical message of a failure."""
    text = entry.error_text
    if text is None:
        return None
    return {
        "code": entry.error_code,
        "sentence": text.sentence,
        "hint": text.hint,
        "message": entry.error_message or text.sentence,
    }


def totals(rows: list[JobInput]) -> dict[str, Any]:
    """Count the files of a session's jobs by where they stand."""
    statuses = [entry.status for entry in rows]
    return {
        "files": len(rows),
        "seconds": sum(entry.audio_duration or 0.0 for entry in rows),
        "complete": statuses.count(InputStatus.COMPLETE),
        "running": statuses.count(InputStatus.RUNNING),
        "waiting": sum(statuses.count(status) for status in WAITING),
        "failed": statuses.count(InputStatus.FAILED),
        "canceled": statuses.count(InputStatus.CANCELED),
    }


def _longest(standing: dict[UUID, Standing]) -> float | None:
    """Seconds until the last file is done, None where that cannot be said of all."""
    left = [entry.eta_seconds for entry in standing.values()]
    return _whole(max((seconds for seconds in left if seconds is not None), default=None)) if left else None


def _whole(seconds: float | None) -> float | None:
    """Seconds without a fraction: a page that shows minutes need not change for less."""
    return None if seconds is None else float(round(seconds))


def _moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at is not None else None


def _settled_percent(entry: JobInput) -> float:
    """A failed or canceled file asks for no more time: the job is past it."""
    return 100.0 if entry.status in ENDED else entry.percent


def _percent(entry: JobInput) -> float:
    return 100.0 if entry.status == InputStatus.COMPLETE else entry.percent
