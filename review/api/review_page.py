"""JSON endpoints of the review page. Errors: {"error": {"code", "message"}}; 404 for other people's transcripts."""

import gzip
from collections.abc import Callable
from typing import Annotated, Any, TypeVar
from uuid import UUID, uuid4

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import Router, Schema, Status
from ninja.errors import HttpError
from pydantic import ConfigDict, Field, StrictInt, WithJsonSchema
from pydantic import ValidationError as PydanticError
from pydantic.alias_generators import to_camel

from gpu_worker.shared.units import MEBIBYTE
from jobs import access
from jobs.api.auth import Needs
from jobs.api.errors import refused
from jobs.api.json_body import read_json
from jobs.models import Scope
from review import queue
from review.api import schemas, snapshot
from review.edits.edit_validation import KINDS, InvalidEdit, uuid_text
from review.models import Transcript
from review.storage import activity, commit, versions

router = Router(by_alias=True, tags=["Transcripts"])
EditAnswer = Status[schemas.Edited] | Status[schemas.Conflict] | Status[schemas.Refusal]
Sent = TypeVar("Sent", bound=Schema)
MAX_EDITS = 200
MAX_BYTES = MEBIBYTE
MAY_EDIT = Needs(Scope.EDIT)
EDIT_ANSWERS = {200: schemas.Edited, 409: schemas.Conflict, 413: schemas.Refusal, 422: schemas.Refusal}
Version = Annotated[StrictInt, Field(ge=0, lt=2**31)]


def takes(kind: type[Schema], *, required: bool = True) -> dict[str, Any]:
    """Describe a body that `_body` reads, which ninja does not know about."""
    schema = kind.model_json_schema(by_alias=True)
    return {"requestBody": {"content": {"application/json": {"schema": schema}}, "required": required}}


EDITS = {
    "type": "array",
    "maxItems": MAX_EDITS,
    "description": "Each with the fields of its kind: "
    + "; ".join(
        f"`{kind}" + (f" ({', '.join(fields)})`" if fields else "`") for kind, fields in KINDS.items()
    ),
    "items": {
        "type": "object",
        "properties": {"id": {"type": "string", "format": "uuid"}, "kind": {"enum": list(KINDS)}},
        "required": ["id", "kind"],
    },
}


class EditBatch(Schema):
    """Body of `POST …/edits`. The edits themselves are read by `edit_validation.read`."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    base_version: Version
    client: UUID | None = None
    edits: Annotated[list[dict[str, Any]], WithJsonSchema(EDITS)]


class PresenceReport(Schema):
    """Body of `POST …/presence`."""

    client: UUID
    segment: UUID | None = None


class VersionName(Schema):
    """Body of `POST …/revisions`."""

    name: Any


class RestoreRequest(Schema):
    """Optional body of `POST …/restore`: the client, and an id that makes the request idempotent."""

    id: UUID | None = None
    client: UUID | None = None


@router.get("/transcripts/{uuid:pk}", url_name="api-transcript", response=schemas.TranscriptState)
def get_transcript(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Get the current state of a transcript with the times of every word."""
    state = snapshot.state_json(_find(request, pk))
    answer = HttpResponse(state, content_type="application/json", headers={"Vary": "Accept-Encoding"})
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        answer.content = gzip.compress(state, compresslevel=1)
        answer.headers["Content-Encoding"] = "gzip"
    return answer


@router.post(
    "/transcripts/{uuid:pk}/edits",
    url_name="transcript-edits",
    response=EDIT_ANSWERS,
    auth=MAY_EDIT,
    openapi_extra=takes(EditBatch),
)
def post_edits(request: HttpRequest, pk: UUID) -> EditAnswer:
    """Edit a transcript: all of the edits are applied, or none. Repeated edits are acknowledged only."""
    transcript = _find(request, pk)
    batch = _body(request, EditBatch)
    if len(request.body) > MAX_BYTES or len(batch.edits) > MAX_EDITS:
        return refused(413, "TOO_LARGE", f"Send at most {MAX_EDITS} edits and 1 MiB per request.")
    person = access.person_of(request)
    return _edited(transcript, lambda: commit.commit(transcript, person, _batch(batch)))


@router.get("/transcripts/{uuid:pk}/changes", url_name="transcript-changes", response=schemas.Changes)
def get_changes(
    request: HttpRequest, pk: UUID, since: Annotated[int, Field(ge=0, lt=2**31)] = 0
) -> schemas.Changes:
    """Get the changes since a version, and who is viewing the transcript."""
    return activity.changes(_find(request, pk), since)


@router.post(
    "/transcripts/{uuid:pk}/presence",
    url_name="transcript-presence",
    response=schemas.PeopleAnswer,
    auth=MAY_EDIT,
    openapi_extra=takes(PresenceReport),
)
def post_presence(request: HttpRequest, pk: UUID) -> schemas.PeopleAnswer:
    """Report that a page is viewing the transcript, and its position."""
    transcript = _find(request, pk)
    sent = _body(request, PresenceReport)
    activity.note_presence(transcript, access.person_of(request), sent.client, sent.segment)
    return schemas.PeopleAnswer(people=activity.people(transcript))


