"""Transcripts of any length in an installation of its own, for measuring pages. `review_page.py` uses it."""

import json
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobs.models import Session, Upload
    from review.models import Transcript

SEGMENTS_A_MINUTE = 20
WORDS = (8, 8, 9)  # of a segment, in turn: 100,000 in ten hours
SPEAKERS = 4
FLAGGED = 8  # each eighth segment
RATE = 3000  # Hz, the least that browsers play


@contextmanager
def running_stack() -> "Iterator[Session]":
    """Web, Celery and worker on a fresh database; yields a session to put transcripts into."""
    import django

    django.setup()
    from django.core.management import call_command

    from bulktranscribe.directories import make_directories
    from bulktranscribe.runtime.supervisor import Stack
    from bulktranscribe.sign_in import make_owner
    from jobs.models import Session

    make_directories()
    call_command("migrate", verbosity=0)
    session = Session.objects.create(owner=make_owner(), name="Long interviews")
    with Stack() as stack:
        stack.wait_ready()
        yield session


def make_transcript(
    session: "Session", minutes: int, folder: Path, content: dict[str, Any] | None = None
) -> "Transcript":
    """Commit a silent recording with a document of so many minutes as a worker would have sent it."""
    from jobs.uploads import ingest

    upload = ingest.receive_path(session, silence(folder / f"{minutes} min.wav", minutes))
    return commit_document(upload, content or document(minutes))


def commit_document(upload: "Upload", content: dict[str, Any]) -> "Transcript":
    """Make a job over an upload that is complete with this document, as a worker would have sent it."""
    from jobs.models import Job, JobInput, Result, ResultFile
    from review.storage import importer

    session = upload.session
    number = session.jobs.count() + 1
    job = Job.objects.create(session=session, number=number, model=content["model"], created_by=session.owner)
    job_input = JobInput.objects.create(
        job=job,
        upload=upload,
        position=0,
        status="complete",
        attempt_count=1,
        audio_duration=content["duration"],
    )
    job.refresh_status()
    session.uploads.filter(pk=upload.pk).update(is_used=True)
    result = Result.objects.create(job_input=job_input, attempt_number=1)
    file = ResultFile(result=result, output_type="json", path=f"{job_input.pk.hex}/json", size_bytes=0)
    file.absolute_path.parent.mkdir(parents=True, exist_ok=True)
    file.absolute_path.write_text(json.dumps(content))
    file.save()
    return importer.create_transcript(result)


def silence(path: Path, minutes: int) -> Path:
    """A recording of nothing: a header, and a hole in the disk."""
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, RATE, 60 * minutes * RATE, "NONE", ""))
        out.writeframes(b"\0" * 2)
    frames = 60 * minutes * RATE * 2
    with path.open("r+b") as file:
        for place, size in ((4, 36 + frames), (40, frames)):
            file.seek(place)
            file.write(size.to_bytes(4, "little"))
        file.truncate(44 + frames)
    return path


def document(minutes: int) -> dict[str, Any]:
    """A worker's document; the word in the middle of segment n is "place<n>"."""
    segments = [_segment(number) for number in range(minutes * SEGMENTS_A_MINUTE)]
    return {"language": "en", "duration": 60.0 * minutes, "model": "base", "segments": segments}


def _segment(number: int) -> dict[str, Any]:
    seconds = 60 / SEGMENTS_A_MINUTE
    start, count = number * seconds, WORDS[number % len(WORDS)]
    length = seconds / count
    texts = [
        f"place{number}" if at == count // 2 else f"spoken{(number * 7 + at) % 997}" for at in range(count)
    ]
    flag = {"flags": ["low_confidence"], "flag_scores": {"low_confidence": 0.6}}
    return {
        "start": start,
        "end": start + seconds,
        "text": " ".join(texts),
        "speaker": f"SPEAKER_{number // 3 % SPEAKERS:02}",
        "words": [
            {
                "word": f" {text}",
                "start": start + at * length,
                "end": start + (at + 0.9) * length,
                "probability": round(0.4 + (number * 13 + at * 29) % 60 / 100, 3),
            }
            for at, text in enumerate(texts)
        ],
        **(flag if number % FLAGGED == 0 else {}),
    }
