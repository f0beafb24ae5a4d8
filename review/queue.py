"""The review queue of a session: its transcripts, those with the most flagged segments first.

A recording that was transcribed repeatedly has several transcripts. Only the newest is reviewed; older ones are
listed below it, marked as older, not counted, and never the next file. Nothing that people did in them is lost.
"""

from collections import defaultdict
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import F
from django.urls import reverse

from jobs.models import Session
from review.api.schemas import OtherTranscript, QueueTotals
from review.api.schemas import QueueFile as File
from review.models import Transcript

S = Transcript.ReviewStatus
NIL = "00000000-0000-0000-0000-000000000000"
COLUMNS = (
    *("pk", "review_status", "reviewer", "doubtful"),
    *("duration", "unchecked_seconds", "model", "created_at"),
)


def of(session: Session) -> list[File]:
    """Return the transcripts of a session in one query, without reading segments.

    Recordings with the most flagged segments come first, finished ones last, newest transcripts first.
    """
    found = Transcript.objects.filter(
        job_input__job__session=session, job_input__job__deleted_at=None
    ).order_by("-created_at", "pk")
    rows = found.values(*COLUMNS, name=F("job_input__upload__name"), upload=F("job_input__upload"))
    labels = {status.value: str(status.label) for status in S}
    by_upload: dict[UUID, list[File]] = defaultdict(list)
    for row in rows:
        transcripts = by_upload[row["upload"]]
        transcripts.append(_file(row, labels, is_older=bool(transcripts)))
    recordings = sorted(by_upload.values(), key=_urgency)
    return [file for transcripts in recordings for file in transcripts]


def totals(files: list[File]) -> QueueTotals:
    """Return the totals: finished files, and what remains."""
    work = [file for file in files if not file.is_older]
    left = [file for file in work if file.review_status != S.DONE]
    statuses = [file.review_status for file in work]
    return QueueTotals(
        files=len(work),
        done=statuses.count(S.DONE),
        doubtful=sum(file.doubtful for file in left),
        seconds_left=round(sum(file.seconds_left for file in left), 3),
        statuses={status: statuses.count(status) for status in S.values},
    )


def next_file(files: list[File], present: UUID, person: str) -> File | None:
    """Return the next file after `present`, None if nothing else is left.

    The next unfinished file in order, wrapping around; after a finished file, the first one. Files that someone else
    is reviewing come last, unless they need a second review.
    """
    places = [place for place, file in enumerate(files) if file.id == str(present)]
    is_done = bool(places) and files[places[0]].review_status == S.DONE
    start = 0 if is_done or not places else places[0] + 1
    others = [file for file in files[start:] + files[:start] if file.id != str(present)]
    left = [file for file in others if _is_left(file)]
    free = [file for file in left if not _is_taken(file, person)]
    return next(iter(free or left), None)


def around(files: list[File], present: UUID, count: int) -> list[File]:
    """Return up to `count` files of the queue around the current one."""
    place = next((place for place, file in enumerate(files) if file.id == str(present)), 0)
    start = max(0, min(place - count // 2, len(files) - count))
    return files[start : start + count]


def other_transcripts(files: list[File], present: UUID) -> list[OtherTranscript]:
    """Return the other transcripts of the same recording, newest first."""
    mine = next((file for file in files if file.id == str(present)), None)
    if mine is None:
        return []
    same = [file for file in files if file.upload_id == mine.upload_id]
    place = same.index(mine)
    return [OtherTranscript(**dict(file), is_newer=at < place) for at, file in enumerate(same) if at != place]


def _file(row: dict[str, Any], labels: dict[str, str], *, is_older: bool) -> File:
    pk, status = str(row["pk"]), row["review_status"]
    return File(
        id=pk,
        upload_id=str(row["upload"]),
        url=_address().replace(NIL, pk),
        name=row["name"],
        review_status=status,
        status_text=labels[status],
        reviewer=row["reviewer"] or None,
        doubtful=row["doubtful"],
        duration=row["duration"],
        seconds_left=0.0 if status == S.DONE else row["unchecked_seconds"],
        model=row["model"],
        created_at=row["created_at"].isoformat(),
        is_older=is_older,
    )


@cache
def _address() -> str:
    """Return the URL of the transcript NIL as a template, resolved once."""
    return reverse("transcript", args=[NIL])


def _urgency(transcripts: list[File]) -> tuple[bool, int, str]:
    newest = transcripts[0]
    return not _is_left(newest), -newest.doubtful, newest.created_at


def _is_left(file: File) -> bool:
    return not file.is_older and file.review_status != S.DONE


def _is_taken(file: File, person: str) -> bool:
    return file.reviewer not in (None, person) and file.review_status != S.SECOND_LOOK
