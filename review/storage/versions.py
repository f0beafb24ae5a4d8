"""Saved versions of a transcript: stored whole, viewed, and restored as one edit that can be undone."""

from uuid import UUID

from django.contrib.auth.models import User
from django.http import Http404

from review.api.schemas import Edited, SavedVersion, TranscriptHead
from review.edits.edit_validation import InvalidEdit, plain_text
from review.edits.patches import Change, Patch, Row, content, created, deleted
from review.models import Revision, Transcript
from review.serializers import segment_from_json, speaker_answers
from review.storage import commit
from review.storage.batch_writer import BatchWriter
from review.storage.repository import TranscriptRepository

MAX_VERSIONS = 200
KEPT = ("reviewStatus", "reviewer")


def state(transcript: Transcript) -> Row:
    """Return the whole transcript in wire format."""
    return {**heading(transcript).wire(), "segments": TranscriptRepository(transcript).all_segments()}


def heading(transcript: Transcript) -> TranscriptHead:
    """Return the transcript in wire format without segments."""
    repository = TranscriptRepository(transcript)
    return TranscriptHead(
        **dict(commit.review_state(repository)),
        id=str(transcript.pk),
        name=str(transcript),
        language=transcript.language,
        duration=transcript.duration,
        version=transcript.version,
        speakers=speaker_answers(repository.speakers()),
    )


def create(transcript: Transcript, person: User, name: object) -> Revision:
    """Save the current state as a version. Raises InvalidEdit."""
    text = " ".join(plain_text(name, "name", 200).split())
    if not text:
        raise InvalidEdit("INVALID_NAME", "Give the version a name.")
    if transcript.revisions.count() >= MAX_VERSIONS:
        raise InvalidEdit("TOO_MANY", f"A transcript has at most {MAX_VERSIONS} versions.")
    return Revision.objects.create(
        transcript=transcript,
        name=text,
        who_name=person.get_username(),
        version=transcript.version,
        state=state(transcript),
    )


def find(transcript: Transcript, pk: int) -> Revision:
    """Return a saved version of this transcript; Http404 where it has no such."""
    found = transcript.revisions.filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise Http404("Version not found")
    return found


def restore(saved: Revision, person: User, client: UUID, edit_id: UUID) -> Edited:
    """Bring the state of a saved version back, as one edit. Raises EditConflict."""

    def write(writer: BatchWriter) -> None:
        payload = {"revision": saved.pk, "name": saved.name}
        writer.add("RestoreRevision", payload, _difference(writer.repository, saved.state))

    return commit.locked(saved.transcript, person, client, [edit_id], write)


def described(saved: Revision) -> SavedVersion:
    """Return a saved version without its state."""
    return SavedVersion(
        id=saved.pk,
        name=saved.name,
        who=saved.who_name,
        at=saved.at.isoformat(),
        version=saved.version,
    )


def _difference(repository: TranscriptRepository, wanted: Row) -> Patch:
    now = {name: repository.transcript[name] for name in KEPT}
    then = {name: wanted[name] for name in KEPT}
    differing = [name for name in KEPT if now[name] != then[name]]
    return {
        "segments": _changes(repository.all_segments(), wanted["segments"]),
        "speakers": _changes(repository.speakers(), wanted["speakers"]),
        "transcript": {
            "before": {name: now[name] for name in differing},
            "after": {name: then[name] for name in differing},
        }
        if differing
        else None,
    }


def _changes(now: list[Row], then: list[Row]) -> list[Change]:
    """What makes the rows `then`, which come out of a JSON column, of those of `now`."""
    kept = {row["key"]: row for row in then}
    present = {row["key"] for row in now}
    found = [deleted(row) for row in now if row["key"] not in kept]
    for row in now:
        # one at a time: 100,000 words at once would keep the garbage collector busy
        wanted = content(segment_from_json(kept.get(row["key"], row)))
        names = [name for name in wanted if wanted[name] != row[name]]
        if names:
            before, after = ({name: one[name] for name in names} for one in (row, wanted))
            found.append({"key": row["key"], "before": before, "after": after})
    return [*found, *(created(segment_from_json(row)) for row in then if row["key"] not in present)]
