"""Sessions, their files, and lists of jobs for programs. `session_page` has the endpoints of the page."""

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from ninja import Query, Schema, Status
from ninja.errors import HttpError
from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from jobs import access
from jobs.api import pagination, schemas
from jobs.api.auth import Needs
from jobs.api.pagination import Cursor, Limit
from jobs.api.serializers import input_states, job_head, upload_state
from jobs.api.session_page import router  # one for both: an address takes its methods from one router
from jobs.forms import RetentionForm, SessionForm
from jobs.media.serving import file_response
from jobs.models import Job, JobInput, Scope, Session, Upload
from jobs.statuses import ENDED, JobStatus

RetentionDays = Literal[30, 90, 365]


class NewSession(Schema):
    """Name of a session."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200)]


class SessionChanges(Schema):
    """Changes to a session. `retentionDays` counts from its last change; null: forever."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", strict=True, json_schema_extra={"minProperties": 1}
    )

    name: Annotated[str, Field(min_length=1, max_length=200)] = ""
    retention_days: RetentionDays | None = None


@router.get("/sessions", url_name="api-sessions", response=schemas.SessionPage, tags=["Sessions"])
def get_sessions(request: HttpRequest, limit: Limit = 50, cursor: Cursor = None) -> schemas.SessionPage:
    """List sessions, newest first."""
    rows, following = pagination.page(access.sessions_of(request.user), cursor, limit)
    return schemas.SessionPage(sessions=_session_rows(rows), next=following)


@router.post(
    "/sessions",
    url_name="api-session-new",
    response={201: schemas.SessionAnswer},
    auth=Needs(Scope.UPLOAD),
    tags=["Sessions"],
)
def post_session(request: HttpRequest, payload: NewSession) -> Status[schemas.SessionAnswer]:
    """Create a session. Not allowed for tokens that are limited to one session."""
    access.check_unconfined(request.user)
    session = _named(Session(owner=access.person_of(request)), payload.name).save()
    return Status(201, _answer(session))


@router.get("/sessions/{uuid:pk}", url_name="api-session", response=schemas.SessionAnswer, tags=["Sessions"])
def get_session(request: HttpRequest, pk: UUID) -> schemas.SessionAnswer:
    """Get a session."""
    return _answer(access.find_session(request.user, pk))


@router.patch(
    "/sessions/{uuid:pk}", response=schemas.SessionAnswer, auth=Needs(Scope.UPLOAD), tags=["Sessions"]
)
def patch_session(request: HttpRequest, pk: UUID, payload: SessionChanges) -> schemas.SessionAnswer:
    """Rename a session or change its retention. Changing the retention requires the scope `delete`."""
    session, wanted = access.find_session(request.user, pk), payload.model_fields_set
    if "retention_days" in wanted:
        access.check_scope(request.user, Scope.DELETE)
    if not wanted:
        raise HttpError(400, "Nothing to change. Send name or retentionDays.")
    if "name" in wanted:
        session = _named(session, payload.name).rename()
    if "retention_days" in wanted:
        form = RetentionForm({"retention_days": payload.retention_days}, instance=session)
        assert form.is_valid()
        session = form.keep()
    return _answer(session)


@router.get("/sessions/{uuid:pk}/uploads", response=schemas.UploadPage, tags=["Uploads"])
def get_uploads(
    request: HttpRequest, pk: UUID, limit: Limit = 50, cursor: Cursor = None
) -> schemas.UploadPage:
    """List the uploads of a session, newest first."""
    session = access.find_session(request.user, pk)
    rows, following = pagination.page(_described(session.uploads.filter(deleted_at=None)), cursor, limit)
    return schemas.UploadPage(uploads=[_upload_row(row) for row in rows], next=following)


@router.get("/uploads/{uuid:pk}", url_name="api-upload", response=schemas.UploadAnswer, tags=["Uploads"])
def get_upload(request: HttpRequest, pk: UUID) -> schemas.UploadAnswer:
    """Get an upload."""
    found = access.find_upload(request.user, pk)
    return schemas.UploadAnswer(upload=_upload_row(_described(Upload.objects.filter(pk=found.pk)).get()))


