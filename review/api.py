"""The JSON the review page talks to. Errors: {"error": {"code", "message"}}; 404 for what is not yours."""

import gzip
import json
from collections.abc import Callable
from typing import Annotated, Any, TypeVar
from uuid import UUID, uuid4

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from ninja.errors import HttpError
from pydantic import ConfigDict, Field, StrictInt
from pydantic import ValidationError as PydanticError
from pydantic.alias_generators import to_camel

from jobs import access
from review import following, history, queue, revisions, snapshot
from review.models import Transcript
from review.orders import InvalidEdit, uuid_text

router = Router()
Answer = dict[str, Any]
Sent = TypeVar("Sent", bound=Schema)
MAX_EDITS = 200
MAX_BYTES = 2**20
EDIT_ANSWERS = {200: Any, 409: Any, 413: Any, 422: Any}
Version = Annotated[StrictInt, Field(ge=0, lt=2**31)]


class EditBatch(Schema):
    """What POST …/edits takes. The edits themselves are read by `orders.read`."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    base_version: Version
    client: UUID | None = None
    edits: list[dict[str, Any]]


class Here(Schema):
    """What POST …/presence takes."""

    client: UUID
    segment: UUID | None = None


class RevisionName(Schema):
    """What POST …/revisions takes."""

    name: Any


class Restoring(Schema):
    """What POST …/restore may take: who restores, and an id that makes it happen once."""

    id: UUID | None = None
    client: UUID | None = None


@router.get("/transcripts/{uuid:pk}", url_name="api-transcript")
def get_transcript(request: HttpRequest, pk: UUID) -> HttpResponse:
    state = snapshot.state_json(_find(request, pk))
    answer = HttpResponse(state, content_type="application/json", headers={"Vary": "Accept-Encoding"})
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        answer.content = gzip.compress(state, compresslevel=1)
        answer.headers["Content-Encoding"] = "gzip"
    return answer


@router.post("/transcripts/{uuid:pk}/edits", url_name="transcript-edits", response=EDIT_ANSWERS)
def post_edits(request: HttpRequest, pk: UUID) -> Status[Answer]:
    transcript = _find(request, pk)
    batch = _body(request, EditBatch)
    if len(request.body) > MAX_BYTES or len(batch.edits) > MAX_EDITS:
        return _refused(413, "TOO_LARGE", f"Send at most {MAX_EDITS} edits and 1 MiB at a time.")
    person = access.person_of(request)
    return _edited(transcript, lambda: history.commit(transcript, person, _batch(batch)))


@router.get("/transcripts/{uuid:pk}/changes", url_name="transcript-changes")
def get_changes(request: HttpRequest, pk: UUID, since: Annotated[int, Field(ge=0, lt=2**31)] = 0) -> Answer:
    transcript = _find(request, pk)
    return {**following.changes(transcript, since), "people": following.people(transcript)}


@router.post("/transcripts/{uuid:pk}/presence", url_name="transcript-presence")
def post_presence(request: HttpRequest, pk: UUID) -> Answer:
    transcript = _find(request, pk)
    here = _body(request, Here)
    following.note_presence(transcript, access.person_of(request), here.client, here.segment)
    return {"people": following.people(transcript)}


@router.get("/transcripts/{uuid:pk}/history", url_name="transcript-history")
def get_history(
    request: HttpRequest, pk: UUID, before: Annotated[int | None, Field(ge=0, lt=2**31)] = None
) -> Answer:
    return {"edits": following.past(_find(request, pk), before)}


@router.get("/transcripts/{uuid:pk}/revisions", url_name="transcript-revisions")
def get_revisions(request: HttpRequest, pk: UUID) -> Answer:
    found = _find(request, pk).revisions.defer("state")
    return {"revisions": [revisions.described(one) for one in found]}


@router.post("/transcripts/{uuid:pk}/revisions", response={201: Any, 422: Any})
def post_revision(request: HttpRequest, pk: UUID) -> Status[Answer]:
    transcript = _find(request, pk)
    name = _body(request, RevisionName).name
    try:
        made = revisions.create(transcript, access.person_of(request), name)
    except InvalidEdit as wrong:
        return _refused(422, wrong.code, wrong.message)
    return Status(201, {"revision": revisions.described(made)})


@router.get("/transcripts/{uuid:pk}/revisions/{int:rid}", url_name="transcript-revision")
def get_revision(request: HttpRequest, pk: UUID, rid: int) -> Answer:
    found = revisions.find(_find(request, pk), rid)
    return {"revision": revisions.described(found), "state": found.state}


@router.post("/transcripts/{uuid:pk}/revisions/{int:rid}/restore", response=EDIT_ANSWERS)
def post_restore(request: HttpRequest, pk: UUID, rid: int) -> Status[Answer]:
    transcript = _find(request, pk)
    revision = revisions.find(transcript, rid)
    person, order = access.person_of(request), _body(request, Restoring)
    client, edit_id = order.client or uuid4(), order.id or uuid4()
    return _edited(transcript, lambda: revisions.restore(revision, person, client, edit_id))


@router.get("/transcripts/{uuid:pk}/diff", url_name="transcript-diff")
def get_diff(request: HttpRequest, pk: UUID) -> Answer:
    return {"segments": following.differences(_find(request, pk))}


@router.get("/sessions/{uuid:pk}/review", url_name="session-review")
def get_queue(request: HttpRequest, pk: UUID, present: UUID | None = None) -> Answer:
    """The queue; with `present`, the transcript somebody is at, also the one to go to from there."""
    files = queue.of(access.find_session(request.user, pk))
    person = access.person_of(request).get_username()
    following_one = queue.next_file(files, present, person) if present else None
    return {"files": files, "totals": queue.totals(files), "next": following_one and following_one["id"]}


def _find(request: HttpRequest, pk: UUID) -> Transcript:
    wanted = Transcript.objects.select_related("job_input__job__session", "job_input__upload")
    transcript = wanted.filter(pk=pk).first()
    if transcript is None:
        raise Http404("No such transcript")
    access.check_session(request.user, transcript.job_input.job.session)
    return transcript


def _body(request: HttpRequest, kind: type[Sent]) -> Sent:
    """Read what was sent, once it is known that the address is theirs: a stranger learns nothing from a 400."""
    try:
        return kind.model_validate(json.loads(request.body or b"{}"))
    except RequestDataTooBig:
        raise HttpError(413, "This is more than can be sent at a time.") from None
    except PydanticError as wrong:
        first = wrong.errors()[0]
        raise HttpError(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except (ValueError, RecursionError):
        raise HttpError(400, "The body is not JSON.") from None


def _batch(sent: EditBatch) -> history.Batch:
    if not sent.edits:
        raise InvalidEdit("INVALID_FIELD", "Send at least one edit.")
    ids = [UUID(uuid_text(edit.get("id"), "id")) for edit in sent.edits]
    if len(set(ids)) < len(ids):
        raise InvalidEdit("ID_TAKEN", "Each edit has an id of its own.")
    return history.Batch(sent.base_version, sent.client or uuid4(), ids, sent.edits)


def _edited(transcript: Transcript, edit: Callable[[], Answer]) -> Status[Answer]:
    try:
        return Status(200, edit())
    except InvalidEdit as wrong:
        return _refused(422, wrong.code, wrong.message)
    except history.EditConflict as conflict:
        transcript.refresh_from_db()
        error = {"code": "EDIT_CONFLICT", "message": "Somebody else has changed this meanwhile."}
        rows = history.current(transcript, conflict.segments, conflict.speakers)
        return Status(409, {"error": error, **rows})


def _refused(status: int, code: str, message: str) -> Status[Answer]:
    return Status(status, {"error": {"code": code, "message": message}})
