"""Commits edits: the thin shell around `operations.apply`.

A batch is all or nothing, creates one new version, and is identified by the id of its first edit: repeated, it is
acknowledged and not applied. Changes to a transcript hold the lock on its row.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet, RestrictedError

from review.api.schemas import Changed, Edited, ReviewState
from review.edits import operations
from review.edits.edit_validation import EditRequest, InvalidEdit, read
from review.edits.patches import Outdated, Row
from review.models import Edit, Transcript
from review.serializers import segment_answers, speaker_answers
from review.storage import undo
from review.storage.batch_writer import BatchWriter
from review.storage.patch_writer import PatchWriter
from review.storage.repository import TranscriptRepository


class EditConflict(Exception):
    """Someone else changed these rows in the meantime."""

    def __init__(self, segments: set[str], speakers: set[str]) -> None:
        super().__init__("someone else changed these rows")
        self.segments = segments
        self.speakers = speakers


@dataclass(frozen=True)
class Batch:
    """Edits with their ids, based on `base_version`."""

    base_version: int
    client: UUID
    ids: Sequence[UUID]
    edits: Sequence[Row]


def commit(transcript: Transcript, person: User, batch: Batch) -> Edited:
    """Apply a batch; return the new version and the changed rows. Raises InvalidEdit, EditConflict."""

    def write(writer: BatchWriter) -> None:
        edits = [read(sent) for sent in batch.edits]
        if len(edits) == 1 and edits[0]["kind"] in undo.VERBS:
            undo.VERBS[edits[0]["kind"]](writer)
            return
        _apply_all(writer, edits, _ConcurrentChanges.since(writer, batch))

    return locked(transcript, person, batch.client, batch.ids, write)


def locked(
    transcript: Transcript,
    person: User,
    client: UUID,
    ids: Sequence[UUID],
    write: Callable[[BatchWriter], None],
) -> Edited:
    """Run `write` under the lock of the transcript; a known batch is only acknowledged."""
    with transaction.atomic():
        mine = Transcript.objects.select_for_update().get(pk=transcript.pk)
        known = Edit.objects.filter(transcript=mine, edit_id__in=ids).order_by("seq").first()
        if known is not None:
            if known.edit_id != ids[0]:
                raise InvalidEdit("ID_TAKEN", "An edit with this id already exists.")
            return answer(mine, known.version, Edit.objects.filter(transcript=mine, version=known.version))
        repository = TranscriptRepository(mine)
        repository.version += 1
        patch_writer = PatchWriter(repository)
        writer = BatchWriter(repository, patch_writer, person, client, ids)
        try:
            write(writer)
        except Outdated as later:
            raise EditConflict(later.segments, later.speakers) from None
        except RestrictedError:  # someone assigned segments to this speaker
            raise EditConflict(set(), set()) from None
        _note(mine, writer)
        patch_writer.save()
        return _answer(repository, repository.version, writer.written)


def answer(transcript: Transcript, version: int, made: QuerySet[Edit]) -> Edited:
    """Return the current state of the rows that these edits changed."""
    return _answer(TranscriptRepository(transcript), version, list(made.defer("patch", "payload")))


def current(transcript: Transcript, segments: set[str], speakers: set[str]) -> Changed:
    """Return the current state of these rows."""
    repository = TranscriptRepository(transcript)
    found = repository.known(sorted(segments))
    return Changed(
        version=repository.version,
        segments=segment_answers(found.values()),
        removed=sorted(segments - found.keys()),
        speakers=speaker_answers(row for row in repository.speakers() if row["key"] in speakers),
    )


def review_state(repository: TranscriptRepository) -> ReviewState:
    """Return the transcript's own fields for a response."""
    return ReviewState(
        review_status=repository.transcript["reviewStatus"],
        reviewer=repository.transcript["reviewer"],
        doubtful=repository.counter.doubtful,
    )


@dataclass(frozen=True)
class _ConcurrentChanges:
    """Changes by other pages since the base version of a batch."""

    segments: frozenset[str]
    speakers: frozenset[str]

    @classmethod
    def since(cls, writer: BatchWriter, batch: Batch) -> "_ConcurrentChanges":
        if batch.base_version >= writer.repository.version:
            raise InvalidEdit("UNKNOWN_VERSION", "This version does not exist. Reload the page.")
        later = Edit.objects.filter(transcript=writer.repository.model, version__gt=batch.base_version)
        found = list(later.exclude(client=batch.client).values_list("segment_keys", "speaker_keys"))
        return cls(
            frozenset(key for segments, _ in found for key in segments),
            frozenset(key for _, speakers in found for key in speakers),
        )

    def check(self, segments: set[str], speakers: set[str]) -> None:
        if self.segments & segments or self.speakers & speakers:
            raise EditConflict(set(self.segments & segments), set(self.speakers & speakers))


def _apply_all(writer: BatchWriter, edits: Sequence[EditRequest], concurrent: _ConcurrentChanges) -> None:
    writer.repository.load(edit["segment"] for edit in edits if "segment" in edit)
    for edit in edits:
        try:
            patch = operations.apply(writer.repository, edit)
        except InvalidEdit:
            named = {
                key for value in edit.values() for key in (value if isinstance(value, list) else [value])
            }
            concurrent.check(named, named)  # a row that someone deleted is a conflict, not invalid
            raise
        concurrent.check({one["key"] for one in patch["segments"]}, {one["key"] for one in patch["speakers"]})
        payload = {name: value for name, value in edit.items() if name != "kind"}
        writer.add(edit["kind"], payload, patch)


def _note(transcript: Transcript, writer: BatchWriter) -> None:
    last = Edit.objects.filter(transcript=transcript).order_by("-seq").values_list("seq", flat=True).first()
    for number, edit in enumerate(writer.written, start=(last or 0) + 1):
        edit.seq = number
    Edit.objects.bulk_create(writer.written)
    undo.mark(writer.written)


def _answer(repository: TranscriptRepository, version: int, made: Sequence[Edit]) -> Edited:
    segments = dict.fromkeys(key for edit in made for key in edit.segment_keys)
    speakers = dict.fromkeys(key for edit in made for key in edit.speaker_keys)
    found = repository.known(segments)
    return Edited(
        version=version,
        segments=segment_answers(found.values()),
        removed=[
            *(key for key in segments if key not in found),
            *(key for key in speakers if repository.speaker(key) is None),
        ],
        speakers=speaker_answers(row for row in repository.speakers() if row["key"] in speakers),
        transcript=review_state(repository),
    )
