"""JSON endpoints of the session page, calling the same functions as the pages. Errors: {"error": {"code", "message"}}.

Lists for programs are in `api_sessions`, on the same router.
"""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from ninja import File, Query, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from gpu_worker.shared.protocol import Options
from jobs import access, batches, filters, history
from jobs.api import schemas
from jobs.api.auth import Needs
from jobs.api.errors import refused
from jobs.api.serializers import file_state, incoming_state, job_state, sound_state, upload_state
from jobs.api.session_state import session_state, state_stamp
from jobs.filters import Choice
from jobs.forms import COUNTS_OF, SPEAKERS, choices_of, job_options
from jobs.models import Job, Scope, Session, Upload
from jobs.ports import worker_capabilities
from jobs.uploads import ingest, resumable

router = Router(by_alias=True)
VerbAnswer = Status[schemas.JobAnswer] | Status[schemas.Refusal]
StartAnswer = Status[schemas.JobAnswer] | Status[schemas.JobRefusal]
MAY_UPLOAD, MAY_START = Needs(Scope.UPLOAD), Needs(Scope.JOBS)
VERB_ANSWERS = {200: schemas.JobAnswer, 409: schemas.Refusal}
START_ANSWERS = {201: schemas.JobAnswer, 400: schemas.JobRefusal}
KEEP_ANSWERS = {200: schemas.IncomingAnswer, 409: schemas.Refusal, 507: schemas.Refusal}
MAX_SOUNDS = 200  # asked for at a time


