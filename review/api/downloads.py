"""Transcripts for programs: lists and downloads."""

from typing import Any
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
Answer = dict[str, Any]
AS_THEY_ARE = ("language", "model", "engine", "duration", "version", "doubtful")


@router.get("/sessions/{uuid:pk}/transcripts", url_name="api-transcripts", response=schemas.TranscriptPage)
def get_transcripts(request: HttpRequest, pk: UUID, limit: Limit = 50, cursor: Cursor = None) -> Answer:
    """List the transcripts of a session, newest first."""
    session = access.find_session(request.user, pk)
    wanted = Transcript.objects.filter(job_input__job__session=session).select_related("job_input__upload")
    rows, following = pagination.page(wanted, cursor, limit)
    return {"transcripts": [_row(row) for row in rows], "next": following}


@router.get("/transcripts/{uuid:pk}/exports", url_name="api-exports", response=schemas.ExportList)
def get_exports(request: HttpRequest, pk: UUID) -> Answer:
    """List the formats in which a transcript can be downloaded."""
    find_transcript(request.user, pk)
    return {
        "exports": [
            {
                "format": name,
                "label": str(form.label),
                "contentType": form.content_type,
                "url": reverse("api-1:api-export", args=[pk, name]),
            }
            for name, form in FORMATS.items()
        ]
    }


@router.get("/transcripts/{uuid:pk}/exports/{slug:format}", url_name="api-export")
def get_export(request: HttpRequest, pk: UUID, format: str) -> HttpResponse:
    """Download a transcript in a format. `json` is the document described in docs/transcript-format.md."""
    return downloaded(find_transcript(request.user, pk), format)


def _row(transcript: Transcript) -> Answer:
    entry = transcript.job_input
    return {
        "id": str(transcript.pk),
        "uploadId": str(entry.upload_id),
        "jobId": str(entry.job_id),
        "name": entry.upload.name,
        **{name: getattr(transcript, name) for name in AS_THEY_ARE},
        "reviewStatus": transcript.review_status,
        "reviewer": transcript.reviewer or None,
        "createdAt": transcript.created_at.isoformat(),
    }
