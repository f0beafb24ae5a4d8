"""One batch of edits being written: each carried out and noted in the history."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.contrib.auth.models import User

from review.edits import operations
from review.edits.patches import Patch, Row, changes_anything, compose, nothing
from review.models import Edit, Transcript
from review.storage.rows import Rows

S = Transcript.ReviewStatus


@dataclass
class Writing:
    """One batch being written, with the transcript's row locked."""

    rows: Rows
    person: User
    client: UUID
    ids: Sequence[UUID]
    written: list[Edit] = field(default_factory=list)

    def add(self, kind: str, payload: Row, patch: Patch) -> Edit:
        """Carry out one edit's patch and note it in the history."""
        is_first = not any(edit.changes for edit in self.written)
        if is_first and kind != "Undo" and changes_anything(patch):
            patch = compose([patch, _first_touch(self.rows, payload, patch, self.person)])
        self.rows.write(patch)
        edit = Edit(
            transcript=self.rows.model,
            version=self.rows.version,
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


def _first_touch(rows: Rows, payload: Row, patch: Patch, person: User) -> Patch:
    """Whoever edits a new transcript first reviews it."""
    if rows.transcript["reviewStatus"] != S.NEW:
        return nothing()
    changed = patch["transcript"]["after"] if patch["transcript"] else {}
    state = {**rows.transcript, **changed}
    wanted: Row = {}
    if "reviewStatus" not in changed:
        wanted["reviewStatus"] = S.IN_REVIEW.value
    if not state["reviewer"] and "reviewer" not in payload:
        wanted["reviewer"] = person.get_username()
    return operations.transcript_change(state, **wanted)
