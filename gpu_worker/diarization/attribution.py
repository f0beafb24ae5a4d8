"""Assigns words to speakers, and splits segments where the speaker changes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from gpu_worker.diarization.diarizer import Diarization
from gpu_worker.shared.transcript import Segment, Turn, Word, flag_segment, flag_word
from gpu_worker.sound import Span

REACH = 0.5  # seconds to a turn, or to a word of the same breath, that may lend its speaker
PAUSE = 0.2  # seconds of silence that set a single word apart
OVERLAPPED = 0.5  # share of a word that lies under two speakers before it is flagged
LONGEST_WORD = 0.5  # seconds, and so much more a letter: beyond, the word holds a pause
LONGEST_LETTER = 0.12


def attribute(segments: Sequence[Segment], diarization: Diarization) -> list[Segment]:
    """Return the segments with speakers on them and on their words, split where the speaker changes.

    A word belongs to the exclusive turn that covers most of it, else to the nearest one within REACH, else
    to the speaker of the adjacent words without a pause, else to no one. A word that two regular turns
    cover gets the flag `overlap`, and so does its segment. Nothing is lost or reordered; ids are
    renumbered, metrics and flags are kept for every part. Time: O(n log n).
    """
    turns = _ExclusiveTurns(diarization.exclusive_turns)
    overlaps = _OverlappedSpeech(diarization.turns)
    rows = [_copy(segment) for segment in segments]
    words = [word for row in rows for word in row["words"]]
    _smooth(words, _fill(words, [turns.speaker(word["start"], word["end"]) for word in words]))
    parts = [part for row in rows for part in _split(row, turns)]
    for number, part in enumerate(parts):
        part["id"] = number
        overlaps.mark(part)
    return parts


class _ExclusiveTurns:
    """Turns in order without overlaps; the first speaker keeps the floor until the end of their turn."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        self._spans: list[Span] = []
        self._speakers: list[str] = []
        for turn in sorted(turns, key=lambda turn: turn["start"]):
            start = max(turn["start"], self._spans[-1].end) if self._spans else turn["start"]
            if start < turn["end"]:
                self._spans.append(Span(start, turn["end"]))
                self._speakers.append(turn["speaker"])
        self._starts = [span.start for span in self._spans]
        self._ends = [span.end for span in self._spans]

    def speaker(self, start: float, end: float) -> str | None:
        """Return the speaker of the turn that covers most of it; if equal, the one nearest to its middle."""
        middle = (start + end) / 2
        near = range(bisect_left(self._ends, start - REACH), bisect_right(self._starts, end + REACH))
        best = max(
            near,
            key=lambda i: (_shared(self._spans[i], start, end), -_distance(self._spans[i], middle)),
            default=None,
        )
        return None if best is None else self._speakers[best]

    def main_speaker(self, start: float, end: float) -> str | None:
        """Return who speaks longest in it over all turns; else the nearest."""
        seconds: dict[str, float] = {}
        for i in range(bisect_right(self._ends, start), bisect_left(self._starts, end)):
            speaker = self._speakers[i]
            seconds[speaker] = seconds.get(speaker, 0.0) + _shared(self._spans[i], start, end)
        return max(seconds, key=seconds.__getitem__) if seconds else self.speaker(start, end)


