"""Reads a transcript from the database for `operations.apply` and API responses.

Rows are read on demand by index, so that the cost of an edit does not depend on the length of the transcript.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice

from django.db.models import Q, QuerySet

from review.edits.patches import Row
from review.edits.word_timing import TimedWord, words_from_json
from review.models import Segment, Speaker, Transcript
from review.serializers import SEGMENT_FIELDS, segment_row, transcript_row
from review.storage.identity_map import SegmentMap, SpeakerMap
from review.storage.machine_words import MachineWords
from review.storage.review_counter import ReviewCounter

KEYS_PER_QUERY = 400


class TranscriptRepository:
    """The current state of one transcript. `PatchWriter` changes it, in the database and here."""

    def __init__(self, transcript: Transcript) -> None:
        self.model = transcript
        self.transcript: Row = transcript_row(transcript)
        self.version = transcript.version
        self.counter = ReviewCounter(transcript.doubtful, transcript.unchecked_seconds)
        self.segment_map = SegmentMap()
        self._machine = MachineWords(transcript.pk)

    @property
    def queryset(self) -> QuerySet[Segment]:
        """All segments of the transcript, unread."""
        return Segment.objects.filter(transcript=self.model)

    @cached_property
    def speaker_map(self) -> SpeakerMap:
        """All speakers: there are few."""
        return SpeakerMap(Speaker.objects.filter(transcript=self.model).order_by("id"))

    # What edits ask: `operations.State` ----------------------------------------------------------

    def segment(self, key: str) -> Row | None:
        if key not in self.segment_map:
            self.load([key])
        return self.segment_map[key]

    def speaker(self, key: str) -> Row | None:
        return self.speaker_map.rows.get(key)

    def speakers(self) -> list[Row]:
        return list(self.speaker_map.rows.values())

    def previous(self, rank: str) -> Row | None:
        return next(iter(self._read(self.queryset.filter(rank__lt=rank).order_by("-rank")[:1])), None)

    def next(self, rank: str) -> Row | None:
        return next(iter(self._read(self.queryset.filter(rank__gt=rank).order_by("rank")[:1])), None)

    def run_from(self, segment: Row) -> list[Row]:
        behind = self.queryset.filter(rank__gt=segment["rank"]).order_by("rank")
        speaker = self.speaker_map.ids.get(segment["speaker"])
        is_other = Q(speaker__isnull=False) if speaker is None else ~Q(speaker=speaker) | Q(speaker=None)
        end = behind.filter(is_other).values_list("rank", flat=True).first()
        run = self.queryset.filter(rank__gte=segment["rank"]).order_by("rank")
        return self._read(run.filter(rank__lt=end) if end is not None else run)

    def spoken_by(self, speaker: str | None) -> list[Row]:
        return self._read(self.queryset.filter(speaker=self.speaker_map.ids.get(speaker)).order_by("rank"))

    def all_segments(self) -> list[Row]:
        return self._read(self.queryset.order_by("rank"))

    def machine_words(self, segment: Row) -> list[TimedWord]:
        return self._machine.between(segment["start"], segment["end"])

    # Reading many --------------------------------------------------------------------------------

    def load(self, keys: Iterable[str]) -> None:
        """Read segments by key in as few queries as possible."""
        for chunk in chunks(self.segment_map.unread(keys)):
            for key in chunk:
                self.segment_map[key] = None
            self._read(self.queryset.filter(key__in=chunk))

    def known(self, keys: Iterable[str]) -> dict[str, Row]:
        """Return the existing segments with these keys."""
        keys = list(keys)
        self.load(keys)
        return {key: segment for key in keys if (segment := self.segment_map[key]) is not None}

    def changed_since(self, version: int) -> list[Row]:
        """Return the segments that changed since a version, in order."""
        return self._read(self.queryset.filter(version__gt=version).order_by("rank"))

    def ranks_taken(self, ranks: Iterable[str]) -> set[str]:
        """Return the ranks that are in use."""
        return set(self.queryset.filter(rank__in=list(ranks)).values_list("rank", flat=True))

    def _read(self, segments: QuerySet[Segment]) -> list[Row]:
        speakers = {pk: key for key, pk in self.speaker_map.ids.items()}
        found: list[Row] = []
        for columns in segments.values(*SEGMENT_FIELDS):
            columns["words"] = words_from_json(columns["words"])
            found.append(self.segment_map.add(segment_row(columns, speakers.get(columns["speaker"]))))
        return found


def chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    """Cut keys into as many lists as queries are needed for them."""
    rest = iter(keys)
    while chunk := list(islice(rest, KEYS_PER_QUERY)):
        yield chunk
