"""Activity of others in a transcript: changes, history, and presence."""

from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy

from review.api import schemas
from review.models import Presence, Transcript
from review.serializers import segment_answers, speaker_answers
from review.storage.commit import review_state
from review.storage.repository import TranscriptRepository

PRESENT_SECONDS = 20
PAGE = 50
SENTENCES = {
    "SetText": gettext_lazy("changed the text"),
    "SetTimes": gettext_lazy("changed the times"),
    "SetSpeaker": gettext_lazy("changed the speaker"),
    "Split": gettext_lazy("split a segment"),
    "SplitThreeWay": gettext_lazy("split a selection into its own segment"),
    "Merge": gettext_lazy("merged two segments"),
    "Insert": gettext_lazy("inserted a segment"),
    "Delete": gettext_lazy("deleted a segment"),
    "Highlight": gettext_lazy("changed a highlight"),
    "Check": gettext_lazy("checked or unchecked a segment"),
    "DismissFlag": gettext_lazy("dismissed a flag"),
    "AddSpeaker": gettext_lazy("added a speaker"),
    "RenameSpeaker": gettext_lazy("renamed a speaker"),
    "RecolourSpeaker": gettext_lazy("changed a speaker's color"),
    "SetHotkey": gettext_lazy("changed a speaker's shortcut"),
    "MergeSpeakers": gettext_lazy("merged two speakers"),
    "SetStatus": gettext_lazy("changed the review status"),
    "SetReviewer": gettext_lazy("changed the reviewer"),
    "Restore": gettext_lazy("reverted to the machine transcript"),
    "RestoreRevision": gettext_lazy("brought a version back"),
    "Undo": gettext_lazy("undid an edit"),
    "Redo": gettext_lazy("redid an edit"),
}


def changes(transcript: Transcript, since: int) -> schemas.Changes:
    """Return the rows that changed since a version; the cost depends on the changes, not on the transcript."""
    repository = TranscriptRepository(transcript)
    made = transcript.edits.filter(version__gt=since).values_list("removed_keys", flat=True)
    gone = dict.fromkeys(key for keys in made for key in keys)
    changed = repository.changed_since(since)
    there = repository.known(gone)
    return schemas.Changes(
        version=repository.version,
        segments=segment_answers(changed),
        removed=[key for key in gone if key not in there and repository.speaker(key) is None],
        speakers=speaker_answers(row for row in repository.speakers() if row["version"] > since),
        transcript=review_state(repository),
        people=people(transcript),
    )


def people(transcript: Transcript) -> list[schemas.Viewer]:
    """Return who is viewing the transcript."""
    recent = timezone.now() - timedelta(seconds=PRESENT_SECONDS)
    return [
        schemas.Viewer(
            name=one.name,
            client=str(one.client),
            segment=str(one.segment) if one.segment else None,
            at=one.at.isoformat(),
        )
        for one in transcript.presences.filter(at__gte=recent).order_by("name", "id")
    ]


def note_presence(transcript: Transcript, person: User, client: UUID, segment: UUID | None) -> None:
    """Record that a page is viewing the transcript, and its segment; expire pages that stopped reporting."""
    now = timezone.now()
    transcript.presences.filter(at__lt=now - timedelta(seconds=PRESENT_SECONDS)).delete()
    Presence.objects.update_or_create(
        transcript=transcript,
        client=client,
        defaults={"name": person.get_username(), "segment": segment, "at": now},
    )


def past(transcript: Transcript, before: int | None) -> list[schemas.HistoryEntry]:
    """Return a page of the history, newest first."""
    rows = transcript.edits.order_by("-seq").defer("patch", "payload")
    return [
        schemas.HistoryEntry(
            seq=edit.seq,
            version=edit.version,
            at=edit.at.isoformat(),
            who=edit.who_name,
            kind=edit.kind,
            what=str(SENTENCES.get(edit.kind, edit.kind)),
            undone=edit.undone_by_id is not None,
            segments=edit.segment_keys,
        )
        for edit in (rows if before is None else rows.filter(seq__lt=before))[:PAGE]
    ]


def differences(transcript: Transcript) -> list[schemas.Difference]:
    """Return the segments that differ from the machine transcript."""
    rows = transcript.segments.exclude(text=F("machine_text")).order_by("rank")
    return [
        schemas.Difference(key=str(key), start=start, text=text, machine_text=machine)
        for key, start, text, machine in rows.values_list("key", "start", "text", "machine_text")
    ]
