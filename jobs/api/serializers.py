"""Files, jobs and what comes in, each as the JSON-ready mapping that pages and programs read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from jobs.models import IncomingUpload, Job, JobInput, Sound, Upload
from jobs.ports import partial_results, progress_estimates, review_progress, worker_capabilities
from jobs.ports.progress_estimates import QueueStatus
from jobs.ports.review_progress import Review
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
SOUND_TEXTS = {
    "unreadable": gettext_lazy("This file cannot be read as a recording."),
    "no_sound": gettext_lazy("This file has no sound."),
    "timeout": gettext_lazy("This file could not be read in time."),
    "silent": gettext_lazy("Nothing can be heard in this recording."),
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
        "sound": sound_state(upload),
    }


def sound_state(upload: Upload) -> dict[str, Any] | None:
    """Return what an upload was found to be, `text` for what is wrong with it; None while nobody has looked."""
    sound = getattr(upload, "sound", None) if settings.SOUND_SECONDS else Sound()
    if sound is None:
        return None
    return {
        "seconds": round(sound.seconds, 1),
        "codec": sound.codec,
        "channels": sound.channels,
        "problem": sound.problem,
        "isSilent": sound.is_silent,
        "text": str(SOUND_TEXTS.get(sound.problem or "silent" * sound.is_silent, "")),
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
        "isArriving": entry.is_arriving,
        "expiresAt": entry.expires_at.isoformat(),
        "upload": upload_state(entry.upload, is_new=True) if entry.upload else None,
        "duplicateOf": {"id": str(twin.pk), "name": twin.name, "folder": twin.folder} if twin else None,
    }


def job_state(
    job: Job,
    queue_status: Mapping[UUID, QueueStatus] | None = None,
    review: Mapping[UUID, Review] | None = None,
) -> dict[str, Any]:
    """Return one job with its inputs; uses prefetched inputs, standings and reviews where there are any."""
    inputs = list(job.inputs.all())
    queue_status = progress_estimates.of(inputs) if queue_status is None else queue_status
    review = review_progress.of(inputs) if review is None else review
    status = job_status(
        [entry.status for entry in inputs]
    )  # the job's row may be a moment older than they are
    return {
        **job_facts(job),
        "status": status,
        "statusText": str(status.label),
        "percent": round(sum(_settled_percent(entry) for entry in inputs) / max(1, len(inputs)), 1),
        "canCancel": any(entry.can_cancel for entry in inputs),
        "canRetry": any(entry.can_retry for entry in inputs),
        "inputs": [
            input_state(entry, queue_status.get(entry.pk, progress_estimates.UNKNOWN), review.get(entry.pk))
            for entry in inputs
        ],
    }


def job_facts(job: Job) -> dict[str, Any]:
    """Return what a job's own row says."""
    return {
        "id": str(job.pk),
        "number": job.number,
        "createdAt": job.created_at.isoformat(),
        "endedAt": job.ended_at.isoformat() if job.ended_at else None,
        "model": job.model,
        "language": job.language,
        "speakers": _speakers(job),
        "runsOn": "remote" if worker_capabilities.runs_remotely(job.use_remote) else "local",
    }


def _speakers(job: Job) -> str:
    """How many were said to speak: auto, none, a number, or two as in 2-4."""
    options = job.worker_options()
    if not options.diarization_enabled:
        return "none"
    if options.num_speakers:
        return str(options.num_speakers)
    low, high = options.min_speakers or "", options.max_speakers or ""
    return f"{low}-{high}" if low or high else "auto"


def file_state(entry: JobInput) -> dict[str, Any]:
    """Return one file of a job by itself."""
    queue_status = progress_estimates.of([entry]).get(entry.pk, progress_estimates.UNKNOWN)
    state = input_state(entry, queue_status, review_progress.of([entry]).get(entry.pk))
    return {
        **state,
        "lastContactAt": _moment(queue_status.last_contact_at),
        "partial": [partial_results.part_state(entry, part) for part in partial_results.of(entry)],
    }


def input_state(entry: JobInput, queue_status: QueueStatus, review: Review | None) -> dict[str, Any]:
    """Return one file of a job: where it stands, how far, what went wrong, where its transcript is."""
    is_complete = entry.status == InputStatus.COMPLETE
    return {
        "id": str(entry.pk),
        "uploadId": str(entry.upload_id),
        "name": entry.upload.name,
        "folder": entry.upload.folder,
        "status": entry.status,
        "stage": entry.stage,
        "statusText": status_text(entry),
        "percent": round(_percent(entry), 1),
        "audioSeconds": entry.audio_seconds,
        "audioDuration": entry.audio_duration,
        "speed": entry.speed,
        "etaSeconds": whole_seconds(queue_status.eta_seconds),
        "attempt": entry.tries,
        "attempts": settings.REMOTE_WORKER_MAX_ATTEMPTS,
        "filesAhead": queue_status.files_ahead,
        "unreachableSince": _moment(queue_status.unreachable_since),
        "givenUpAt": _moment(queue_status.given_up_at),
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


def whole_seconds(seconds: float | None) -> float | None:
    """Return seconds without a fraction: a page that shows minutes need not change for less."""
    return None if seconds is None else float(round(seconds))


def _moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at is not None else None


def _settled_percent(entry: JobInput) -> float:
    """A failed or canceled file asks for no more time: the job is past it."""
    return 100.0 if entry.status in ENDED else entry.percent


def _percent(entry: JobInput) -> float:
    return 100.0 if entry.status == InputStatus.COMPLETE else entry.percent
