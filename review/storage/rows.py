"""The rows of one transcript as `edits.apply` reads them and as a patch changes them.

Only rows that are asked for are read, by index: what an edit costs does not depend on the transcript's length.
Patches are written at once; the transaction around makes a batch all or nothing.
"""

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice
from typing import Any

from django.db.models import Q, QuerySet

from gpu_worker.shared import transcript as document
from gpu_worker.shared.protocol import InvalidMessage, read_json
from jobs.models import ResultFile, Session
from review.edits.patches import Change, Patch, Row, is_doubtful, lay, unchecked_seconds
from review.edits.word_timing import TimedWord, rounded, words_from_json
from review.models import Segment, Speaker, Transcript
from review.serializers import (
    SEGMENT_FIELDS,
    segment_columns,
    segment_row,
    speaker_row,
    timed_words,
    transcript_columns,
    transcript_row,
)

CHUNK = 400  # keys in one query


class Rows:
    """The current state of a transcript: reads what is asked for, writes with `version`."""

    def __init__(self, transcript: Transcript) -> None:
        self.model = transcript
        self.transcript: Row = transcript_row(transcript)
        self.version = transcript.version
        self.doubtful = transcript.doubtful
        self.unchecked = transcript.unchecked_seconds
        self._segments: dict[str, Row | None] = {}

    # What edits ask -----------------------------------------------------------------------------

    def segment(self, key: str) -> Row | None:
        if key not in self._segments:
            self.load([key])
        return self._segments[key]

    def speaker(self, key: str) -> Row | None:
        return self._speakers.get(key)

    def speakers(self) -> list[Row]:
        return list(self._speakers.values())

    def previous(self, rank: str) -> Row | None:
        return next(iter(self._read(self._all.filter(rank__lt=rank).order_by("-rank")[:1])), None)

    def next(self, rank: str) -> Row | None:
        return next(iter(self._read(self._all.filter(rank__gt=rank).order_by("rank")[:1])), None)

    def run_from(self, row: Row) -> list[Row]:
        behind = self._all.filter(rank__gt=row["rank"]).order_by("rank")
        speaker = self._speaker_ids.get(row["speaker"])
        is_other = Q(speaker__isnull=False) if speaker is None else ~Q(speaker=speaker) | Q(speaker=None)
        end = behind.filter(is_other).values_list("rank", flat=True).first()
        run = self._all.filter(rank__gte=row["rank"]).order_by("rank")
        return self._read(run.filter(rank__lt=end) if end is not None else run)

    def spoken_by(self, speaker: str | None) -> list[Row]:
        return self._read(self._all.filter(speaker=self._speaker_ids.get(speaker)).order_by("rank"))

    def all_segments(self) -> list[Row]:
        return self._read(self._all.order_by("rank"))

    def machine_words(self, row: Row) -> list[TimedWord]:
        starts, words = self._machine_words
        first = bisect_left(starts, row["start"])
        last = bisect_left(starts, row["end"])
        return words[first:last]

    # Reading many, and writing ------------------------------------------------------------------

    def load(self, keys: Iterable[str]) -> None:
        """Read segments by key, all of them with as few queries as can be."""
        wanted = (key for key in dict.fromkeys(keys) if key not in self._segments)
        while chunk := list(islice(wanted, CHUNK)):
            self._segments.update(dict.fromkeys(chunk))
            self._read(self._all.filter(key__in=chunk))

    def known(self, keys: Iterable[str]) -> dict[str, Row]:
        """Return the segments with these keys that there are."""
        keys = list(keys)
        self.load(keys)
        return {key: row for key in keys if (row := self._segments[key]) is not None}

    def changed_since(self, version: int) -> list[Row]:
        """Return the segments that changed after a version, in order."""
        return self._read(self._all.filter(version__gt=version).order_by("rank"))

    def ranks_taken(self, ranks: Iterable[str]) -> set[str]:
        """Return those of the ranks that a segment has."""
        return set(self._all.filter(rank__in=list(ranks)).values_list("rank", flat=True))

    def write(self, patch: Patch) -> None:
        """Carry the patch out. Raises RestrictedError where a speaker would go who still speaks."""
        self.load(one["key"] for one in patch["segments"])
        before = self.known(one["key"] for one in patch["segments"])
        rows = dict(before)
        lay(rows, patch["segments"])
        going = [one["key"] for one in patch["speakers"] if one["after"] is None]
        self._write_speakers([one for one in patch["speakers"] if one["after"] is not None], going)
        self._write_segments(patch["segments"])
        self._forget_speakers(going)
        if patch["transcript"]:
            self.transcript.update(patch["transcript"]["after"])
        for key in (one["key"] for one in patch["segments"]):
            self._segments[key] = {**rows[key], "version": self.version} if key in rows else None
        self.doubtful += sum(map(is_doubtful, rows.values())) - sum(map(is_doubtful, before.values()))
        self.unchecked += unchecked_seconds(rows.values()) - unchecked_seconds(before.values())

    def save(self) -> None:
        """Write the transcript's own row."""
        columns = transcript_columns(self.transcript)
        Transcript.objects.filter(pk=self.model.pk).update(
            **columns,
            version=self.version,
            doubtful=self.doubtful,
            unchecked_seconds=rounded(max(0.0, self.unchecked)),
        )
        told = (columns["review_status"], columns["reviewer"], self.doubtful)
        if told != (self.model.review_status, self.model.reviewer, self.model.doubtful):
            Session.note_change(jobs__inputs=self.model.pk)  # its row on the session page
        Session.note_use(jobs__inputs=self.model.pk)

    @property
    def _all(self) -> QuerySet[Segment]:
        return Segment.objects.filter(transcript=self.model)

    @cached_property
    def _people(self) -> list[Speaker]:
        return list(Speaker.objects.filter(transcript=self.model).order_by("id"))

    @cached_property
    def _speakers(self) -> dict[str, Row]:
        return {str(one.key): speaker_row(one) for one in self._people}

    @cached_property
    def _speaker_ids(self) -> dict[str | None, int]:
        return {str(one.key): one.pk for one in self._people}

    def _read(self, rows: QuerySet[Segment]) -> list[Row]:
        names = {pk: key for key, pk in self._speaker_ids.items()}
        found: list[Row] = []
        for columns in rows.values(*SEGMENT_FIELDS):
            columns["words"] = words_from_json(columns["words"])
            row = segment_row(columns, names.get(columns["speaker"]))
            found.append(self._segments.get(row["key"]) or row)
            self._segments[row["key"]] = found[-1]
        return found

    @cached_property
    def _machine_words(self) -> tuple[list[float], list[TimedWord]]:
        file = ResultFile.objects.filter(result__job_input=self.model.pk, output_type="json").first()
        try:
            parsed = document.parse(read_json(file.absolute_path.read_bytes())) if file else None
        except (OSError, InvalidMessage, document.UnreadableTranscript):
            parsed = None  # the words at hand have to do
        rows = parsed["segments"] if parsed else []
        words = sorted((word for row in rows for word in timed_words(row["words"])), key=_middle)
        return [_middle(word) for word in words], words

    def _write_speakers(self, changes: list[Change], going: list[str]) -> None:
        moved = going + [one["key"] for one in changes if "hotkey" in (one["after"] or {})]
        mine = Speaker.objects.filter(transcript=self.model)
        if moved:
            mine.filter(key__in=moved).update(hotkey=None)  # no key is two people's, not for a moment
        for one in changes:
            fields = {**(one["after"] or {}), "version": self.version}
            if one["key"] in self._speakers:
                mine.filter(key=one["key"]).update(**fields)
            else:
                self._speaker_ids[one["key"]] = Speaker.objects.create(transcript=self.model, **fields).pk
        lay(self._speakers, changes)
        for one in changes:
            self._speakers[one["key"]]["version"] = self.version

    def _forget_speakers(self, keys: list[str]) -> None:
        for key in keys:
            Speaker.objects.filter(transcript=self.model, key=key).delete()
            self._speakers.pop(key, None)
            self._speaker_ids.pop(key, None)

    def _write_segments(self, changes: list[Change]) -> None:
        gone = [one["key"] for one in changes if one["after"] is None]
        for chunk in _chunks(gone):
            self._all.filter(key__in=chunk).delete()
        same: dict[str, list[str]] = defaultdict(list)
        for one in changes:
            if one["before"] is not None and one["after"] is not None:
                same[json.dumps(one["after"])].append(one["key"])
        for fields, keys in same.items():
            columns = self._columns(json.loads(fields))
            for chunk in _chunks(keys):
                self._all.filter(key__in=chunk).update(**columns)
        made = [one["after"] for one in changes if one["before"] is None and one["after"] is not None]
        Segment.objects.bulk_create(
            (Segment(transcript=self.model, **self._columns(row)) for row in made), batch_size=CHUNK
        )

    def _columns(self, fields: Row) -> dict[str, Any]:
        speakers = {key: pk for key, pk in self._speaker_ids.items() if key}
        return {**segment_columns(fields, speakers), "version": self.version}


def _chunks(keys: list[str]) -> Iterator[list[str]]:
    yield from (keys[at : at + CHUNK] for at in range(0, len(keys), CHUNK))


def _middle(word: TimedWord) -> float:
    return (word.start + word.end) / 2
