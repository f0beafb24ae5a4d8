"""The current state of a transcript for exports and the page, as plain values."""

from dataclasses import dataclass
from itertools import pairwise

from review.edits.word_timing import TimedWord, words_from_json
from review.models import Segment, Transcript


@dataclass(frozen=True)
class TimelineSegment:
    """One segment. `speaker` is the display name, empty if speakers were not identified."""

    key: str
    start: float
    end: float
    text: str
    speaker: str
    colour: int
    words: tuple[TimedWord, ...]


@dataclass(frozen=True)
class Timeline:
    """A transcript from start to end."""

    title: str
    language: str
    duration: float
    model: str
    engine: str
    segments: tuple[TimelineSegment, ...]

    def turns(self) -> list[bool]:
        """For each segment whether another speaker begins with it."""
        changes = [later.speaker != earlier.speaker for earlier, later in pairwise(self.segments)]
        return [True, *changes][: len(self.segments)]


def of(transcript: Transcript, first: int | None = None) -> Timeline:
    """Read the rows of a transcript; `first` limits the number of segments."""
    rows = transcript.segments.select_related("speaker").order_by("rank")[:first]
    return Timeline(
        title=transcript.job_input.upload.name,
        language=transcript.language,
        duration=transcript.duration,
        model=transcript.model,
        engine=transcript.engine,
        segments=tuple(_segment(row) for row in rows),
    )


def _segment(row: Segment) -> TimelineSegment:
    return TimelineSegment(
        key=str(row.key),
        start=row.start,
        end=row.end,
        text=row.text,
        speaker=str(row.speaker) if row.speaker else "",
        colour=row.speaker.colour if row.speaker else 0,
        words=tuple(words_from_json(row.words)),
    )
