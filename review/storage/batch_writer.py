"""Writes a batch of edits: applies each and records it in the history."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.contrib.auth.models import User

from review.edits import operations
from review.edits.patches import Patch, Row, changes_anything, compose, nothing
from review.models import Edit, Transcript
from review.storage.patch_writer import PatchWriter
from review.storage.repository import TranscriptRepository

S = Transcript.ReviewStatus


@dataclass
class BatchWriter:
    """A batch in progress; the transcript's row is locked."""

    repository: TranscriptRepository
    patch_writer: PatchWriter
    person: User
    client: UUID
    ids: Sequence[UUID]
    written: list[Edit] = field(default_factory=list)

    def add(self, kind: str, payload: Row, patch: Patch) -> Edit:
        """Apply the patch of an edit and record it in the history."""
        is_first = not any(edit.changes for edit in self.written)
        if is_first and kind != "Undo" and changes_anything(patch):
            patch = compose([patch, _first_touch(self.repository, payload, patch, self.person)])
        self.patch_writer.write(patch)
        edit = Edit(
            transcript=self.repository.model,
            version=self.repository.version,
            edit_id=self.ids[len(self.written)],
            client=self.client,
            who=self.person,
            who_name=self.person.get_username(),
            kind=kind,
            payload=payload,
            patch=patch,
            segment_keys=[one["key"] for one in patch["segments"]],
            speaker_keys=[one["key"] for one in patch["speakers"]],
            removed_keys=[
                one["key"] for one in [*patch["segments"], *patch["speakers"]] if one["after"] is None
            ],
            changes=changes_anything(patch),
        )
        self.written.append(edit)
        return edit


def _first_touch(repository: TranscriptRepository, payload: Row, patch: Patch, person: User) -> Patch:
    """The first person to edit a new transcript becomes its reviewer."""
    if repository.transcript["reviewStatus"] != S.NEW:
        return nothing()
    changed = patch["transcript"]["after"] if patch["transcript"] else {}
    state = {**repository.transcript, **changed}
    wanted: Row = {}
    if "reviewStatus" not in changed:
        wanted["reviewStatus"] = S.IN_REVIEW.value
    if not state["reviewer"] and "reviewer" not in payload:
        wanted["reviewer"] = person.get_username()
    return operations.transcript_change(state, **wanted)
