"""The transcript page and its downloads."""

from pathlib import PurePath
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from jobs import access
from jobs.access import Person
from review import queue, timeline
from review.exports import FORMATS
from review.models import Transcript
from review.timeline import TimelineSegment

FIRST_SEGMENTS = 200  # of the first paint, and without JavaScript of a page
FIRST_FILES = 50  # of the queue, likewise
BLOCK = 100  # segments that the browser draws, or leaves out, together


@login_required
@require_safe
def transcript_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    transcript = find_transcript(request.user, pk)
    upload = transcript.job_input.upload
    shown = None if "all" in request.GET else FIRST_SEGMENTS
    state = timeline.of(
        transcript, first=None if shown is None else shown + 1
    )  # one more tells that there are more
    rows = list(zip(state.segments, state.turns(), strict=True))
    context = {
        "transcript": {
            "id": str(pk),
            **{
                name: getattr(transcript, name)
                for name in ("language", "model", "engine", "duration", "warnings", "version")
            },
        },
        "name": upload.name,
        "session": transcript.job_input.job.session,
        "media_url": reverse("upload-media", args=[upload.pk]),
        "levels_url": reverse("upload-levels", args=[upload.pk]),
        "content_type": upload.content_type,
        "api_url": reverse("api-1:api-transcript", args=[pk]),
        "queue": _queue(request, transcript),
        "blocks": _blocks([_segment(*row) for row in rows[:shown]]),
        "has_more": shown is not None and len(rows) > shown,
        "downloads": [
            {"format": name, "label": form.label, "url": reverse("transcript-download", args=[pk, name])}
            for name, form in FORMATS.items()
        ],
    }
    return render(request, "review/transcript.html", context)


@login_required
@require_safe
def download(request: HttpRequest, pk: UUID, format: str) -> HttpResponse:
    return downloaded(find_transcript(request.user, pk), format)


def downloaded(transcript: Transcript, format: str) -> HttpResponse:
    """Return the transcript as a file in this format. Raises Http404."""
    form = FORMATS.get(format)
    if form is None:
        raise Http404("Format not found")
    name = f"{PurePath(transcript.job_input.upload.name).stem}.{format}"
    return HttpResponse(
        form.write(timeline.of(transcript)),
        content_type=form.content_type,
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"},
    )


def find_transcript(person: Person, pk: UUID) -> Transcript:
    """Return the transcript. Raises Http404 if it does not exist or belongs to someone else."""
    transcript = (
        Transcript.objects.filter(pk=pk)
        .select_related("job_input__job__session", "job_input__upload")
        .first()
    )
    if transcript is None:
        raise Http404("Transcript not found")
    access.check_job(person, transcript.job_input.job)
    return transcript


def _queue(request: HttpRequest, transcript: Transcript) -> dict[str, Any]:
    """Return the review queue for the initial HTML."""
    files, pk = queue.of(transcript.job_input.job.session), transcript.pk
    shown = len(files) if request.GET.get("queue") == "all" else FIRST_FILES
    following = queue.next_file(files, pk, access.person_of(request).get_username())
    return {
        "url": f"{reverse('api-1:session-review', args=[transcript.job_input.job.session_id])}?present={pk}",
        "files": [file.wire() for file in queue.around(files, pk, shown)],
        "count": len(files),
        "totals": queue.totals(files).wire(),
        "next": following and following.wire(),
        "other_transcripts": [file.wire() for file in queue.other_transcripts(files, pk)],
        "statuses": Transcript.ReviewStatus.choices,
    }


def _blocks(segments: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    return [segments[at : at + BLOCK] for at in range(0, len(segments), BLOCK)]


def _segment(segment: TimelineSegment, is_turn: bool) -> dict[str, Any]:
    """Return a segment for the initial HTML; JavaScript loads the rest from the API."""
    speaker = {"name": segment.speaker, "colour": segment.colour} if segment.speaker else None
    return {
        "key": segment.key,
        "start": segment.start,
        "speaker": speaker,
        "new_speaker": is_turn,
        "text": segment.text,
    }