class _OverlappedSpeech:
    """Spans where at least two speakers talk at once."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        self._spans = list(_overlaps(turns))
        self._ends = [span.end for span in self._spans]

    def mark(self, segment: Segment) -> None:
        """Flag words covered by two speakers, and their segment."""
        overlapped = [
            word for word in segment["words"] if self._share(word["start"], word["end"]) >= OVERLAPPED
        ]
        for word in overlapped:
            flag_word(word, "overlap")
        share = self._share(segment["start"], segment["end"])
        if overlapped or (share and not segment["words"]):
            flag_segment(segment, "overlap", share)

    def _share(self, start: float, end: float) -> float:
        """Return the covered share, 0-1; an empty span is covered completely or not at all."""
        found = 0.0
        for i in range(bisect_left(self._ends, start), len(self._spans)):
            span = self._spans[i]
            if span.start > end:
                break
            if start == end:
                return 1.0
            found += _shared(span, start, end)
        return min(1.0, found / (end - start)) if found else 0.0


def _overlaps(turns: Iterable[Turn]) -> Iterator[Span]:
    """Return spans covered by two speakers, with a sweep over sorted boundaries; ends come before starts."""
    edges = [(turn["start"], 1, turn["speaker"]) for turn in turns if turn["start"] < turn["end"]]
    edges += [(turn["end"], -1, turn["speaker"]) for turn in turns if turn["start"] < turn["end"]]
    talking: dict[str, int] = {}
    began: float | None = None
    for at, step, speaker in sorted(edges):
        talking[speaker] = talking.get(speaker, 0) + step
        if not talking[speaker]:
            del talking[speaker]
        if began is None and len(talking) > 1:
            began = at
        elif began is not None and len(talking) < 2:
            yield Span(began, at)
            began = None


def _copy(segment: Segment) -> Segment:
    """Return a copy of a segment with words of plausible length."""
    row = segment.copy()
    row["words"] = [_clamped(word, first=i == 0) for i, word in enumerate(segment["words"])]
    return row


def _clamped(word: Word, first: bool) -> Word:
    """Shorten words into which whisper merged an adjacent pause."""
    clamped = word.copy()
    longest = LONGEST_WORD + LONGEST_LETTER * len(word["word"].strip())
    if word["end"] - word["start"] > longest:
        if first:
            clamped["start"] = max(word["start"], round(word["end"] - longest, 3))
        else:
            clamped["end"] = min(word["end"], round(word["start"] + longest, 3))
    return clamped


def _fill(words: Sequence[Word], speakers: Sequence[str | None]) -> list[str | None]:
    """Assign words without a speaker to that of adjacent words without a pause."""
    filled = [*speakers]
    for i in range(1, len(words)):
        if filled[i] is None and _gap(words[i - 1], words[i]) <= REACH:
            filled[i] = filled[i - 1]
    for i in reversed(range(len(words) - 1)):
        if filled[i] is None and _gap(words[i], words[i + 1]) <= REACH:
            filled[i] = filled[i + 1]
    return filled


def _smooth(words: Sequence[Word], speakers: Sequence[str | None]) -> None:
    """Set the speakers of the words; a single word within another speaker's run joins it, unless a pause
    before or after separates it: then it is an interjection."""
    for i, word in enumerate(words):
        speaker = speakers[i]
        if 0 < i < len(words) - 1 and speakers[i - 1] == speakers[i + 1] is not None:
            pause = max(_gap(words[i - 1], word), _gap(word, words[i + 1]))
            speaker = speaker if pause >= PAUSE else speakers[i - 1]
        if speaker is not None:
            word["speaker"] = speaker


def _split(segment: Segment, turns: _ExclusiveTurns) -> Iterator[Segment]:
    """Return the segment divided into parts by speaker."""
    runs = [(speaker, [*run]) for speaker, run in groupby(segment["words"], lambda word: word.get("speaker"))]
    if not runs:
        runs = [(turns.main_speaker(segment["start"], segment["end"]), [])]
    for speaker, words in runs:
        part = segment.copy()
        part["words"] = words
        if words:
            part["start"] = min(word["start"] for word in words)
            part["end"] = max(word["end"] for word in words)
        if len(runs) > 1:
            part["text"] = "".join(word["word"] for word in words)
        if speaker is not None:
            part["speaker"] = speaker
        yield part


def _gap(before: Word, after: Word) -> float:
    return after["start"] - before["end"]


def _shared(span: Span, start: float, end: float) -> float:
    return max(0.0, min(span.end, end) - max(span.start, start))


def _distance(span: Span, moment: float) -> float:
    return max(0.0, span.start - moment, moment - span.end)
