"""Transcripts for programs: lists and downloads."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router

from jobs import access
from jobs.api import pagination
from jobs.api.pagination import Cursor, Limit
from review.api import schemas
from review.exports import FORMATS
from review.models import Transcript
from review.views import downloaded, find_transcript

router = Router(by_alias=True, tags=["Transcripts"])


@router.get("/sessions/{uuid:pk}/transcripts", url_name="api-transcripts", response=schemas.TranscriptPage)
def get_transcripts(
    request: HttpRequest, pk: UUID, limit: Limit = 50, cursor: Cursor = None
) -> schemas.TranscriptPage:
    """List the transcripts of a session, newest first."""
    session = access.find_session(request.user, pk)
    wanted = Transcript.objects.filter(job_input__job__session=session).select_related("job_input__upload")
    rows, following = pagination.page(wanted, cursor, limit)
    return schemas.TranscriptPage(transcripts=[_row(row) for row in rows], next=following)


@router.get("/transcripts/{uuid:pk}/exports", url_name="api-exports", response=schemas.ExportList)
def get_exports(request: HttpRequest, pk: UUID) -> schemas.ExportList:
    """List the formats in which a transcript can be downloaded."""
    find_transcript(request.user, pk)
    return schemas.ExportList(
        exports=[
            schemas.Export(
                format=name,
                label=str(form.label),
                content_type=form.content_type,
                url=reverse("api-1:api-export", args=[pk, name]),
            )
            for name, form in FORMATS.items()
        ]
    )


@router.get("/transcripts/{uuid:pk}/exports/{slug:format}", url_name="api-export")
def get_export(request: HttpRequest, pk: UUID, format: str) -> HttpResponse:
    """Download a transcript in a format. `json` is the document described in docs/transcript-format.md."""
    return downloaded(find_transcript(request.user, pk), format)


def _row(transcript: Transcript) -> schemas.TranscriptRow:
    entry = transcript.job_input
    return schemas.TranscriptRow(
        id=str(transcript.pk),
        upload_id=str(entry.upload_id),
        job_id=str(entry.job_id),
        name=entry.upload.name,
        language=transcript.language,
        model=transcript.model,
        engine=transcript.engine,
        duration=transcript.duration,
        version=transcript.version,
        doubtful=transcript.doubtful,
        review_status=transcript.review_status,
        reviewer=transcript.reviewer or None,
        created_at=transcript.created_at.isoformat(),
    )
