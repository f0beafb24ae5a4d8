"""JSON endpoints for deleting and restoring, and for presets; the same functions as the pages."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from django.http import Http404, HttpRequest
from ninja import Schema, Status
from pydantic import ConfigDict, Field

from jobs import access, presets, trash
from jobs.api import schemas
from jobs.api.auth import Needs
from jobs.api.errors import refused
from jobs.api.session_page import router  # an address has one router, whatever its methods
from jobs.models import Scope
from jobs.uploads.ingest import UploadRefused

Done = Status[None] | Status[schemas.Refusal]
Row = TypeVar("Row")
MAY_DELETE, MAY_START = Needs(Scope.DELETE), Needs(Scope.JOBS)
GONE = {204: None}
BACK = {204: None, 507: schemas.Refusal}


class NewPreset(Schema):
    """Body of `POST /api/presets`: the options as in the job form."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=80, pattern=r"\S")
    options: dict[str, str | int | float | bool | None]


@router.delete("/jobs/{uuid:pk}", url_name="job-delete-api", response=GONE, auth=MAY_DELETE, tags=["Jobs"])
def delete_job(request: HttpRequest, pk: UUID, recordings: bool = False) -> Status[None]:
    """Delete a job and its transcripts; with `recordings`, also its recordings that no other job uses."""
    job = access.find_job(request.user, pk)
    trash.delete_job(job, access.person_of(request).get_username(), with_recordings=recordings)
    return Status(204, None)


@router.post(
    "/jobs/{uuid:pk}/restore", url_name="job-restore-api", response=BACK, auth=MAY_DELETE, tags=["Jobs"]
)
def restore_job(request: HttpRequest, pk: UUID) -> Done:
    """Restore a deleted job with its recordings."""
    return _brought_back(trash.restore_job, access.find_deleted_job(request.user, pk))


@router.delete(
    "/uploads/{uuid:pk}",
    url_name="upload-delete-api",
    response={204: None, 409: schemas.Refusal},
    auth=MAY_DELETE,
    tags=["Uploads"],
)
def delete_upload(request: HttpRequest, pk: UUID) -> Done:
    """Delete a recording that no job uses."""
    upload = access.find_upload(request.user, pk)
    try:
        trash.delete_upload(upload)
    except trash.StillUsed:
        return refused(409, "UPLOAD_IN_USE", f"{upload.name} is part of a job. Delete the job first.")
    return Status(204, None)


@router.post(
    "/uploads/{uuid:pk}/restore",
    url_name="upload-restore-api",
    response=BACK,
    auth=MAY_DELETE,
    tags=["Uploads"],
)
def restore_upload(request: HttpRequest, pk: UUID) -> Done:
    """Restore a deleted recording."""
    return _brought_back(trash.restore_upload, access.find_deleted_upload(request.user, pk))


@router.delete(
    "/sessions/{uuid:pk}", url_name="session-delete-api", response=GONE, auth=MAY_DELETE, tags=["Sessions"]
)
def delete_session(request: HttpRequest, pk: UUID) -> Status[None]:
    """Delete a session and everything in it."""
    trash.delete_session(access.find_session(request.user, pk), access.person_of(request).get_username())
    return Status(204, None)


@router.post(
    "/sessions/{uuid:pk}/restore",
    url_name="session-restore-api",
    response=BACK,
    auth=MAY_DELETE,
    tags=["Sessions"],
)
def restore_session(request: HttpRequest, pk: UUID) -> Done:
    """Restore a deleted session."""
    return _brought_back(trash.restore_session, access.find_deleted_session(request.user, pk))


@router.post(
    "/sessions/{uuid:pk}/trash/empty",
    url_name="trash-empty-api",
    response=GONE,
    auth=MAY_DELETE,
    tags=["Sessions"],
)
def empty_trash(request: HttpRequest, pk: UUID) -> Status[None]:
    """Empty the Trash of a session: permanently delete what was deleted from it."""
    trash.empty(access.find_session(request.user, pk))
    return Status(204, None)


@router.post(
    "/presets",
    url_name="presets",
    response={200: schemas.PresetAnswer, 409: schemas.Refusal},
    auth=MAY_START,
    tags=["Jobs"],
)
def post_preset(
    request: HttpRequest, preset: NewPreset
) -> Status[schemas.PresetAnswer] | Status[schemas.Refusal]:
    """Save job options as a preset."""
    access.check_unconfined(request.user)
    try:
        kept = presets.keep(access.person_of(request), preset.name.strip(), preset.options)
    except presets.TooMany:
        return refused(
            409,
            "TOO_MANY_PRESETS",
            f"You have reached the limit of {presets.MOST} presets. Delete one first.",
        )
    return Status(200, schemas.PresetAnswer(preset=kept))


@router.delete("/presets/{uuid:pk}", url_name="preset", response=GONE, auth=MAY_START, tags=["Jobs"])
def delete_preset(request: HttpRequest, pk: UUID) -> Status[None]:
    """Delete a preset."""
    token = access.token_of(request.user)
    if (token and token.session_id) or not presets.forget(access.person_of(request), pk):
        raise Http404
    return Status(204, None)


def _brought_back(restore: Callable[[Row], None], row: Row) -> Done:
    try:
        restore(row)
    except UploadRefused as refusal:
        return refused(507, refusal.code, refusal.message)
    return Status(204, None)
