"""Conversion between rows and wire format."""

from collections.abc import Iterable
from typing import Any

from gpu_worker.shared.transcript import Word
from review.api import schemas
from review.edits.patches import Change, Patch, Row
from review.edits.word_timing import TimedWord, rounded, words_from_json
from review.models import Speaker, Transcript


def segment_answers(rows: Iterable[Row]) -> list[schemas.Segment]:
    """Return rows of segments as the API returns them."""
    return [schemas.Segment.model_validate(row) for row in rows]


def speaker_answers(rows: Iterable[Row]) -> list[schemas.Speaker]:
    """Return rows of speakers as the API returns them."""
    return [schemas.Speaker.model_validate(row) for row in rows]


def transcript_row(transcript: Transcript) -> Row:
    """Return the transcript's fields that edits may read."""
    return {
        "duration": transcript.duration,
        "reviewStatus": transcript.review_status,
        "reviewer": transcript.reviewer,
    }


def speaker_row(speaker: Speaker) -> Row:
    return {
        "key": str(speaker.key),
        "label": speaker.label,
        "name": speaker.name,
        "colour": speaker.colour,
        "hotkey": speaker.hotkey,
        "removed": speaker.removed,
        "version": speaker.version,
    }


SEGMENT_FIELDS = (
    *("key", "rank", "start", "end", "text", "words", "speaker", "flags"),
    *("highlighted", "checked", "machine_text", "version"),
)


def segment_row(columns: Row, speaker: str | None) -> Row:
    """Serialize a segment from `values(*SEGMENT_FIELDS)`; with thousands, models would take twice as long."""
    machine_text, version = columns.pop("machine_text"), columns.pop("version")
    fresh = {"key": str(columns["key"]), "speaker": speaker}
    return {**columns, **fresh, "machineText": machine_text, "version": version}


def segment_from_json(row: Row) -> Row:
    """A segment, or some of its fields, out of a JSON column: words are TimedWords again."""
    return {**row, "words": words_from_json(row["words"])} if "words" in row else row


def patch_from_json(patch: Patch) -> Patch:
    """A patch out of a JSON column."""
    return {**patch, "segments": [_change_from_json(one) for one in patch["segments"]]}


def _change_from_json(one: Change) -> Change:
    before, after = (fields and segment_from_json(fields) for fields in (one["before"], one["after"]))
    return {"key": one["key"], "before": before, "after": after}


def timed_words(spoken: Iterable[Word]) -> list[TimedWord]:
    """A worker's words as those of a segment; the first has no gap, empty words are dropped."""
    made: list[TimedWord] = []
    for word in spoken:
        text = word["word"].strip()
        if text:
            gap = " " if made and word["word"][:1].isspace() else ""
            times = rounded(word["start"]), rounded(word["end"]), rounded(word["probability"])
            made.append(TimedWord(text, *times, 0, gap))
    return made


SEGMENT_COLUMNS = {"machineText": "machine_text"}
TRANSCRIPT_COLUMNS = {"reviewStatus": "review_status"}


def segment_columns(fields: Row, speakers: dict[str, int]) -> dict[str, Any]:
    """Return changed fields of a segment as columns; `speakers` maps keys to ids."""
    columns = {SEGMENT_COLUMNS.get(name, name): value for name, value in fields.items()}
    if "speaker" in columns:
        key = columns.pop("speaker")
        columns["speaker_id"] = speakers[key] if key else None
    return columns


def transcript_columns(fields: Row) -> dict[str, Any]:
    """Return changed fields of the transcript as columns."""
    return {TRANSCRIPT_COLUMNS.get(name, name): value for name, value in fields.items()}
