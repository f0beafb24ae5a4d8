"""Identity map: rows of one transcript by key, each read once and shared."""

from collections.abc import Iterable, Iterator

from review.edits.patches import Row
from review.models import Speaker
from review.serializers import speaker_row


class SegmentMap:
    """The segments that were asked for so far; None stands for one that does not exist."""

    def __init__(self) -> None:
        self._rows: dict[str, Row | None] = {}

    def __getitem__(self, key: str) -> Row | None:
        return self._rows[key]

    def __setitem__(self, key: str, segment: Row | None) -> None:
        self._rows[key] = segment

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def unread(self, keys: Iterable[str]) -> Iterator[str]:
        """Yield those of the keys, each once, that were not asked for yet."""
        return (key for key in dict.fromkeys(keys) if key not in self._rows)

    def add(self, segment: Row) -> Row:
        """Keep a segment from the database, unless it is here; return the one that is kept."""
        key = segment["key"]
        kept = self._rows.get(key) or segment
        self._rows[key] = kept
        return kept


class SpeakerMap:
    """All speakers of a transcript: their rows, and their ids in the database."""

    def __init__(self, speakers: Iterable[Speaker]) -> None:
        self.rows: dict[str, Row] = {}
        self.ids: dict[str | None, int] = {}
        for speaker in speakers:
            self.rows[str(speaker.key)] = speaker_row(speaker)
            self.ids[str(speaker.key)] = speaker.pk

    def forget(self, key: str) -> None:
        """Drop a speaker who does not exist any more."""
        self.rows.pop(key, None)
        self.ids.pop(key, None)
