"""Patches written at once, with as few queries as can be; the transaction around makes a batch all or nothing."""

import json
from collections import defaultdict
from typing import Any

from jobs.models import Session
from review.edits.patches import Change, Patch, Row, lay
from review.edits.word_timing import rounded
from review.models import Segment, Speaker, Transcript
from review.serializers import segment_columns, transcript_columns
from review.storage.repository import KEYS_PER_QUERY, TranscriptRepository, chunks


class PatchWriter:
    """Writes patches with the repository's version, and keeps the repository as the database is."""

    def __init__(self, repository: TranscriptRepository) -> None:
        self._repository = repository

    def write(self, patch: Patch) -> None:
        """Apply the patch. Raises RestrictedError if a deleted speaker still has segments."""
        repository = self._repository
        before = repository.known(one["key"] for one in patch["segments"])
        after = dict(before)
        lay(after, patch["segments"])
        going = [one["key"] for one in patch["speakers"] if one["after"] is None]
        self._write_speakers([one for one in patch["speakers"] if one["after"] is not None], going)
        self._write_segments(patch["segments"])
        self._delete_speakers(going)
        if patch["transcript"]:
            repository.transcript.update(patch["transcript"]["after"])
        for key in (one["key"] for one in patch["segments"]):
            changed = after.get(key)
            repository.segment_map[key] = changed and {**changed, "version": repository.version}
        repository.counter.recount(before.values(), after.values())

    def save(self) -> None:
        """Write the transcript's own row."""
        repository = self._repository
        model, counter = repository.model, repository.counter
        columns = transcript_columns(repository.transcript)
        Transcript.objects.filter(pk=model.pk).update(
            **columns,
            version=repository.version,
            doubtful=counter.doubtful,
            unchecked_seconds=rounded(max(0.0, counter.unchecked_seconds)),
        )
        told = (columns["review_status"], columns["reviewer"], counter.doubtful)
        if told != (model.review_status, model.reviewer, model.doubtful):
            Session.note_change(jobs__inputs=model.pk)  # its row on the session page
        Session.note_use(jobs__inputs=model.pk)

    def _write_speakers(self, changes: list[Change], going: list[str]) -> None:
        repository = self._repository
        model, version, speakers = repository.model, repository.version, repository.speaker_map
        moved = going + [one["key"] for one in changes if "hotkey" in (one["after"] or {})]
        mine = Speaker.objects.filter(transcript=model)
        if moved:
            mine.filter(key__in=moved).update(hotkey=None)  # no key is two people's, not for a moment
        for one in changes:
            fields = {**(one["after"] or {}), "version": version}
            if one["key"] in speakers.rows:
                mine.filter(key=one["key"]).update(**fields)
            else:
                speakers.ids[one["key"]] = Speaker.objects.create(transcript=model, **fields).pk
        lay(speakers.rows, changes)
        for one in changes:
            speakers.rows[one["key"]]["version"] = version

    def _delete_speakers(self, keys: list[str]) -> None:
        for key in keys:
            Speaker.objects.filter(transcript=self._repository.model, key=key).delete()
            self._repository.speaker_map.forget(key)

    def _write_segments(self, changes: list[Change]) -> None:
        segments = self._repository.queryset
        for chunk in chunks(one["key"] for one in changes if one["after"] is None):
            segments.filter(key__in=chunk).delete()
        same: dict[str, list[str]] = defaultdict(list)
        for one in changes:
            if one["before"] is not None and one["after"] is not None:
                same[json.dumps(one["after"])].append(one["key"])
        for fields, keys in same.items():
            columns = self._columns(json.loads(fields))
            for chunk in chunks(keys):
                segments.filter(key__in=chunk).update(**columns)
        made = [one["after"] for one in changes if one["before"] is None and one["after"] is not None]
        Segment.objects.bulk_create(
            (Segment(transcript=self._repository.model, **self._columns(one)) for one in made),
            batch_size=KEYS_PER_QUERY,
        )

    def _columns(self, fields: Row) -> dict[str, Any]:
        speakers = {key: pk for key, pk in self._repository.speaker_map.ids.items() if key}
        return {**segment_columns(fields, speakers), "version": self._repository.version}
