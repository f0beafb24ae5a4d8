"""Undo and redo of the person's own latest batch. Both are edits themselves.

Other people's edits in between are kept; if they changed the same fields, undo is rejected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db.models import QuerySet

from review.edits.edit_validation import InvalidEdit
from review.edits.fractional_index import between
from review.edits.patches import Outdated, Patch, compose, inverse, outdated
from review.models import Edit
from review.serializers import patch_from_json
from review.storage.batch_writer import BatchWriter
from review.storage.repository import TranscriptRepository


def undo(writer: BatchWriter) -> None:
    """Undo the person's latest active batch. Raises InvalidEdit, Outdated."""
    mine = _made_by(writer)
    version = mine.filter(undone_by=None).order_by("-version").values_list("version", flat=True).first()
    if version is None:
        raise InvalidEdit("NOTHING_TO_UNDO", "You have nothing to undo.")
    patches = [inverse(patch_from_json(edit.patch)) for edit in mine.filter(version=version).order_by("-seq")]
    writer.add("Undo", {"of": version}, rebased(writer.repository, compose(patches)))


def redo(writer: BatchWriter) -> None:
    """Redo the batch that the person undid last, unless they have edited since. Raises like undo."""
    mine = _made_by(writer)
    fresh = mine.order_by("-seq").values_list("seq", flat=True).first()
    undone = mine.filter(undone_by__seq__gt=fresh or 0).order_by("-undone_by__seq", "-version")
    version = undone.values_list("version", flat=True).first()
    if version is None:
        raise InvalidEdit("NOTHING_TO_REDO", "There is nothing to redo.")
    patches = [patch_from_json(edit.patch) for edit in mine.filter(version=version).order_by("seq")]
    writer.add("Redo", {"of": version}, rebased(writer.repository, compose(patches)))


VERBS: dict[str, Callable[[BatchWriter], None]] = {"Undo": undo, "Redo": redo}


def mark(written: Sequence[Edit]) -> None:
    """Mark a batch as undone or active again."""
    for edit in written:
        if edit.kind in VERBS:
            batch = Edit.objects.filter(transcript=edit.transcript, version=edit.payload["of"])
            batch.update(undone_by=edit if edit.kind == "Undo" else None)


def rebased(repository: TranscriptRepository, patch: Patch) -> Patch:
    """Return the patch adapted to the current rows. Raises Outdated if rows have changed since.

    A changed status is kept if the patch has other changes; a restored segment whose rank is taken gets the next
    one.
    """
    segments = outdated(repository.known(one["key"] for one in patch["segments"]), patch["segments"])
    speakers = outdated({row["key"]: row for row in repository.speakers()}, patch["speakers"])
    segments |= _given_to_nobody(repository, patch)
    if segments or speakers:
        raise Outdated(segments, speakers)
    whole = patch["transcript"]
    if whole and any(repository.transcript[name] != value for name, value in whole["before"].items()):
        if not patch["segments"] and not patch["speakers"]:
            raise Outdated(set(), set())
        whole = None
    return _placed(repository, {**patch, "transcript": whole})


def _given_to_nobody(repository: TranscriptRepository, patch: Patch) -> set[str]:
    """Return the segments that would be assigned to deleted speakers."""
    there = {row["key"] for row in repository.speakers()} | {one["key"] for one in patch["speakers"]}
    wanted = {one["key"]: (one["after"] or {}).get("speaker") for one in patch["segments"]}
    return {key for key, speaker in wanted.items() if speaker is not None and speaker not in there}


def _placed(repository: TranscriptRepository, patch: Patch) -> Patch:
    back = {
        one["key"]: one["after"]["rank"]
        for one in patch["segments"]
        if one["before"] is None and one["after"]
    }
    taken = repository.ranks_taken(back.values()) if back else set()
    for one in patch["segments"]:
        if one["after"] is not None and back.get(one["key"]) in taken:
            following = repository.next(one["after"]["rank"])
            rank = between(one["after"]["rank"], following["rank"] if following else None)
            one["after"] = {**one["after"], "rank": rank}
    return patch


def _made_by(writer: BatchWriter) -> QuerySet[Edit]:
    mine = Edit.objects.filter(transcript=writer.repository.model, who=writer.person, changes=True)
    return mine.exclude(kind__in=list(VERBS)).order_by("seq")