@router.get("/transcripts/{uuid:pk}/history", url_name="transcript-history", response=schemas.HistoryAnswer)
def get_history(
    request: HttpRequest, pk: UUID, before: Annotated[int | None, Field(ge=0, lt=2**31)] = None
) -> schemas.HistoryAnswer:
    """Get the edit history, newest first, 50 at a time; `before` is the `seq` to continue from."""
    return schemas.HistoryAnswer(edits=activity.past(_find(request, pk), before))


@router.get("/transcripts/{uuid:pk}/revisions", url_name="transcript-revisions", response=schemas.VersionList)
def get_versions(request: HttpRequest, pk: UUID) -> schemas.VersionList:
    """List the saved versions of a transcript."""
    found = _find(request, pk).revisions.defer("state")
    return schemas.VersionList(revisions=[versions.described(one) for one in found])


@router.post(
    "/transcripts/{uuid:pk}/revisions",
    response={201: schemas.VersionAnswer, 422: schemas.Refusal},
    auth=MAY_EDIT,
    openapi_extra=takes(VersionName),
)
def post_version(request: HttpRequest, pk: UUID) -> Status[schemas.VersionAnswer] | Status[schemas.Refusal]:
    """Save the current state as a version."""
    transcript = _find(request, pk)
    name = _body(request, VersionName).name
    try:
        made = versions.create(transcript, access.person_of(request), name)
    except InvalidEdit as wrong:
        return refused(422, wrong.code, wrong.message)
    return Status(201, schemas.VersionAnswer(revision=versions.described(made)))


@router.get(
    "/transcripts/{uuid:pk}/revisions/{int:rid}",
    url_name="transcript-revision",
    response=schemas.WholeVersion,
)
def get_version(request: HttpRequest, pk: UUID, rid: int) -> JsonResponse:
    """Get a saved version."""
    found = versions.find(_find(request, pk), rid)
    answer = schemas.VersionAnswer(revision=versions.described(found))
    return JsonResponse({**answer.wire(), "state": found.state})  # as it was saved


@router.post(
    "/transcripts/{uuid:pk}/revisions/{int:rid}/restore",
    response=EDIT_ANSWERS,
    auth=MAY_EDIT,
    openapi_extra=takes(RestoreRequest, required=False),
)
def post_restore(request: HttpRequest, pk: UUID, rid: int) -> EditAnswer:
    """Restore a saved version as a single edit that can be undone."""
    transcript = _find(request, pk)
    saved = versions.find(transcript, rid)
    person, sent = access.person_of(request), _body(request, RestoreRequest)
    client, edit_id = sent.client or uuid4(), sent.id or uuid4()
    return _edited(transcript, lambda: versions.restore(saved, person, client, edit_id))


@router.get("/transcripts/{uuid:pk}/diff", url_name="transcript-diff", response=schemas.DifferenceList)
def get_diff(request: HttpRequest, pk: UUID) -> schemas.DifferenceList:
    """List the segments whose text differs from the machine transcript."""
    return schemas.DifferenceList(segments=activity.differences(_find(request, pk)))


@router.get("/sessions/{uuid:pk}/review", url_name="session-review", response=schemas.Queue)
def get_queue(request: HttpRequest, pk: UUID, present: UUID | None = None) -> schemas.Queue:
    """Get the review queue; with `present`, the current transcript, also the next one."""
    files = queue.of(access.find_session(request.user, pk))
    person = access.person_of(request).get_username()
    following_one = queue.next_file(files, present, person) if present else None
    return schemas.Queue(
        files=files, totals=queue.totals(files), next=following_one.id if following_one else None
    )


def _find(request: HttpRequest, pk: UUID) -> Transcript:
    wanted = Transcript.objects.select_related("job_input__job__session", "job_input__upload")
    transcript = wanted.filter(pk=pk).first()
    if transcript is None:
        raise Http404("Transcript not found")
    access.check_job(request.user, transcript.job_input.job)
    return transcript


def _body(request: HttpRequest, kind: type[Sent]) -> Sent:
    """Read the body only after checking access, so that a stranger learns nothing from a 400."""
    try:
        return kind.model_validate(read_json(request) if request.body else {})
    except PydanticError as wrong:
        first = wrong.errors()[0]
        raise HttpError(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _batch(sent: EditBatch) -> commit.Batch:
    if not sent.edits:
        raise InvalidEdit("INVALID_FIELD", "Send at least one edit.")
    ids = [UUID(uuid_text(edit.get("id"), "id")) for edit in sent.edits]
    if len(set(ids)) < len(ids):
        raise InvalidEdit("ID_TAKEN", "Edit ids must be unique.")
    return commit.Batch(sent.base_version, sent.client or uuid4(), ids, sent.edits)


def _edited(transcript: Transcript, edit: Callable[[], schemas.Edited]) -> EditAnswer:
    try:
        return Status(200, edit())
    except InvalidEdit as wrong:
        return refused(422, wrong.code, wrong.message)
    except commit.EditConflict as conflict:
        transcript.refresh_from_db()
        error = schemas.Error(code="EDIT_CONFLICT", message="Someone else changed this in the meantime.")
        rows = commit.current(transcript, conflict.segments, conflict.speakers)
        return Status(409, schemas.Conflict(**dict(rows), error=error))
