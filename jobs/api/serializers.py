"""Serializers of files, jobs, and uploads for pages and programs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from jobs.api import schemas
from jobs.models import IncomingUpload, Job, JobInput, Sound, Upload
from jobs.ports import partial_results, progress_estimates, review_progress, worker_capabilities
from jobs.ports.partial_results import Part
from jobs.ports.progress_estimates import QueueStatus
from jobs.ports.review_progress import Review
from jobs.statuses import ENDED, InputStatus, JobStatus, job_status

STAGE_TEXTS = {
    "queued": gettext_lazy("Queued on the worker"),
    "downloading": gettext_lazy("Sending to the worker"),
    "decoding": gettext_lazy("Decoding audio"),
    "loading_model": gettext_lazy("Loading speech model"),
    "transcribing": gettext_lazy("Transcribing"),
    "diarizing": gettext_lazy("Identifying speakers"),
    "uploading": gettext_lazy("Saving transcript"),
    "complete": gettext_lazy("Saving transcript"),
}
SOUND_TEXTS = {
    "unreadable": gettext_lazy("This file is not a readable recording."),
    "no_sound": gettext_lazy("This file has no audio."),
    "timeout": gettext_lazy("Reading this file timed out."),
    "silent": gettext_lazy("This recording is silent."),
}


def upload_state(upload: Upload, *, is_new: bool, media_page: str = "upload-media") -> schemas.Upload:
    """Return one upload; `media_page` is the name of the address where its recording is."""
    return schemas.Upload(
        id=str(upload.pk),
        name=upload.name,
        folder=upload.folder,
        size_bytes=upload.size_bytes,
        is_new=is_new,
        media_url=reverse(media_page, args=[upload.pk]),
        sound=sound_state(upload),
    )


def sound_state(upload: Upload) -> schemas.SoundRow | None:
    """Return the audio analysis of an upload, with a problem in `text`; None if not analyzed yet."""
    sound = getattr(upload, "sound", None) if settings.SOUND_SECONDS else Sound()
    if sound is None:
        return None
    return schemas.SoundRow(
        seconds=round(sound.seconds, 1),
        codec=sound.codec,
        channels=sound.channels,
        problem=sound.problem,
        is_silent=sound.is_silent,
        text=str(SOUND_TEXTS.get(sound.problem or "silent" * sound.is_silent, "")),
    )


def incoming_state(entry: IncomingUpload) -> schemas.Incoming:
    """Return one unfinished upload and its outcome."""
    twin = entry.duplicate_of
    return schemas.Incoming(
        id=str(entry.pk),
        name=entry.name,
        folder=entry.folder,
        size_bytes=entry.size_bytes,
        offset_bytes=entry.offset_bytes,
        is_arriving=entry.is_arriving,
        expires_at=entry.expires_at.isoformat(),
        upload=upload_state(entry.upload, is_new=True) if entry.upload else None,
        duplicate_of=schemas.Twin(id=str(twin.pk), name=twin.name, folder=twin.folder) if twin else None,
    )


def job_state(
    job: Job,
    queue_status: Mapping[UUID, QueueStatus] | None = None,
    review: Mapping[UUID, Review] | None = None,
) -> schemas.Job:
    """Return one job with its inputs; uses prefetched inputs, queue statuses and reviews where there are any."""
    inputs = list(job.inputs.all())
    status = job_status([entry.status for entry in inputs])  # the job's row may be a moment older
    return schemas.Job(
        **dict(job_head(job, status)),
        percent=round(sum(_settled_percent(entry) for entry in inputs) / max(1, len(inputs)), 1),
        can_cancel=any(entry.can_cancel for entry in inputs),
        can_retry=any(entry.can_retry for entry in inputs),
        inputs=input_states(inputs, queue_status, review),
    )


def job_head(job: Job, status: JobStatus) -> schemas.JobHead:
    """Return what a job's own row says, but for its status: that is the caller's."""
    return schemas.JobHead(
        id=str(job.pk),
        number=job.number,
        status=status,
        status_text=str(status.label),
        created_at=job.created_at.isoformat(),
        ended_at=job.ended_at.isoformat() if job.ended_at else None,
        model=job.model,
        language=job.language,
        speakers=_speakers(job),
        runs_on="remote" if worker_capabilities.runs_remotely(job.use_remote) else "local",
    )


def _speakers(job: Job) -> str:
    """Return the requested number of speakers: auto, none, a number, or a range such as 2-4."""
    options = job.worker_options()
    if not options.diarization_enabled:
        return "none"
    if options.num_speakers:
        return str(options.num_speakers)
    low, high = options.min_speakers or "", options.max_speakers or ""
    return f"{low}-{high}" if low or high else "auto"


def file_state(entry: JobInput) -> schemas.InputOfWorker:
    """Return one file of a job on its own."""
    known = progress_estimates.of([entry])
    (state,) = input_states([entry], known)
    return schemas.InputOfWorker(
        **dict(state),
        last_contact_at=_moment(known.get(entry.pk, progress_estimates.UNKNOWN).last_contact_at),
        partial=[partial_output(entry, part) for part in partial_results.of(entry)],
    )


def partial_output(entry: JobInput, part: Part) -> schemas.PartialOutput:
    """Return one document that came of a file before it failed."""
    url = reverse("input-partial", args=[entry.pk, part.kind])
    return schemas.PartialOutput(id=part.kind, label=part.label, url=url)


def input_states(
    entries: Sequence[JobInput],
    queue_status: Mapping[UUID, QueueStatus] | None = None,
    review: Mapping[UUID, Review] | None = None,
) -> list[schemas.Input]:
    """Return files of jobs; asks once for all of them what is known beyond their rows, where that is not given."""
    queue_status = progress_estimates.of(entries) if queue_status is None else queue_status
    review = review_progress.of(entries) if review is None else review
    return [
        input_state(entry, queue_status.get(entry.pk, progress_estimates.UNKNOWN), review.get(entry.pk))
        for entry in entries
    ]


def input_state(entry: JobInput, queue_status: QueueStatus, review: Review | None) -> schemas.Input:
    """Return one file of a job: status, progress, failure, and transcript URL."""
    status = InputStatus(entry.status)
    is_complete = status == InputStatus.COMPLETE
    return schemas.Input(
        id=str(entry.pk),
        upload_id=str(entry.upload_id),
        name=entry.upload.name,
        folder=entry.upload.folder,
        status=status,
        stage=entry.stage,
        status_text=status_text(entry),
        percent=round(_percent(entry), 1),
        audio_seconds=entry.audio_seconds,
        audio_duration=entry.audio_duration,
        speed=entry.speed,
        eta_seconds=whole_seconds(queue_status.eta_seconds),
        attempt=entry.tries,
        attempts=settings.REMOTE_WORKER_MAX_ATTEMPTS,
        files_ahead=queue_status.files_ahead,
        unreachable_since=_moment(queue_status.unreachable_since),
        given_up_at=_moment(queue_status.given_up_at),
        worker=entry.worker_name,
        error=error_state(entry),
        remote=schemas.Remote(last_error=entry.remote_last_error),
        can_cancel=entry.can_cancel,
        can_retry=entry.can_retry,
        transcript_url=reverse("transcript", args=[entry.pk]) if is_complete else None,
        review=review_state(review) if is_complete and review else None,
    )


def review_state(review: Review) -> schemas.Review:
    """Return the review status of a file's transcript."""
    doubtful = ngettext("%(n)s flagged segment", "%(n)s flagged segments", review.doubtful) % {
        "n": review.doubtful
    }
    is_done = review.status == "done"
    return schemas.Review(
        status=review.status,
        text=review.status_text if is_done or not review.doubtful else f"{review.status_text} · {doubtful}",
        doubtful=review.doubtful,
        reviewer=review.reviewer,
    )


def status_text(entry: JobInput) -> str:
    """Return the status of a file as text."""
    if entry.status == InputStatus.QUEUED:
        return _("Waiting for an available worker")
    if entry.status == InputStatus.RUNNING and entry.stage in STAGE_TEXTS:
        return str(STAGE_TEXTS[entry.stage])
    return str(InputStatus(entry.status).label)


def error_state(entry: JobInput) -> schemas.Failure | None:
    """Return code, sentence, hint, and technical message of a failure."""
    text = entry.error_text
    if text is None:
        return None
    return schemas.Failure(
        code=entry.error_code,
        sentence=text.sentence,
        hint=text.hint,
        message=entry.error_message or text.sentence,
    )


def whole_seconds(seconds: float | None) -> float | None:
    """Return whole seconds: pages show minutes, so fractions would only cause needless updates."""
    return None if seconds is None else float(round(seconds))


def _moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at is not None else None


def _settled_percent(entry: JobInput) -> float:
    """A failed or canceled file needs no more time and counts as 100%."""
    return 100.0 if entry.status in ENDED else entry.percent


def _percent(entry: JobInput) -> float:
    return 100.0 if entry.status == InputStatus.COMPLETE else entry.percent
