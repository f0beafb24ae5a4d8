"""The transcript document: what a worker writes as output type `json` and a controller reads.

It is openai-whisper's result format (text, language, segments with words) with whisperX's convention
for speakers (`speaker` on segments and words) and a few fields of ours. Times are float seconds from
the start of the audio, probabilities 0-1. `docs/transcript-format.md` explains it. No torch, no Django.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NotRequired, TypedDict, TypeVar

from gpu_worker.shared.protocol.reading import plain

SCHEMA_VERSION = 1
LONGEST_SECONDS = 1e7  # four months: anything beyond is not a time
PARAGRAPH_PAUSE = 2.0  # seconds of silence that begin a new paragraph of the same speaker
PARAGRAPH_SECONDS = 60.0  # after which the next sentence begins one
SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？", "؟", "।")

T = TypeVar("T")


class Word(TypedDict):
    """The smallest timed text. `word` keeps whisper's leading space."""

    word: str
    start: float
    end: float
    probability: float
    speaker: NotRequired[str]
    flags: NotRequired[list[str]]


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
    flag_scores: NotRequired[dict[str, float]]


class Turn(TypedDict):
    """One speaker holding the floor."""

    start: float
    end: float
    speaker: str


class Diarized(TypedDict):
    """What told the speakers apart, and how it was set."""

    pipeline: str
    settings: dict[str, Any]


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
    exclusiveTurns: NotRequired[list[Turn]]
    diarization: NotRequired[Diarized]
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
    last = max((segment["end"] for segment in segments), default=0.0)
    parsed = Transcript(
        schemaVersion=SCHEMA_VERSION,
        text=_text(document.get("text")) or "".join(segment["text"] for segment in segments).strip(),
        language=_text(document.get("language")),
        duration=_seconds(document.get("duration"), last),
        segments=segments,
        speakers=_speakers(document.get("speakers"), segments),
        turns=[_turn(row) for row in _rows(document.get("turns"))],
        engine=_text(document.get("engine")),
        model=_text(document.get("model")),
        modelSource=_text(document.get("modelSource")),
        flags=_labels(document.get("flags")),
        warnings=[
            Notice(code=_text(row.get("code")), message=_text(row.get("message")))
            for row in _rows(document.get("warnings"))
        ],
    )
    _add_diarization(parsed, document)
    return parsed


def flag_segment(segment: Segment, name: str, score: float) -> None:
    """Say that a person should look here; the score, 0-1, says how much of it or how surely."""
    _flag(segment, name)
    segment["flag_scores"] = {**segment.get("flag_scores", {}), name: round(score, 3)}


def flag_word(word: Word, name: str) -> None:
    """Say that a person should look at this word."""
    _flag(word, name)


def _flag(target: Segment | Word, name: str) -> None:
    flags = target.get("flags", [])
    target["flags"] = flags if name in flags else [*flags, name]


def all_flags(segments: Iterable[Segment]) -> list[str]:
    """The names of the flags that occur, for the document's own `flags`."""
    return sorted({flag for segment in segments for flag in segment.get("flags", [])})


def to_markdown(transcript: Transcript, title: str, with_speakers: bool = False) -> str:
    """Return a readable page: a heading, then paragraphs with the time at which they start.

    A paragraph is a segment; with speakers, it is what one of them says until somebody else begins, a
    pause is made, or, past a minute, a sentence ends.
    """
    segments = transcript["segments"]
    lines = [f"# {title}", ""]
    for paragraph in _paragraphs(segments) if with_speakers else ([segment] for segment in segments):
        speaker = paragraph[0].get("speaker", "") if with_speakers else ""
        head = f"[{clock(paragraph[0]['start'])}] {speaker}".strip()
        text = "".join(segment["text"] for segment in paragraph).strip()
        lines += [f"**{head}** {text}", ""]
    return "\n".join(lines)


def clock(seconds: float) -> str:
    """`75.2` → `01:15`, `3675` → `01:01:15`: hours are shown past the first."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours:02}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def _paragraphs(segments: Iterable[Segment]) -> Iterable[list[Segment]]:
    paragraph: list[Segment] = []
    for segment in segments:
        if paragraph and _begins_paragraph(segment, paragraph):
            yield paragraph
            paragraph = []
        paragraph.append(segment)
    if paragraph:
        yield paragraph


def _begins_paragraph(segment: Segment, paragraph: Sequence[Segment]) -> bool:
    first, last = paragraph[0], paragraph[-1]
    return (
        segment.get("speaker") != first.get("speaker")
        or segment["start"] - last["end"] >= PARAGRAPH_PAUSE
        or (
            segment["start"] - first["start"] >= PARAGRAPH_SECONDS
            and last["text"].rstrip().endswith(SENTENCE_ENDS)
        )
    )


def _add_diarization(parsed: Transcript, document: Mapping[str, Any]) -> None:
    if "exclusiveTurns" in document:
        parsed["exclusiveTurns"] = [_turn(row) for row in _rows(document["exclusiveTurns"])]
    diarized = document.get("diarization")
    if isinstance(diarized, Mapping):
        settings = diarized.get("settings")
        parsed["diarization"] = Diarized(
            pipeline=_text(diarized.get("pipeline")),
            settings={**settings} if isinstance(settings, Mapping) else {},
        )


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
    flags, scores = _labels(row.get("flags")), row.get("flag_scores")
    if flags:
        segment["flags"] = flags
    if isinstance(scores, Mapping):
        numbers = {name: _seconds(score, None) for name, score in scores.items()}
        segment["flag_scores"] = {
            _text(name): min(1.0, score) for name, score in numbers.items() if score is not None
        }
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
        flags = _labels(row.get("flags"))
        if flags:
            word["flags"] = flags
        yield word


def _turn(row: Mapping[str, Any]) -> Turn:
    start, end = _seconds(row.get("start"), None), _seconds(row.get("end"), None)
    if start is None or end is None or not isinstance(row.get("speaker"), str):
        raise UnreadableTranscript("a turn needs start, end and speaker")
    return Turn(start=start, end=max(start, end), speaker=_text(row["speaker"]))


def _speakers(value: object, segments: Sequence[Segment]) -> list[str]:
    return _labels(value) or sorted({segment["speaker"] for segment in segments if "speaker" in segment})


def _labels(value: object) -> list[str]:
    return [_text(label) for label in _list(value) if isinstance(label, str)]


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
