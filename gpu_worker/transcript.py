"""The transcript document: what a worker writes as output type `json` and a controller reads.

It is openai-whisper's result format (text, language, segments with words) with whisperX's convention
for speakers (`speaker` on segments and words) and a few fields of ours. Times are float seconds from
the start of the audio, probabilities 0-1. `docs/transcript-format.md` explains it. No torch, no Django.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NotRequired, TypedDict, TypeVar

from gpu_worker.protocol.reading import plain

SCHEMA_VERSION = 1
LONGEST_SECONDS = 1e7  # four months: anything beyond is not a time

T = TypeVar("T")


class Word(TypedDict):
    """The smallest timed text. `word` keeps whisper's leading space."""

    word: str
    start: float
    end: float
    probability: float
    speaker: NotRequired[str]


class Segment(TypedDict):
    """A stretch of speech; the metrics keep whisper's names."""

    id: int
    start: float
    end: float
    text: str
    words: list[Word]
    speaker: NotRequired[str]
    temperature: NotRequired[float]
    avg_logprob: NotRequired[float]
    compression_ratio: NotRequired[float]
    no_speech_prob: NotRequired[float]
    flags: NotRequired[list[str]]


class Turn(TypedDict):
    """One speaker holding the floor."""

    start: float
    end: float
    speaker: str


class Notice(TypedDict):
    """Something the reader should know about how this transcript was made."""

    code: str
    message: str


class Transcript(TypedDict):
    """The whole document."""

    schemaVersion: int
    text: str
    language: str
    duration: float
    segments: list[Segment]
    speakers: list[str]
    turns: list[Turn]
    engine: str
    model: str
    modelSource: NotRequired[str]  # "starter", "download" or "path"
    flags: list[str]
    warnings: list[Notice]


class UnreadableTranscript(ValueError):
    """The document does not follow the format; says where."""


def parse(document: object) -> Transcript:
    """Read a transcript document, tolerant of what whisper and whisperX leave out.

    Segments come back in order of start, with finite times (end never before start) and words that
    have times. Raises UnreadableTranscript where there is no list of segments or a segment has no
    usable text or time.
    """
    if not isinstance(document, Mapping):
        raise UnreadableTranscript("the document is not a JSON object")
    rows = document.get("segments")
    if not isinstance(rows, list):
        raise UnreadableTranscript("segments is not a list")
    segments = sorted((_segment(row, i) for i, row in enumerate(rows)), key=lambda s: s["start"])
    for number, segment in enumerate(segments):
        segment["id"] = number
    turns = [_turn(row) for row in _rows(document.get("turns"))]
    last = max((segment["end"] for segment in segments), default=0.0)
    return Transcript(
        schemaVersion=SCHEMA_VERSION,
        text=_text(document.get("text")) or "".join(segment["text"] for segment in segments).strip(),
        language=_text(document.get("language")),
        duration=_seconds(document.get("duration"), last),
        segments=segments,
        speakers=_speakers(document.get("speakers"), segments),
        turns=turns,
        engine=_text(document.get("engine")),
        model=_text(document.get("model")),
        modelSource=_text(document.get("modelSource")),
        flags=[_text(flag) for flag in _list(document.get("flags")) if isinstance(flag, str)],
        warnings=[
            Notice(code=_text(row.get("code")), message=_text(row.get("message")))
            for row in _rows(document.get("warnings"))
        ],
    )


def to_markdown(transcript: Transcript, title: str, with_speakers: bool = False) -> str:
    """Return a readable page: a heading, then one paragraph a segment with its start time."""
    lines = [f"# {title}", ""]
    for segment in transcript["segments"]:
        speaker = f" {segment.get('speaker', '')}" if with_speakers and segment.get("speaker") else ""
        lines += [f"**[{clock(segment['start'])}]{speaker}** {segment['text'].strip()}", ""]
    return "\n".join(lines)


def clock(seconds: float) -> str:
    """`75.2` → `01:15`, `3675` → `01:01:15`: hours are shown past the first."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours:02}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def _segment(row: object, index: int) -> Segment:
    if not isinstance(row, Mapping) or not isinstance(row.get("text"), str):
        raise UnreadableTranscript(f"segments[{index}] has no text")
    start = _seconds(row.get("start"), None)
    if start is None:
        raise UnreadableTranscript(f"segments[{index}].start is not a time")
    end = max(start, _seconds(row.get("end"), start))
    segment = Segment(
        id=index, start=start, end=end, text=_text(row["text"]), words=list(_words(row.get("words")))
    )
    if isinstance(row.get("speaker"), str):
        segment["speaker"] = _text(row["speaker"])
    for name in ("temperature", "avg_logprob", "compression_ratio", "no_speech_prob"):
        value = row.get(name)
        if isinstance(value, int | float) and abs(value) <= LONGEST_SECONDS:
            segment[name] = float(value)
    flags = [_text(flag) for flag in _list(row.get("flags")) if isinstance(flag, str)]
    if flags:
        segment["flags"] = flags
    return segment


def _words(value: object) -> Iterable[Word]:
    for row in _rows(value):
        start = _seconds(row.get("start"), None)
        text = row.get("word")
        if start is None or not isinstance(text, str):
            continue  # whisperX leaves out the times of words that it could not align
        probability = row.get("probability", row.get("score"))
        word = Word(
            word=_text(text),
            start=start,
            end=max(start, _seconds(row.get("end"), start)),
            probability=min(1.0, max(0.0, _seconds(probability, 0.0))),
        )
        if isinstance(row.get("speaker"), str):
            word["speaker"] = _text(row["speaker"])
        yield word


def _turn(row: Mapping[str, Any]) -> Turn:
    start, end = _seconds(row.get("start"), None), _seconds(row.get("end"), None)
    if start is None or end is None or not isinstance(row.get("speaker"), str):
        raise UnreadableTranscript("a turn needs start, end and speaker")
    return Turn(start=start, end=max(start, end), speaker=_text(row["speaker"]))


def _speakers(value: object, segments: Sequence[Segment]) -> list[str]:
    named = [_text(label) for label in _list(value) if isinstance(label, str)]
    return named or sorted({segment["speaker"] for segment in segments if "speaker" in segment})


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _rows(value: object) -> list[Mapping[str, Any]]:
    return [row for row in _list(value) if isinstance(row, Mapping)]


def _text(value: object) -> str:
    return plain(value) if isinstance(value, str) else ""


def _seconds(value: object, otherwise: T) -> float | T:
    """A number from 0 to LONGEST_SECONDS (negative ones count as 0), or `otherwise`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LONGEST_SECONDS:
        return otherwise
    return max(0.0, float(value))