class NewJob(Schema):
    """Body of `POST /api/sessions/<id>/jobs`; unknown fields are rejected."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", populate_by_name=True)

    upload_ids: list[UUID] = []
    all_new: bool = False  # every file that no job has yet, but those in which nothing can be heard
    files_of: UUID | None = None  # every file of this job of the session
    model: str = ""  # the installation's usual one
    language: str | None = None
    speakers: str = "auto"
    num_speakers: int | None = None
    min_speakers: int | None = None
    max_speakers: int | None = None
    use_remote: bool = False
    task: str = "transcribe"
    initial_prompt: str = ""
    hotwords: str = ""
    vad_enabled: bool = True
    hallucination_sensitivity: float = 0.5


class StateFilter(Schema):
    """Filters for the files of a session; invalid values are ignored."""

    show: str = "all"
    q: str = ""
    page: str = "1"


class JobChanges(NewJob):
    """Body of `POST /api/jobs/<id>/rerun`: the options to change; all others are taken from that job."""

    model: str = ""


@router.get(
    "/sessions/{uuid:pk}/state",
    url_name="session-state",
    response={200: schemas.SessionState, 304: None},
    tags=["Sessions"],
)
def get_session_state(request: HttpRequest, pk: UUID, wanted: Query[StateFilter]) -> HttpResponseBase:
    """Get the state of a session as its page shows it. The page polls this every 2 s.

    With If-None-Match, an unchanged state costs only a few queries and returns 304.
    """
    session, choice = access.find_session(request.user, pk), Choice.of(request.GET)
    etag = f'"{state_stamp(session, choice)}"'
    answer = get_conditional_response(request, etag=etag)
    if answer is None:
        state = session_state(session, choice).wire_bytes()
        answer = HttpResponse(state, content_type="application/json", headers={"ETag": etag})
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


@router.post(
    "/sessions/{uuid:pk}/uploads",
    url_name="session-uploads",
    response=schemas.Received,
    auth=MAY_UPLOAD,
    tags=["Uploads"],
)
def post_uploads(request: HttpRequest, pk: UUID, files: File[list[UploadedFile]]) -> schemas.Received:
    """Upload small files in one request. Use resumable uploads for large files."""
    session = access.find_session(request.user, pk)
    answer = schemas.Received(uploads=[], refused=[])
    for file in files:
        try:
            answer.uploads.append(upload_state(ingest.receive(session, file), is_new=True))
        except ingest.UploadRefused as refusal:
            name = ingest.display_name(file.name or "")
            error = schemas.Error(code=refusal.code, message=refusal.message)
            answer.refused.append(schemas.RefusedUpload(name=name, error=error))
    return answer


@router.get(
    "/sessions/{uuid:pk}/sounds",
    url_name="session-sounds",
    response={200: schemas.Sounds, 400: schemas.Refusal},
    tags=["Uploads"],
)
def get_sounds(
    request: HttpRequest, pk: UUID, ids: str = ""
) -> Status[schemas.Sounds] | Status[schemas.Refusal]:
    """Get the audio analysis of uploads, given by comma-separated ids; null if not analyzed yet."""
    session = access.find_session(request.user, pk)
    try:
        wanted = {UUID(each) for each in ids.split(",") if each}
    except ValueError:
        return refused(400, "INVALID_REQUEST", "ids must be a comma-separated list of upload ids.")
    found = session.uploads.filter(pk__in=list(wanted)[:MAX_SOUNDS])
    found = found.select_related("sound").defer("sound__levels")
    return Status(200, schemas.Sounds(sounds={str(upload.pk): sound_state(upload) for upload in found}))


@router.post(
    "/incoming/{uuid:pk}/keep",
    url_name="incoming-keep",
    response=KEEP_ANSWERS,
    auth=MAY_UPLOAD,
    tags=["Resumable uploads"],
)
def post_keep(request: HttpRequest, pk: UUID) -> Status[schemas.IncomingAnswer] | Status[schemas.Refusal]:
    """Keep a duplicate as a separate file."""
    entry = access.find_incoming(request.user, pk)
    try:
        kept = resumable.keep_duplicate(entry)
    except ingest.UploadRefused as refusal:
        return refused(507, refusal.code, refusal.message)
    if kept is None:
        return refused(
            409, "NOT_A_DUPLICATE", "This file is not a duplicate, or the original no longer exists."
        )
    return Status(200, schemas.IncomingAnswer(incoming=incoming_state(entry)))


@router.post(
    "/sessions/{uuid:pk}/jobs",
    url_name="session-jobs",
    response=START_ANSWERS,
    auth=MAY_START,
    tags=["Jobs"],
)
def post_job(request: HttpRequest, pk: UUID, payload: NewJob) -> StartAnswer:
    """Start a job for files of the session."""
    return _create(request, access.find_session(request.user, pk), payload, payload)


@router.post(
    "/jobs/{uuid:pk}/rerun",
    url_name="api-job-rerun",
    response=START_ANSWERS,
    auth=MAY_START,
    tags=["Jobs"],
)
def post_job_rerun(request: HttpRequest, pk: UUID, changes: JobChanges) -> StartAnswer:
    """Start a job like this one with different options."""
    job = access.find_job(request.user, pk)
    before = choices_of(job)
    wanted = changes.model_dump(exclude_unset=True)
    if not wanted.keys() & {"upload_ids", "all_new", "files_of"}:
        before["files_of"] = job.pk
    payload = NewJob(**{**before, **wanted})
    return _create(request, job.session, payload, changes)


@router.get("/jobs/{uuid:pk}", url_name="job", response=schemas.JobAnswer, tags=["Jobs"])
def get_job(request: HttpRequest, pk: UUID) -> schemas.JobAnswer:
    """Get a job with all of its files."""
    return schemas.JobAnswer(job=job_state(access.find_job(request.user, pk)))


@router.get("/inputs/{uuid:pk}", url_name="input", response=schemas.InputAnswer, tags=["Jobs"])
def get_input(request: HttpRequest, pk: UUID) -> schemas.InputAnswer:
    """Get one file of a job with its activity."""
    entry = access.find_input(request.user, pk)
    return schemas.InputAnswer(input=file_state(entry), events=history.timeline(entry))


@router.post(
    "/jobs/{uuid:pk}/cancel",
    url_name="api-job-cancel",
    response=VERB_ANSWERS,
    auth=MAY_START,
    tags=["Jobs"],
)
def post_job_cancel(request: HttpRequest, pk: UUID) -> VerbAnswer:
    """Cancel all files of a job that have not ended."""
    job = access.find_job(request.user, pk)
    return _done(batches.cancel_job(job, access.person_of(request).get_username()), job)


@router.post(
    "/jobs/{uuid:pk}/retry",
    url_name="api-job-retry",
    response=VERB_ANSWERS,
    auth=MAY_START,
    tags=["Jobs"],
)
def post_job_retry(request: HttpRequest, pk: UUID) -> VerbAnswer:
    """Retry the failed files of a job, or the canceled files if none failed."""
    job = access.find_job(request.user, pk)
    return _done(batches.retry_job(job, access.person_of(request).get_username()), job)


@router.post(
    "/inputs/{uuid:pk}/cancel",
    url_name="api-input-cancel",
    response=VERB_ANSWERS,
    auth=MAY_START,
    tags=["Jobs"],
)
def post_input_cancel(request: HttpRequest, pk: UUID) -> VerbAnswer:
    """Cancel one file of a job."""
    job_input = access.find_input(request.user, pk)
    return _done(batches.cancel_input(job_input, access.person_of(request).get_username()), job_input.job)


@router.post(
    "/inputs/{uuid:pk}/retry",
    url_name="api-input-retry",
    response=VERB_ANSWERS,
    auth=MAY_START,
    tags=["Jobs"],
)
def post_input_retry(request: HttpRequest, pk: UUID) -> VerbAnswer:
    """Retry one failed or canceled file."""
    job_input = access.find_input(request.user, pk)
    return _done(batches.retry_input(job_input, access.person_of(request).get_username()), job_input.job)


def _create(request: HttpRequest, session: Session, payload: NewJob, sent: NewJob) -> StartAnswer:
    try:
        job = batches.create_job(
            session,
            _wanted(session, payload),
            _options(payload, sent),
            use_remote=payload.use_remote,
            created_by=access.person_of(request),
        )
    except batches.InvalidJob as wrong:
        error = schemas.FieldError(code=wrong.code, message=wrong.message, field=wrong.field)
        return Status(400, schemas.JobRefusal(error=error))
    return Status(201, schemas.JobAnswer(job=job_state(job)))


def _wanted(session: Session, payload: NewJob) -> list[Upload]:
    """The files that a request names. Raises InvalidJob."""
    named = list(session.uploads.filter(pk__in=payload.upload_ids, deleted_at=None))
    if missing := set(payload.upload_ids) - {upload.pk for upload in named}:
        raise batches.InvalidJob("uploadIds", f"File not found: {min(missing)}.", "UNKNOWN_UPLOAD")
    again = session.jobs.filter(pk=payload.files_of, deleted_at=None).first() if payload.files_of else None
    if payload.files_of and again is None:
        raise batches.InvalidJob("filesOf", f"No job {payload.files_of} here.", "UNKNOWN_JOB")
    by_id = {pk: place for place, pk in enumerate(payload.upload_ids)}
    named.sort(key=lambda upload: by_id[upload.pk])
    return filters.wanted(session, named, all_new=payload.all_new, files_of=again)


def _options(payload: NewJob, sent: NewJob) -> Options:
    if payload.speakers not in SPEAKERS:
        raise batches.InvalidJob("speakers", "speakers must be auto, none, exact, or between.")
    chosen = {
        "model": payload.model or worker_capabilities.usual_model(),
        "speakers": _speakers(payload, sent),
    }
    return job_options({**payload.model_dump(), **chosen})


def _speakers(payload: NewJob, sent: NewJob) -> str:
    """Return how speakers are identified: as requested, or as implied by a count that was `sent` alone.

    Raises InvalidJob for a count that would be ignored.
    """
    kinds = {name: kind for kind, names in COUNTS_OF.items() for name in names}
    told = [name for name in kinds if name in sent.model_fields_set and getattr(sent, name) is not None]
    is_said = "speakers" in sent.model_fields_set or not told
    speakers = payload.speakers if is_said else kinds[told[0]]
    for name in told:
        if kinds[name] != speakers:
            text = f"{to_camel(name)} requires speakers “{kinds[name]}”, not “{speakers}”."
            raise batches.InvalidJob(to_camel(name), text)
    return speakers


def _done(moved: int, job: Job) -> VerbAnswer:
    if not moved:
        return refused(409, "NOTHING_TO_DO", "Status already changed; reload the page.")
    job.refresh_from_db()
    return Status(200, schemas.JobAnswer(job=job_state(job)))
