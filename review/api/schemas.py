"""Responses of the API about transcripts, as described in the OpenAPI document."""

from typing import Annotated, Any

from pydantic import Field

from jobs.api.schemas import Error, Id, Moment, Path, Refusal, Told

__all__ = ["Error", "Refusal"]

TimedWordArray = Annotated[
    list[Any],
    Field(description="text, start, end, probability, 1 where the times are estimated, the gap before it"),
]


class Flag(Told):
    """A flag on a segment."""

    kind: str


class Segment(Told):
    key: Id
    rank: str
    start: float
    end: float
    text: str
    machine_text: str
    words: list[TimedWordArray]
    speaker: Id | None
    flags: list[Flag]
    highlighted: bool
    checked: bool
    version: int


class Speaker(Told):
    key: Id
    label: str
    name: str
    colour: int
    hotkey: int | None
    removed: bool
    version: int


class ReviewState(Told):
    """Review status and progress."""

    review_status: str
    reviewer: str | None
    doubtful: int


class TranscriptHead(ReviewState):
    """A transcript without its segments."""

    id: Id
    name: str
    language: str
    duration: float
    version: int
    speakers: list[Speaker]


class TranscriptState(TranscriptHead):
    """The current state of a transcript. Times are seconds from the start of the recording."""

    segments: list[Segment]


class Changed(Told):
    """Rows as they are now."""

    version: int
    segments: list[Segment]
    removed: list[Id]
    speakers: list[Speaker]


class Edited(Changed):
    transcript: ReviewState


class Conflict(Changed):
    """Someone else changed these rows in the meantime; their current state."""

    error: Error


class Viewer(Told):
    name: str
    client: Id
    segment: Id | None
    at: Moment


class PeopleAnswer(Told):
    people: list[Viewer]


class Changes(Edited):
    people: list[Viewer]


class HistoryEntry(Told):
    seq: int
    version: int
    at: Moment
    who: str
    kind: str
    what: str
    undone: bool
    segments: list[Id]


class HistoryAnswer(Told):
    edits: list[HistoryEntry]


class SavedVersion(Told):
    id: int
    name: str
    who: str
    at: Moment
    version: int


class VersionList(Told):
    revisions: list[SavedVersion]


class VersionAnswer(Told):
    revision: SavedVersion


class WholeVersion(VersionAnswer):
    state: TranscriptState


class Difference(Told):
    key: Id
    start: float
    text: str
    machine_text: str


class DifferenceList(Told):
    segments: list[Difference]


class QueueFile(Told):
    id: Id
    upload_id: Id
    url: Path
    name: str
    review_status: str
    status_text: str
    reviewer: str | None
    doubtful: int
    duration: float
    seconds_left: float
    model: str
    created_at: Moment
    is_older: bool


class OtherTranscript(QueueFile):
    """Another transcript of the same recording."""

    is_newer: bool


class QueueTotals(Told):
    files: int
    done: int
    doubtful: int
    seconds_left: float
    statuses: dict[str, int]


class Queue(Told):
    files: list[QueueFile]
    totals: QueueTotals
    next: Id | None


class TranscriptRow(Told):
    """A transcript without its text. Its id is that of the input."""

    id: Id
    upload_id: Id
    job_id: Id
    name: str
    language: str
    model: str
    engine: str
    duration: float
    version: int
    review_status: str
    reviewer: str | None
    doubtful: int
    created_at: Moment


class TranscriptPage(Told):
    transcripts: list[TranscriptRow]
    next: str | None


class Export(Told):
    format: str
    label: str
    content_type: str
    url: Path


class ExportList(Told):
    exports: list[Export]
