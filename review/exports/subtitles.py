"""SRT and WebVTT. Cues are split at words for readability: at most two lines and six seconds."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import zip_longest
from textwrap import wrap

from review.edits.word_timing import TimedWord, text_of
from review.timeline import Timeline, TimelineSegment

LINE_CHARACTERS = 42
CUE_CHARACTERS = 2 * LINE_CHARACTERS
CUE_SECONDS = 6.0


@dataclass(frozen=True)
class Cue:
    """What is shown from `start` to `end` (seconds)."""

    start: float
    end: float
    text: str
    speaker: str


def to_srt(timeline: Timeline) -> str:
    """SubRip: numbered cues, comma before the milliseconds."""
    blocks = [
        f"{number}\n{_stamp(cue.start, ',')} --> {_stamp(cue.end, ',')}\n{_named(cue, cue.text)}\n"
        for number, cue in enumerate(cues(timeline), start=1)
    ]
    return "\n".join(blocks)


def to_vtt(timeline: Timeline) -> str:
    """WebVTT with voice spans."""
    blocks = ["WEBVTT\n"]
    for cue in cues(timeline):
        text = escape(cue.text, quote=False)
        voice = f"<v {escape(cue.speaker, quote=False)}>" if cue.speaker else ""
        blocks.append(f"{_stamp(cue.start, '.')} --> {_stamp(cue.end, '.')}\n{voice}{text}\n")
    return "\n".join(blocks)


def cues(timeline: Timeline) -> Iterator[Cue]:
    """Cut the segments into cues; a cue never outlives the start of the next."""
    pieces = [piece for segment in timeline.segments for piece in _pieces(segment)]
    for piece, following in zip_longest(pieces, pieces[1:]):
        end = min(piece.end, following.start) if following and following.start > piece.start else piece.end
        yield Cue(piece.start, max(end, piece.start + 0.001), _lines(piece.text), piece.speaker)


def _pieces(segment: TimelineSegment) -> Iterator[Cue]:
    """Cut at words where their text is the segment's; otherwise the segment is one piece."""
    if _squeezed(text_of(segment.words)) != _squeezed(segment.text):
        if segment.text.strip():
            yield Cue(segment.start, segment.end, segment.text, segment.speaker)
        return
    group: list[TimedWord] = []
    for word in segment.words:
        if group and _is_full(group, word):
            yield _joined(group, segment.speaker)
            group = []
        group.append(word)
    if group:
        yield _joined(group, segment.speaker)


def _is_full(group: list[TimedWord], word: TimedWord) -> bool:
    length = sum(len(w.text) + 1 for w in group) + len(word.text)
    return length > CUE_CHARACTERS or word.end - group[0].start > CUE_SECONDS


def _joined(group: list[TimedWord], speaker: str) -> Cue:
    return Cue(group[0].start, group[-1].end, text_of(group).strip(), speaker)


def _lines(text: str) -> str:
    """Return at most two balanced lines; prevents forged `-->` and empty lines that would end the cue."""
    clean = " ".join(text.replace("-->", "→").split())
    lines = wrap(clean, LINE_CHARACTERS, break_long_words=False) or [""]
    return "\n".join(lines)


def _named(cue: Cue, text: str) -> str:
    return f"{_lines(cue.speaker)}: {text}" if cue.speaker else text


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _stamp(seconds: float, point: str) -> str:
    milliseconds = round(max(0.0, seconds) * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    whole, part = divmod(rest, 1000)
    return f"{hours:02}:{minutes:02}:{whole:02}{point}{part:03}"
