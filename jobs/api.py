"""The JSON the session page talks to; the same verbs as the pages. Errors: {"error": {"code", "message"}}."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import File, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from gpu_worker.protocol import Options
from jobs import access, batches, history, incoming, uploads
from jobs.forms import choices_of, speaker_options
from jobs.live import file_state, incoming_state, job_state, session_state, upload_state
from jobs.models import Job, Session

router = Router()
Answer = dict[str, Any]
VERB_ANSWERS = {200: Any, 409: Any}


class JobOrder(Schema):
    """What POST /api/sessions/<id>/jobs takes; unknown fields are refused."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", populate_by_name=True)

    upload_ids: list[UUID]
    model: str
    language: str | None = None
    speakers: str = "auto"
    num_speakers: int | None = None
    min_speakers: int | None = None
    max_speakers: int | None = None
    use_remote: bool = False


class JobChanges(JobOrder):
    """What POST /api/jobs/<id>/rerun takes: what should be different; the rest is as in that job."""

    upload_ids: list[UUID] = []
    model: str = ""


@router.get("/sessions/{uuid:pk}/state", url_name="session-state")
def get_session_state(request: HttpRequest, pk: UUID) -> Answer:
    return session_state(access.find_session(request.user, pk))


@router.post("/sessions/{uuid:pk}/uploads", url_name="session-uploads")
def post_uploads(request: HttpRequest, pk: UUID, files: File[list[UploadedFile]]) -> Answer:
    session = access.find_session(request.user, pk)
    answer: Answer = {"uploads": [], "refused": []}
    for file in files:
        try:
            answer["uploads"].append(upload_state(uploads.receive(session, file), is_new=True))
        except uploads.UploadRefused as refusal:
            name = uploads.display_name(file.name or "")
            error = {"code": refusal.code, "message": refusal.message}
            answer["refused"].append({"name": name, "error": error})
    return answer


@router.post("/incoming/{uuid:pk}/keep", url_name="incoming-keep", response={200: Any, 409: Any, 507: Any})
def post_keep(request: HttpRequest, pk: UUID) -> Status[Answer]:
    """Keep a file that is here already as a file of its own."""
    entry = access.find_incoming(request.user, pk)
    try:
        kept = incoming.keep_duplicate(entry)
    except uploads.UploadRefused as refusal:
        return Status(507, {"error": {"code": refusal.code, "message": refusal.message}})
    if kept is None:
        text = "This file repeats no other, or what it repeated is gone."
        return Status(409, {"error": {"code": "NOT_A_DUPLICATE", "message": text}})
    return Status(200, {"incoming": incoming_state(entry)})


@router.post("/sessions/{uuid:pk}/jobs", url_name="session-jobs", response={201: Any, 400: Any})
def post_job(request: HttpRequest, pk: UUID, order: JobOrder) -> Status[Answer]:
    return _create(request, access.find_session(request.user, pk), order)


@router.post("/jobs/{uuid:pk}/rerun", url_name="api-job-rerun", response={201: Any, 400: Any})
def post_job_rerun(request: HttpRequest, pk: UUID, changes: JobChanges) -> Status[Answer]:
    job = access.find_job(request.user, pk)
    before = choices_of(job)
    before["upload_ids"] = before.pop("uploads")
    order = JobOrder(**{**before, **changes.model_dump(exclude_unset=True)})
    return _create(request, job.session, order)


@router.get("/jobs/{uuid:pk}", url_name="job")
def get_job(request: HttpRequest, pk: UUID) -> Answer:
    return {"job": job_state(access.find_job(request.user, pk))}


@router.get("/inputs/{uuid:pk}", url_name="input")
def get_input(request: HttpRequest, pk: UUID) -> Answer:
    entry = access.find_input(request.user, pk)
    return {"input": file_state(entry), "events": history.timeline(entry)}


@router.post("/jobs/{uuid:pk}/cancel", url_name="api-job-cancel", response=VERB_ANSWERS)
def post_job_cancel(request: HttpRequest, pk: UUID) -> Status[Answer]:
    job = access.find_job(request.user, pk)
    return _done(batches.cancel_job(job, access.person_of(request).get_username()), job)


@router.post("/jobs/{uuid:pk}/retry", url_name="api-job-retry", response=VERB_ANSWERS)
def post_job_retry(request: HttpRequest, pk: UUID) -> Status[Answer]:
    job = access.find_job(request.user, pk)
    return _done(batches.retry_job(job, access.person_of(request).get_username()), job)


@router.post("/inputs/{uuid:pk}/cancel", url_name="api-input-cancel", response=VERB_ANSWERS)
def post_input_cancel(request: HttpRequest, pk: UUID) -> Status[Answer]:
    job_input = access.find_input(request.user, pk)
    return _done(batches.cancel_input(job_input, access.person_of(request).get_username()), job_input.job)


@router.post("/inputs/{uuid:pk}/retry", url_name="api-input-retry", response=VERB_ANSWERS)
def post_input_retry(request: HttpRequest, pk: UUID) -> Status[Answer]:
    job_input = access.find_input(request.user, pk)
    return _done(batches.retry_input(job_input, access.person_of(request).get_username()), job_input.job)


def _create(request: HttpRequest, session: Session, order: JobOrder) -> Status[Answer]:
    found = {upload.pk: upload for upload in session.uploads.filter(pk__in=order.upload_ids)}
    try:
        if order.speakers not in ("auto", "none", "exact", "between"):
            raise batches.InvalidJob("speakers", "Choose auto, none, exact or between.")
        if missing := [pk for pk in order.upload_ids if pk not in found]:
            raise batches.InvalidJob("uploadIds", f"No file {missing[0]} here.", "UNKNOWN_UPLOAD")
        job = batches.create_job(
            session,
            [found[upload_id] for upload_id in order.upload_ids],
            _options(order),
            use_remote=order.use_remote,
            created_by=access.person_of(request),
        )
    except batches.InvalidJob as wrong:
        error = {"code": wrong.code, "message": wrong.message, "field": wrong.field}
        return Status(400, {"error": error})
    return Status(201, {"job": job_state(job)})


def _options(order: JobOrder) -> Options:
    return speaker_options(
        order.speakers,
        num=order.num_speakers,
        low=order.min_speakers,
        high=order.max_speakers,
        model=order.model,
        language=order.language or "",
    )


def _done(moved: int, job: Job) -> Status[Answer]:
    if not moved:
        error = {
            "code": "NOTHING_TO_DO",
            "message": "This has changed meanwhile; the page shows where it stands.",
        }
        return Status(409, {"error": error})
    job.refresh_from_db()
    return Status(200, {"job": job_state(job)})