@router.get("/uploads/{uuid:pk}/media", url_name="api-upload-media", tags=["Uploads"])
def get_media(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Download the recording; supports Range."""
    upload = access.find_upload(request.user, pk)
    try:
        return file_response(
            request, upload.path, etag=upload.sha256, content_type=upload.content_type, name=upload.name
        )
    except FileNotFoundError as missing:
        raise Http404("The recording is no longer on the disk.") from missing


class JobFilter(Schema):
    """Filters for jobs."""

    status: JobStatus | None = None
    session: UUID | None = None


@router.get("/jobs", url_name="api-jobs", response=schemas.JobPage, tags=["Jobs"])
def get_jobs(
    request: HttpRequest, wanted: Query[JobFilter], limit: Limit = 50, cursor: Cursor = None
) -> schemas.JobPage:
    """List jobs, newest first, optionally of one session or with one status."""
    jobs = Job.objects.filter(session__in=access.sessions_of(request.user), deleted_at=None)
    if wanted.session is not None:
        jobs = jobs.filter(session=access.find_session(request.user, wanted.session))
    if wanted.status is not None:
        jobs = jobs.filter(status=wanted.status.value)
    rows, following = pagination.page(jobs, cursor, limit)
    return schemas.JobPage(jobs=_job_rows(rows), next=following)


@router.get("/jobs/{uuid:pk}/inputs", url_name="api-job-inputs", response=schemas.InputPage, tags=["Jobs"])
def get_inputs(request: HttpRequest, pk: UUID, limit: Limit = 50, cursor: Cursor = None) -> schemas.InputPage:
    """List the files of a job in their order."""
    job = access.find_job(request.user, pk)
    inputs = job.inputs.select_related("upload", "job")
    rows, following = pagination.page(inputs, cursor, limit, by="position", newest=False)
    return schemas.InputPage(inputs=input_states(rows), next=following)


def _named(session: Session, name: str) -> SessionForm:
    form = SessionForm({"name": name}, instance=session)
    if not form.is_valid():
        raise HttpError(400, f"name: {form.errors['name'][0]}")
    return form


def _answer(session: Session) -> schemas.SessionAnswer:
    return schemas.SessionAnswer(session=_session_rows([session])[0])


def _session_rows(sessions: list[Session]) -> list[schemas.SessionRow]:
    """Return rows with their numbers of files and jobs, in two queries for any number of sessions."""
    uploads, jobs = (
        dict(
            kind.filter(session__in=sessions, deleted_at=None)
            .order_by()
            .values_list("session")
            .annotate(n=Count("pk"))
        )
        for kind in (Upload.objects.all(), Job.objects.all())
    )
    return [
        schemas.SessionRow(
            id=str(session.pk),
            name=session.name,
            created_at=session.created_at.isoformat(),
            touched_at=session.touched_at.isoformat(),
            retention_days=session.retention_days,
            uploads=uploads.get(session.pk, 0),
            jobs=jobs.get(session.pk, 0),
        )
        for session in sessions
    ]


def _described(uploads: QuerySet[Upload]) -> QuerySet[Upload]:
    return uploads.select_related("sound")


def _upload_row(upload: Upload) -> schemas.UploadRow:
    return schemas.UploadRow(
        **dict(upload_state(upload, is_new=not upload.is_used, media_page="api-1:api-upload-media")),
        session_id=str(upload.session_id),
        sha256=upload.sha256,
        content_type=upload.content_type,
        created_at=upload.created_at.isoformat(),
    )


def _job_rows(jobs: list[Job]) -> list[schemas.JobRow]:
    """Return rows with their numbers of files by outcome, in one query."""
    ended = {status.value: Count("pk", filter=Q(status=status)) for status in ENDED}
    inputs = JobInput.objects.filter(job__in=jobs).order_by().values_list("job")
    names = ("files", *ended)
    counted = inputs.annotate(files=Count("pk"), **ended)
    counts = {pk: dict(zip(names, numbers, strict=True)) for pk, *numbers in counted}
    return [_job_row(job, counts.get(job.pk, {})) for job in jobs]


def _job_row(job: Job, counts: Mapping[str, int]) -> schemas.JobRow:
    return schemas.JobRow(
        **dict(job_head(job, JobStatus(job.status))),
        session_id=str(job.session_id),
        files=counts.get("files", 0),
        complete=counts.get(JobStatus.COMPLETE, 0),
        failed=counts.get(JobStatus.FAILED, 0),
        canceled=counts.get(JobStatus.CANCELED, 0),
    )
